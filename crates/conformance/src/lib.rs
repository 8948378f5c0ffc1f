//! The laws of syncpoint as test cases, run on every backend.
