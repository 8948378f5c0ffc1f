//! A lane: what a simulated device has been given by one stream, in order.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use syncpoint_core::contract::{Copy, Fill, Stamp};
use syncpoint_core::hold::HeldStream;

use crate::driver::SimStream;
use crate::fault::Fault;

/// One stream, as the device sees it.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) device: usize,
    /// Which stream of its device it is, from 0, for the log.
    pub(crate) number: u64,
    pub(crate) jobs: VecDeque<Job>,
    /// Whether the job at the front runs, or waits for another lane.
    pub(crate) busy: bool,
    /// What the device has done.
    pub(crate) done: u64,
    /// Until when the host hears nothing.
    pub(crate) veiled: u64,
    /// When the host last hears of what is done already: what comes later is not heard before.
    pub(crate) told_at: u64,
    /// Lanes that wait for a value of this one.
    pub(crate) waiters: Vec<(u64, u64)>,
}

/// One operation of a lane. It keeps its stream: a stream whose owner is gone still finishes its work.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) stream: Arc<HeldStream<SimStream>>,
    pub(crate) value: u64,
    pub(crate) work: Work,
    /// Its number among the operations of the device.
    pub(crate) operation: u64,
    pub(crate) fault: Option<Fault>,
}

/// What an operation does.
#[derive(Debug)]
pub(crate) enum Work {
    Fill(Fill),
    Copy(Copy),
    Delay(Duration),
    /// Waits for a value of another lane.
    Wait {
        lane: u64,
        value: u64,
    },
    Stamp(Arc<Stamp>),
    Mark,
}

/// What every fill and copy takes, besides its bytes: about what a small kernel takes on a GPU.
const LAUNCH: u64 = 1000;

/// How many bytes are filled or copied in a nanosecond: 10 GB/s, about what a bus carries.
const BYTES_PER_NANO: u64 = 10;

impl Work {
    /// How long it takes on the device, in nanoseconds.
    pub(crate) fn nanos(&self) -> u64 {
        match self {
            Self::Fill(fill) => LAUNCH + fill.target.len() / BYTES_PER_NANO,
            Self::Copy(copy) => LAUNCH + copy.target.len() / BYTES_PER_NANO,
            Self::Delay(duration) => nanos(*duration),
            Self::Wait { .. } | Self::Stamp(_) | Self::Mark => 0,
        }
    }

    /// Does to memory what it does.
    pub(crate) fn run(&self) {
        match self {
            Self::Fill(fill) => fill.run(),
            Self::Copy(copy) => copy.run(),
            Self::Delay(_) | Self::Wait { .. } | Self::Stamp(_) | Self::Mark => {}
        }
    }
}

/// A duration in nanoseconds; one that no clock can tell is 292 years, which is twice as far from the end of the clock.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2)
}

impl fmt::Display for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fill(fill) => write!(formatter, "fill of {}", fill.target.len()),
            Self::Copy(copy) => write!(formatter, "copy of {}", copy.target.len()),
            Self::Delay(duration) => write!(formatter, "delay of {duration:?}"),
            Self::Wait { .. } => formatter.write_str("wait"),
            Self::Stamp(_) => formatter.write_str("stamp"),
            Self::Mark => formatter.write_str("mark"),
        }
    }
}

impl Lane {
    pub(crate) fn new(device: usize, number: u64) -> Self {
        Self {
            device,
            number,
            jobs: VecDeque::new(),
            busy: false,
            done: 0,
            veiled: 0,
            told_at: 0,
            waiters: Vec::new(),
        }
    }

    /// Takes the lanes that wait for a value up to `value`.
    pub(crate) fn take_waiters(&mut self, value: u64) -> Vec<u64> {
        let due = self.waiters.extract_if(.., |(awaited, _)| *awaited <= value);
        due.map(|(_, lane)| lane).collect()
    }
}
