//! A program that comes to its end in the way that its argument names. `tests/life.rs` watches it.
//!
//! Most of its ways are of Unix; elsewhere it has none.
#![cfg_attr(unix, expect(unsafe_code, reason = "signals, handlers and the loader are calls of C"))]
#![cfg_attr(
    unix,
    expect(
        clippy::exit,
        clippy::expect_used,
        clippy::panic_in_result_fn,
        clippy::print_stdout,
        reason = "a program of a test: it ends in every way, and says only what is wrong"
    )
)]

#[cfg(unix)]
mod ways;

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    ways::run()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    ExitCode::FAILURE
}
