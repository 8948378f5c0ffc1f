//! The program as its users have it: the binary is started with arguments, and its streams, files and status are read.
//!
//! The commands of its pipelines are those of Unix.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test ends where what it needs is not there")]

mod bench;
mod cuda;
mod devices;
mod examples;
mod failure;
mod order;
mod output;
mod refusal;
mod support;
mod trace;

#[cfg(target_os = "linux")]
mod ending;
#[cfg(target_os = "linux")]
mod watched;
