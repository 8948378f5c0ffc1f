//! The program: its arguments, what it prints where, and the status that it exits with.
//!
//! The result goes to standard output and nothing else does; progress, problems and the notes of a run go to standard
//! error. Who stops reading the result, as `head` does, ends the writing of it and changes nothing else.

mod arguments;
mod bench;
mod devices;
mod exit;
mod print;
mod progress;
mod run;
#[cfg_attr(not(unix), path = "no_signals.rs")]
mod signals;
mod terminal;
mod trace;

use std::ffi::OsString;

use clap::Parser;

use arguments::{Arguments, Command};

/// Does what the arguments ask for, the first of which is the name of the program, and answers the status to exit with.
pub fn main<A>(arguments: impl IntoIterator<Item = A>) -> u8
where
    A: Into<OsString> + Clone,
{
    match Arguments::try_parse_from(arguments) {
        Ok(Arguments { command: Command::Bench(bench) }) => bench::bench(&bench),
        Ok(Arguments { command: Command::Devices(devices) }) => devices::devices(&devices),
        Ok(Arguments { command: Command::Run(run) }) => run::run(&run),
        Err(error) => refuse(&error),
    }
}

/// Prints the help that was asked for, or what is wrong with the arguments.
fn refuse(error: &clap::Error) -> u8 {
    // Nobody may be there to read it; the status tells all the same.
    error.print().ok();
    if error.use_stderr() { exit::REFUSED } else { exit::DONE }
}
