//! The unsafe ground of syncpoint: work stored in place.
