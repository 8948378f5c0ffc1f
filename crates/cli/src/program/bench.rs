//! `syncpoint bench`: what operations cost here.

use super::{
    arguments, exit, print, progress,
    run::{Refused, open_default},
    terminal,
};
use crate::bench::{self, Case, Costs, Effort};

/// Measures, and answers the exit status.
pub(super) fn bench(arguments: &arguments::Bench) -> u8 {
    match attempt(arguments) {
        Ok(()) => exit::DONE,
        Err(refused) => {
            print::note(refused);
            exit::REFUSED
        }
    }
}

fn attempt(arguments: &arguments::Bench) -> Result<(), Refused> {
    let device = open_default(&arguments.device)?;
    let cases = bench::select(&arguments.filter).map_err(|names| unknown(arguments, &names))?;
    if cfg!(debug_assertions) {
        print::note(bench::DEBUG);
    }
    let effort = if arguments.quick { Effort::Quick } else { Effort::Full };
    let bar = progress::bar(cases.len());
    let begins = |case: &'static Case| {
        if let Some(bar) = &bar {
            bar.set_message(case.name());
            bar.inc(1);
        }
    };
    let costs = bench::measure(&device, &cases, effort, begins);
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    tell(&costs, arguments)
}

fn unknown(arguments: &arguments::Bench, names: &[&str]) -> String {
    let list = names.join("\n  ");
    format!("--filter: no case has {:?} in its name; there are\n  {list}", arguments.filter)
}

fn tell(costs: &Costs, arguments: &arguments::Bench) -> Result<(), Refused> {
    let told = print::result(|output| {
        if arguments.json {
            return costs.json(output);
        }
        output.write_all(costs.text(terminal::output_style()).as_bytes())
    });
    told.map_err(|error| format!("the costs cannot be written: {error}").into())
}
