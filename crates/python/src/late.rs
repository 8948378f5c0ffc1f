//! Events that only a device makes, and that are made without one: they are of the device of their first record or handle.

use std::ops::Deref;
use std::sync::OnceLock;

use syncpoint::{Device, Error, Event, EventOptions};

use crate::event::is_recorded;

/// An external event or one between processes, as torch makes them: without a device until they are needed.
#[derive(Debug)]
pub(crate) struct Late {
    /// What stands for it until it has a device: it is never recorded.
    before: Event,
    /// The name of the device that was current where it was made.
    current: String,
    bound: OnceLock<Event>,
}

impl Late {
    /// Whether such events are of a device from the beginning.
    pub(crate) fn is_for(options: EventOptions) -> bool {
        options.external() || options.interprocess()
    }

    pub(crate) fn new(options: EventOptions, current: String) -> Self {
        Self { before: Event::new(options), current, bound: OnceLock::new() }
    }

    /// The name of the device that was current where it was made.
    pub(crate) fn current(&self) -> &str {
        &self.current
    }

    /// Whether it is of a device already.
    pub(crate) fn is_bound(&self) -> bool {
        self.bound.get().is_some()
    }

    /// Is of this device from now on, unless it is of one already.
    ///
    /// # Errors
    /// `Unsupported` where the device has none such; `Unavailable` in a child of the process that made it; the driver's.
    pub(crate) fn bind(&self, device: &Device) -> Result<(), Error> {
        if self.is_bound() {
            return Ok(());
        }
        if is_recorded(&self.before) {
            // It never was: another process made it.
            return self.before.point().map(drop);
        }
        let made = device.event_with(self.before.options())?;
        // Of two threads that come first at once the event of one stays.
        let _second = self.bound.set(made);
        Ok(())
    }
}

impl Deref for Late {
    type Target = Event;

    fn deref(&self) -> &Event {
        self.bound.get().unwrap_or(&self.before)
    }
}
