//! What observers hear: every operation once, with the right ids, and nothing that was not done.
//!
//! Observers belong to the whole process, and tests of one process run at once: each test looks only at what names the
//! objects that it made itself.
// So that clippy takes the helpers for what they are: tests may unwrap.
#![cfg(test)]

mod ear;
mod hooks;
#[cfg(feature = "places")]
mod slices;
mod waits;
mod watches;
