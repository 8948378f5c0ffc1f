//! What a run needs made before its first step: devices with their clocks, streams and buffers.

use syncpoint::{Buffer, Device, Point, Stream, StreamOptions};

use super::{clock::DeviceClock, refusal::Refusal};
use crate::plan::{self, DeviceName, Plan};

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
    pub(super) fn make(plan: &Plan, begin: &Point) -> Result<Self, Refusal> {
        let mut machine = Self { streams: Vec::new(), buffers: Vec::new(), clocks: Vec::new() };
        for buffer in plan.buffers() {
            machine.buffers.push(make_buffer(buffer)?);
        }
        for stream in plan.streams() {
            let lane = machine.lane(stream, begin)?;
            machine.streams.push(lane);
        }
        Ok(machine)
    }

    /// The clock that a stream of the plan is timed by.
    pub(super) fn clock(&self, stream: usize) -> &DeviceClock {
        &self.clocks[self.streams[stream].clock]
    }

    fn lane(&mut self, stream: &plan::Stream, begin: &Point) -> Result<Lane, Refusal> {
        let refusal = |error| Refusal::of(format!("stream {:?}", stream.name), error);
        let device = open(&stream.device).map_err(refusal)?;
        let clock = self.clock_of(&device, begin).map_err(refusal)?;
        let options = StreamOptions::new().named(&stream.name);
        let options = match stream.priority {
            Some(priority) => options.with_priority(priority),
            None => options,
        };
        let made = device.stream_with(options).map_err(refusal)?;
        made.wait(self.clocks[clock].begin()).map_err(refusal)?;
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

fn make_buffer(buffer: &plan::Buffer) -> Result<Buffer, Refusal> {
    let made = open(&buffer.device).and_then(|device| device.buffer(buffer.bytes));
    made.map_err(|error| Refusal::of(format!("buffer {:?}", buffer.name), error))
}

fn open(name: &DeviceName) -> syncpoint::Result<Device> {
    syncpoint::open(&name.to_string())
}
