//! The name of an event: the device that it belongs to and its latest point.

use std::sync::Arc;

use syncpoint_base::Process;

use super::turn::{Taken, Turn};
use super::{Event, NativeEvent};
use crate::device::Device;
use crate::error::{Error, Reason, Result};
use crate::ipc::{Export, IpcHandle};
use crate::place::Place;
use crate::point::Point;
use crate::stream::Stream;
use crate::sync::process::{Mutex, OnceLock, lock};
use crate::time::TimedPoint;

/// What an event names.
pub(crate) struct Name {
    /// Guards the name. Not held across a record: a driver call.
    slot: Mutex<Slot>,
    /// Whose turn it is while [`Event::record_once`] records, so that a second caller returns only once there is a point;
    /// a waker that comes back to it from within is first, and the outer call names nothing. Taken before the order lock of a stream, never by
    /// queries or waits.
    once: Turn,
    /// Whose turn it is while an event that owns one of the driver's records both, so that they name the same. Taken
    /// before the order lock of a stream, never by queries or waits.
    native: Turn,
    /// What other processes are told, once the event is exported. Set under the lock of the slot.
    export: OnceLock<Arc<Export>>,
    process: Process,
}

#[derive(Default)]
struct Slot {
    device: Option<Device>,
    latest: Option<Recorded>,
    /// The driver's event that the event owns.
    native: Option<Arc<dyn NativeEvent>>,
}

/// Which point an event is to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// The latest.
    Latest,
    /// The first: whoever comes with another finds it there.
    First,
}

/// A point with the event's kind of time.
#[derive(Clone)]
pub(super) enum Recorded {
    Plain(Point),
    Timed(TimedPoint),
}

impl Recorded {
    fn point(&self) -> &Point {
        match self {
            Self::Plain(point) => point,
            Self::Timed(point) => point,
        }
    }
}

impl Name {
    /// Names nothing yet.
    pub(super) fn new(device: Option<Device>) -> Self {
        Self {
            slot: Mutex::new(Slot { device, ..Slot::default() }),
            once: Turn::default(),
            native: Turn::default(),
            export: OnceLock::new(),
            process: Process::current(),
        }
    }

    pub(super) fn is_of_this_process(&self) -> bool {
        self.process.is_current()
    }

    pub(super) fn is_exported(&self) -> bool {
        self.export.get().is_some()
    }

    /// What other processes are told, once the event is exported.
    pub(super) fn exported(&self) -> Option<&Arc<Export>> {
        self.export.get()
    }

    /// Names nothing any more.
    pub(super) fn clear(&self) {
        let mut slot = lock(&self.slot);
        let (latest, native) = (slot.latest.take(), slot.native.take());
        drop(slot);
        drop((latest, native));
    }

    /// Lets no other thread record the driver's event meanwhile.
    pub(super) fn hold_native(&self) -> Taken<'_> {
        self.native.take()
    }

    /// The driver's event that the event owns, made now if it has none yet. Of two threads that make one, one stays.
    pub(super) fn native(&self, event: &Event) -> Result<Arc<dyn NativeEvent>> {
        let slot = lock(&self.slot);
        let (device, native) = (slot.device.clone(), slot.native.clone());
        drop(slot);
        if let Some(native) = native {
            return Ok(native);
        }
        let made = device.ok_or_else(|| no_device(event))?.maker()?.event(event.options)?;
        let mut slot = lock(&self.slot);
        let native = Arc::clone(slot.native.get_or_insert_with(|| Arc::clone(&made)));
        drop(slot);
        Ok(native)
    }

    pub(super) fn device(&self) -> Option<Device> {
        lock(&self.slot).device.clone()
    }

    pub(super) fn latest(&self) -> Option<Recorded> {
        lock(&self.slot).latest.clone()
    }

    pub(super) fn latest_point(&self) -> Option<Point> {
        lock(&self.slot).latest.as_ref().map(|latest| latest.point().clone())
    }

    /// Lets nobody else record once meanwhile.
    pub(super) fn hold_once(&self) -> Taken<'_> {
        self.once.take()
    }

    /// Refuses another device than the one that the event belongs to, and one that lacks what it needs.
    pub(super) fn check_device(&self, event: &Event, stream: &Stream) -> Result<()> {
        lock(&self.slot).check_device(event, stream)
    }

    /// Moves the name, except back on one timeline. The first name binds the event to the device; a thread that was
    /// first on another device is the reason to check again. The old point is dropped outside the lock. Says whether the
    /// record is the event's: where the first is asked for, another may have been.
    pub(super) fn take(
        &self,
        event: &Event,
        (recorded, naming): (Recorded, Naming),
        (stream, place): (&Stream, Place),
    ) -> Result<bool> {
        let mut slot = lock(&self.slot);
        slot.check_device(event, stream)?;
        slot.device.get_or_insert_with(|| stream.device().clone());
        if slot.latest.is_some() && naming == Naming::First {
            return Ok(false);
        }
        let newer =
            slot.latest.as_ref().is_some_and(|latest| is_before(recorded.point(), latest.point()));
        if newer {
            return Ok(true);
        }
        // Others may name another point by then.
        let told =
            self.export.get().map(|export| (export, export.record(), recorded.point().clone()));
        let old = slot.latest.replace(recorded);
        drop(slot);
        drop(old);
        if let Some((export, generation, point)) = told {
            export.follow(generation, point);
            export.record_natively(generation, stream, place);
        }
        Ok(true)
    }

    /// Tells other processes from now on. Of two threads that export at once one is first, and both get its handle.
    pub(crate) fn export(
        &self,
        event: &Event,
        make: impl FnOnce(&Device) -> Result<Arc<Export>>,
    ) -> Result<IpcHandle> {
        if let Some(export) = self.export.get() {
            return Ok(export.handle());
        }
        let made = make(&self.device().ok_or_else(|| no_device(event))?)?;
        let slot = lock(&self.slot);
        let first = self.export.set(Arc::clone(&made)).is_ok();
        let latest = slot.latest.as_ref().filter(|_| first).map(|latest| latest.point().clone());
        // A node of a graph never settles.
        let latest = latest.filter(|point| point.timeline().captured().is_none());
        let told = latest.map(|point| (made.record(), point));
        drop(slot);
        if let Some((generation, point)) = told {
            made.follow(generation, point);
        }
        Ok(self.export.get().unwrap_or(&made).handle())
    }
}

impl Slot {
    fn check_device(&self, event: &Event, stream: &Stream) -> Result<()> {
        if let Some(device) = &self.device {
            return check_device(event, device, stream);
        }
        // What the device cannot do at all comes first: made with it, the event would be refused too.
        event.options.check(stream.device().capabilities(), stream.device())?;
        if event.options.external() { Err(external_of_nobody(event)) } else { Ok(()) }
    }
}

/// Refuses another device than the one that the event belongs to.
pub(super) fn check_device(event: &Event, device: &Device, stream: &Stream) -> Result<()> {
    if device == stream.device() { Ok(()) } else { Err(wrong_device(event, device, stream)) }
}

#[cold]
fn no_device(event: &Event) -> Error {
    let message =
        format!("{event} belongs to no device yet; record it, or name its device when it is made");
    Error::misuse(Reason::NotRecorded, message)
}

#[cold]
fn external_of_nobody(event: &Event) -> Error {
    let message = format!("{event} is external and of no device; name its device when it is made");
    Error::misuse(Reason::Contradiction, message)
}

#[cold]
fn wrong_device(event: &Event, device: &Device, stream: &Stream) -> Error {
    let message = format!(
        "{event} belongs to {device} and cannot be recorded on {stream}; record another event there (a stream of \
         any device may wait for this one)"
    );
    Error::misuse(Reason::WrongDevice, message)
}

/// Whether both lie on one timeline and the first comes first.
fn is_before(first: &Point, second: &Point) -> bool {
    first.timeline() == second.timeline() && first.value() < second.value()
}
