//! The costs as a program reads them: one JSON object whose keys stay.
//!
//! The keys of [`VERSION`] are never renamed or removed, and keep their meaning; new ones may come. What is not known,
//! or not there, is `null`.
//!
//! | Key | What it holds |
//! |---|---|
//! | `version` | [`VERSION`] |
//! | `device` | the device |
//! | `syncpoint` | the version of the program |
//! | `profile` | how it was built: `release`, or `debug`, whose figures mean nothing |
//! | `rivals` | whether it was built with them |
//! | `machine` | `target`, `cores` (how many this process may use), `pinned` (whether there are others), `load` (how many threads ran or wanted to, in the minute before) |
//! | `rows` | for each: `name`, `ns` of one operation, `rival`, `rival_ns`, and `ratio`: `ns` over `rival_ns` |
//! | `left_out` | for each case that the device cannot do: `name`, `reason` |

use std::io;

use serde::Serialize;

use super::{Costs, LeftOut, Machine, Row};

/// The version of the form: it grows when a key changes its meaning or goes.
pub const VERSION: u32 = 1;

impl Costs {
    /// Writes them as one JSON object and a line feed.
    ///
    /// # Errors
    ///
    /// What `output` answers.
    pub fn json(&self, mut output: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut output, &Form::of(self))?;
        writeln!(output)
    }
}

#[derive(Serialize)]
struct Form<'c> {
    version: u32,
    device: &'c str,
    syncpoint: &'c str,
    profile: &'c str,
    rivals: bool,
    machine: MachineForm<'c>,
    rows: Vec<RowForm<'c>>,
    left_out: Vec<LeftOutForm<'c>>,
}

#[derive(Serialize)]
struct MachineForm<'c> {
    target: &'c str,
    cores: usize,
    pinned: Option<bool>,
    load: Option<f64>,
}

#[derive(Serialize)]
struct RowForm<'c> {
    name: &'c str,
    ns: f64,
    rival: Option<&'c str>,
    rival_ns: Option<f64>,
    ratio: Option<f64>,
}

#[derive(Serialize)]
struct LeftOutForm<'c> {
    name: &'c str,
    reason: &'c str,
}

impl<'c> Form<'c> {
    fn of(costs: &'c Costs) -> Self {
        let Costs { device, machine, rows, left_out } = costs;
        Self {
            version: VERSION,
            device,
            syncpoint: &machine.version,
            profile: machine.profile(),
            rivals: machine.rivals,
            machine: MachineForm::of(machine),
            rows: rows.iter().map(RowForm::of).collect(),
            left_out: left_out.iter().map(LeftOutForm::of).collect(),
        }
    }
}

impl<'c> MachineForm<'c> {
    fn of(machine: &'c Machine) -> Self {
        let Machine { target, cores, pinned, load, .. } = machine;
        Self { target, cores: *cores, pinned: *pinned, load: *load }
    }
}

impl<'c> RowForm<'c> {
    fn of(row: &'c Row) -> Self {
        let rival = row.rival.as_ref();
        Self {
            name: &row.name,
            ns: row.nanos,
            rival: rival.map(|rival| rival.name.as_str()),
            rival_ns: rival.map(|rival| rival.nanos),
            ratio: row.ratio(),
        }
    }
}

impl<'c> LeftOutForm<'c> {
    fn of(left_out: &'c LeftOut) -> Self {
        Self { name: &left_out.name, reason: &left_out.reason }
    }
}
