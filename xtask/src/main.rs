//! The developers' routine of syncpoint: one command for every check of the project.
//!
//! `cargo xtask test` is the test command of the README, and `.ci/run` calls the same. The rules that no compiler
//! knows (one idea a file, the laws and their cases, who may depend on whom) are tests of this program: see `tidy`.

mod again;
mod ahead;
mod block;
mod cost;
mod depend;
mod elsewhere;
mod fuzz;
mod map;
mod package;
mod part;
mod python;
mod report;
mod request;
mod routine;
mod sanitize;
mod step;
#[cfg(test)]
mod tidy;
mod tree;
mod vulkan;
mod workshop;

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use ahead::Ahead;
use part::{PARTS, Part};
use request::Request;
use routine::OnFailure;
use workshop::Workshop;

/// What anything here may end in: a sentence for the person at the terminal.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    Request::parse(&arguments).and_then(answer).unwrap_or_else(|error| complain(&*error))
}

/// Nobody is left to tell if the terminal itself is gone.
fn complain(error: &dyn Error) -> ExitCode {
    writeln!(io::stderr(), "xtask: {error}").ok();
    ExitCode::from(2)
}

fn answer(request: Request) -> Result<ExitCode> {
    match request {
        Request::Test { parts, on_failure } => return test(&parts, on_failure),
        Request::Again { program, arguments } => return again::run(&program, &arguments),
        Request::List => write!(io::stdout(), "{}", request::list(PARTS))?,
        Request::RenewMap => map::renew(&workshop::root()?)?,
        Request::PrintMap => map::print(&workshop::root()?)?,
        Request::RenewCost => cost::renew(&workshop::root()?)?,
        Request::CheckCost => cost::check(&workshop::root()?)?,
        Request::Fuzz { target, seconds } => fuzz::one(&Workshop::find()?, target, seconds)?,
        Request::KeepCorpus { target } => fuzz::keep(&Workshop::find()?, target)?,
        Request::Depend { since } => depend::run(&Workshop::find()?, since.as_deref())?,
        Request::Help => write!(io::stdout(), "{}", request::USAGE)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn test(parts: &[&'static Part], on_failure: OnFailure) -> Result<ExitCode> {
    let workshop = Workshop::find()?;
    let flaky = again::told(&workshop);
    fs::remove_file(&flaky).ok();
    let ahead = package::all_is_needed().then(|| Ahead::of(parts, &workshop));
    let report = routine::run(parts, on_failure, |part| {
        if let Some(ahead) = &ahead {
            ahead.leave(part.name);
        }
        part.perform(&workshop)
    });
    // Nothing is there where nothing was run again.
    write!(io::stdout(), "\n{}{report}", fs::read_to_string(&flaky).unwrap_or_default())?;
    Ok(if report.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
