//! `syncpoint run`: a pipeline from its file to its report.

use std::{error::Error, io};

use syncpoint::Device;

use super::{arguments, exit, print, progress::Watcher, signals, terminal, trace::Trace};
use crate::{
    engine::{self, Run},
    plan::{DeviceName, Plan},
    report::Report,
};

/// What is refused, in words.
pub(super) type Refused = Box<dyn Error>;

/// What messages call standard input, as compilers do.
const INPUT: &str = "<stdin>";

/// Runs a pipeline, and answers the exit status.
pub(super) fn run(arguments: &arguments::Run) -> u8 {
    attempt(arguments).unwrap_or_else(|refused| {
        print::note(refused);
        exit::REFUSED
    })
}

fn attempt(arguments: &arguments::Run) -> Result<u8, Refused> {
    check_outputs(arguments)?;
    check_default(&arguments.device)?;
    let plan = load(arguments)?;
    let run = Run::prepare(&plan)?;
    let trace = Trace::open(arguments, plan.file())?;
    let heard = signals::listen(run.stopper()).map_err(|error| unheard(&error))?;
    let mut watcher = Watcher::new(&plan);
    let report = run.go(arguments.timeout, |progress| watcher.show(progress));
    watcher.clear();
    heard.unless_ended(|| {
        // The report is told even if the trace cannot be, and the other way round.
        let traced = trace.map_or(Ok(()), |trace| trace.write(&report));
        tell(&report, arguments).and(traced)
    })?;
    Ok(exit::of(&report, heard.signal()))
}

fn check_outputs(arguments: &arguments::Run) -> Result<(), Refused> {
    if arguments.json && arguments.traces_to_output() {
        return Err("--json and --trace both ask for standard output; give --trace a file".into());
    }
    Ok(())
}

/// An option is refused by its name, whether the file needs it or not: no line of the file is to blame.
fn check_default(device: &DeviceName) -> Result<(), Refused> {
    open_default(device).map(drop)
}

/// Opens the device that --device names.
pub(super) fn open_default(device: &DeviceName) -> Result<Device, Refused> {
    let refused = |absence| format!("--device names {device}, {absence}");
    Ok(engine::open(device).map_err(refused)?)
}

fn load(arguments: &arguments::Run) -> Result<Plan, Refused> {
    if arguments.reads_input() {
        return Ok(Plan::read(INPUT.as_ref(), io::stdin().lock(), &arguments.device)?);
    }
    Ok(Plan::load(&arguments.file, &arguments.device)?)
}

fn unheard(error: &io::Error) -> Refused {
    format!("signals such as Ctrl-C cannot be heard: {error}; end other programs first").into()
}

/// Writes the report to standard output, or to standard error if the trace is on the other.
fn tell(report: &Report, arguments: &arguments::Run) -> Result<(), Refused> {
    if arguments.traces_to_output() {
        print::note(report.text(terminal::error_style()).trim_end());
        return Ok(());
    }
    let told = print::result(|output| {
        if arguments.json {
            return report.json(output);
        }
        output.write_all(report.text(terminal::output_style()).as_bytes())
    });
    told.map_err(|error| format!("the report cannot be written: {error}").into())
}
