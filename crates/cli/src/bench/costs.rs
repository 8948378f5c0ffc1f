//! What was measured: plain data, to be shown as text or as JSON.

use super::{Machine, sample::Trouble};

/// What the operations of a device cost.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Costs {
    /// The device.
    pub device: String,
    /// Where it was measured.
    pub machine: Machine,
    /// What was measured, in the order of the cases.
    pub rows: Vec<Row>,
    /// What the device cannot do.
    pub left_out: Vec<LeftOut>,
}

/// The cost of one operation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The case.
    pub name: String,
    /// The nanoseconds of one operation: the median of the samples.
    pub nanos: f64,
    /// The rival in the same run, if it has one here.
    pub rival: Option<Rivalry>,
}

/// What a rival needs for the same.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rivalry {
    /// Who it is.
    pub name: String,
    /// The nanoseconds of one operation: the median of its samples.
    pub nanos: f64,
}

/// A case that was not measured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The case.
    pub name: String,
    /// Why the device cannot do it.
    pub reason: String,
}

/// Our figure, and the rival's name and figure.
pub(super) type Figures = (f64, Option<(&'static str, f64)>);

impl Costs {
    pub(super) fn none(device: String, machine: Machine) -> Self {
        Self { device, machine, rows: Vec::new(), left_out: Vec::new() }
    }

    pub(super) fn add(&mut self, name: &str, measured: Result<Figures, Trouble>) {
        let name = name.to_owned();
        match measured {
            Ok((nanos, rival)) => {
                let rival = rival.map(|(name, nanos)| Rivalry { name: name.to_owned(), nanos });
                self.rows.push(Row { name, nanos, rival });
            }
            Err(trouble) => self.left_out.push(LeftOut { name, reason: trouble.to_string() }),
        }
    }
}

impl Row {
    /// Our time as a part of the rival's.
    pub fn ratio(&self) -> Option<f64> {
        self.rival.as_ref().map(|rival| self.nanos / rival.nanos)
    }
}
