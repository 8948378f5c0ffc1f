//! The host backend of syncpoint: streams run by threads of this process.
