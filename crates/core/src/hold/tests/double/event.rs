//! Events of the double's driver, its own and those that others made.

use std::sync::Arc;

use super::Bench;
use crate::contract::{ForeignEvent, Item, NativeEvent, Placed, RawStream, Task};
use crate::device::Device;
use crate::error::Result;
use crate::event::{Event, EventState};
use crate::event_options::EventOptions;
use crate::place::Place;
use crate::point::Point;

/// An event of the double's: its records and waits are submissions.
#[derive(Debug)]
pub(super) struct EventDouble;

impl EventDouble {
    fn put(words: &'static str, stream: &Arc<dyn RawStream>, place: Place) -> Result<Placed> {
        stream.put(Item { task: Task::Native(Box::new(words)), place })
    }
}

impl NativeEvent for EventDouble {
    fn record_on(&self, stream: &Arc<dyn RawStream>, place: Place) -> Result<Placed> {
        Self::put("native record", stream, place)
    }

    fn wait_on(&self, stream: &Arc<dyn RawStream>, place: Place) -> Result<Option<Placed>> {
        Self::put("native wait", stream, place).map(Some)
    }
}

/// An event that others made.
#[derive(Debug)]
struct ForeignDouble {
    device: Device,
    native: Option<EventDouble>,
    gate: Point,
}

impl ForeignEvent for ForeignDouble {
    fn device(&self) -> &Device {
        &self.device
    }

    fn state(&self) -> EventState {
        EventState::Pending
    }

    fn awaited(self: Arc<Self>, _place: Place) -> Result<Option<Point>> {
        Ok(Some(self.gate.clone()))
    }

    fn native(&self) -> Option<&dyn NativeEvent> {
        self.native.as_ref().map(|native| -> &dyn NativeEvent { native })
    }

    fn whose(&self) -> &'static str {
        "another program's"
    }
}

impl<const EACH: bool> Bench<EACH> {
    /// An event that others made, of the driver's or with nothing to record, whose latest record ends with a gate.
    pub(in crate::hold::tests) fn foreign_event(&self, is_native: bool, gate: Point) -> Event {
        let native = is_native.then_some(EventDouble);
        let foreign = ForeignDouble { device: self.device.clone(), native, gate };
        Event::foreign(EventOptions::new(), Arc::new(foreign))
    }
}
