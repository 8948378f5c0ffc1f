//! What a run needs made before its first step: devices with their clocks, streams and buffers.

use std::ops::Range;

use syncpoint::{Buffer, Device, Error, Kind, Point, Stream, StreamOptions};

use super::{clock::DeviceClock, device, room};
use crate::plan::{self, DeviceName, Finding, Plan, Problems};

/// Everything that a plan asks for, made.
#[derive(Debug)]
pub(super) struct Machine {
    /// As in the plan.
    pub(super) streams: Vec<Lane>,
    /// As in the plan.
    pub(super) buffers: Vec<Buffer>,
    /// One for each device, in the order in which the plan names them.
    pub(super) clocks: Vec<DeviceClock>,
}

/// A stream of the plan.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) stream: Stream,
    /// The clock of its device: the place among the machine's.
    pub(super) clock: usize,
}

impl Machine {
    /// Makes everything. No stream begins anything before `begin` is complete.
    ///
    /// What cannot be had is found by asking for it, and not while the file is read: then a file can be read where its
    /// devices are not, there is one judge of what a device can do, and memory that is left now is the same a moment
    /// later. All that is found is told, each at its line.
    pub(super) fn make(plan: &Plan, begin: &Point) -> Result<Self, Problems> {
        let mut machine = Self { streams: Vec::new(), buffers: Vec::new(), clocks: Vec::new() };
        let mut findings = Vec::new();
        for stream in plan.streams() {
            match machine.lane(stream, begin) {
                Ok(lane) => machine.streams.push(lane),
                Err(finding) => findings.push(finding),
            }
        }
        match make_buffers(plan.buffers()) {
            Ok(buffers) => machine.buffers = buffers,
            Err(found) => findings.extend(found),
        }
        if findings.is_empty() { Ok(machine) } else { Err(plan.problems(findings)) }
    }

    /// The clock that a stream of the plan is timed by.
    pub(super) fn clock(&self, stream: usize) -> &DeviceClock {
        &self.clocks[self.streams[stream].clock]
    }

    fn lane(&mut self, stream: &plan::Stream, begin: &Point) -> Result<Lane, Finding> {
        let label = format!("stream {:?}", stream.name);
        let device = open(&label, &stream.device, &stream.device_at)?;
        let options = StreamOptions::new().named(&stream.name);
        let options = match stream.priority {
            Some(priority) => options.with_priority(within(stream, &device, priority)?),
            None => options,
        };
        let refused = |error| refused(&label, &stream.device, &stream.device_at, &error);
        let clock = self.clock_of(&device, begin).map_err(refused)?;
        let made = device.stream_with(options).map_err(refused)?;
        made.wait(self.clocks[clock].begin()).map_err(refused)?;
        Ok(Lane { stream: made, clock })
    }

    /// The place of a device's clock, which is made when the device is first met.
    fn clock_of(&mut self, device: &Device, begin: &Point) -> syncpoint::Result<usize> {
        if let Some(known) = self.clocks.iter().position(|clock| clock.device() == device) {
            return Ok(known);
        }
        self.clocks.push(DeviceClock::new(device, begin)?);
        Ok(self.clocks.len() - 1)
    }
}

/// The priority, if the device has it.
fn within(stream: &plan::Stream, device: &Device, priority: i32) -> Result<i32, Finding> {
    let range = device.priority_range();
    if range.clamp(priority) == priority {
        return Ok(priority);
    }
    let (name, device, least, greatest) =
        (&stream.name, &stream.device, range.least(), range.greatest());
    let message = format!(
        "stream {name:?} has priority = {priority}, which {device} does not have; choose one from {greatest} (most urgent) to {least}"
    );
    Err(Finding::new(&stream.priority_at, message))
}

/// Makes the buffers, or tells all that cannot be had. Nothing is made if they are too large together.
fn make_buffers(buffers: &[plan::Buffer]) -> Result<Vec<Buffer>, Vec<Finding>> {
    if let Some(finding) = room::check(buffers) {
        return Err(vec![finding]);
    }
    let (mut made, mut findings) = (Vec::new(), Vec::new());
    for buffer in buffers {
        match make_buffer(buffer) {
            Ok(buffer) => made.push(buffer),
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() { Ok(made) } else { Err(findings) }
}

fn make_buffer(buffer: &plan::Buffer) -> Result<Buffer, Finding> {
    let label = format!("buffer {:?}", buffer.name);
    let device = open(&label, &buffer.device, &buffer.device_at)?;
    device.buffer(buffer.bytes).map_err(|error| {
        if error.kind() != Kind::Exhausted {
            return refused(&label, &buffer.device, &buffer.device_at, &error);
        }
        let (bytes, device) = (buffer.bytes, &buffer.device);
        let message =
            format!("{label} has {bytes} bytes, for which {device} has no room; make it smaller");
        Finding::new(&buffer.bytes_at, message)
    })
}

fn open(label: &str, name: &DeviceName, at: &Range<usize>) -> Result<Device, Finding> {
    device::open(name)
        .map_err(|absence| Finding::new(at, format!("{label} is on {name}, {absence}")))
}

/// What no rule of a file foresees: the device's own words, which name the remedy.
fn refused(label: &str, device: &DeviceName, at: &Range<usize>, error: &Error) -> Finding {
    Finding::new(at, format!("{label} cannot be made on {device}: {}", error.message()))
}
