//! The `syncpoint` program.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    syncpoint_cli::program::main(env::args_os()).into()
}
