//! `syncpoint run`: a pipeline from its file to its report.

use std::{
    error::Error,
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{arguments, exit, print, progress::Watcher, signals, terminal};
use crate::{chrome, engine::Run, plan::Plan, report::Report};

/// What is refused, in words.
type Refused = Box<dyn Error>;

/// Runs a pipeline, and answers the exit status.
pub(super) fn run(arguments: &arguments::Run) -> ExitCode {
    let status = attempt(arguments).unwrap_or_else(|refused| {
        print::note(refused);
        exit::REFUSED
    });
    status.into()
}

fn attempt(arguments: &arguments::Run) -> Result<u8, Refused> {
    let plan = Plan::load(&arguments.file, &arguments.device)?;
    let run = Run::prepare(&plan)?;
    let trace = arguments.trace.as_deref().map(|path| Trace::open(path, plan.file()));
    let trace = trace.transpose()?;
    let heard = signals::listen(run.stopper())?;
    let mut watcher = Watcher::new(&plan);
    let report = run.go(arguments.timeout, |progress| watcher.show(progress));
    watcher.clear();
    // The report is told even if the trace cannot be, and the other way round.
    let traced = trace.map_or(Ok(()), |trace| trace.write(&report));
    tell(&report, arguments.json)?;
    traced?;
    Ok(exit::of(&report, heard.signal()))
}

fn tell(report: &Report, json: bool) -> Result<(), Refused> {
    let told = print::result(|output| {
        if json {
            return report.json(output);
        }
        output.write_all(report.text(terminal::style()).as_bytes())
    });
    told.map_err(|error| format!("the report cannot be written: {error}").into())
}

/// The file that a trace goes to. It is opened before the run, so that a bad path costs no run.
struct Trace {
    path: PathBuf,
    file: File,
}

impl Trace {
    fn open(path: &Path, pipeline: &Path) -> Result<Self, Refused> {
        if fs::canonicalize(path)
            .is_ok_and(|path| fs::canonicalize(pipeline).is_ok_and(|pipeline| path == pipeline))
        {
            return Err(refusal(path, &"it is the pipeline"));
        }
        let file = File::create(path).map_err(|error| refusal(path, &error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn write(&self, report: &Report) -> Result<(), Refused> {
        let written = chrome::write(report, BufWriter::new(&self.file));
        written.map_err(|error| refusal(&self.path, &error))
    }
}

fn refusal(path: &Path, reason: &dyn std::fmt::Display) -> Refused {
    let path = path.display();
    format!("{path}: the trace cannot be written: {reason}; choose another path for --trace").into()
}
