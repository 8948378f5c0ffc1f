//! Events of a driver: those that an event of ours owns beside its points, and those whose records are not ours.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::{Event, EventState, Holder};
use crate::contract::{Placed, RawStream};
use crate::device::Device;
use crate::error::{Error, Reason, Result};
use crate::event_options::EventOptions;
use crate::place::Place;
use crate::point::Point;
use crate::stream::Stream;
use crate::{id, inherited};

/// An event of a backend's driver, with a handle that others can use.
pub trait NativeEvent: Any + fmt::Debug + Send + Sync {
    /// Records it at the end of a stream of its device.
    ///
    /// # Errors
    /// As [`RawStream::put`].
    fn record_on(&self, stream: &Arc<dyn RawStream>, place: Place) -> Result<Placed>;

    /// Holds back later work of a stream until the record that is the latest now has ended, on the device itself.
    /// `None`: that stream cannot; it waits for [`ForeignEvent::awaited`].
    ///
    /// # Errors
    /// As [`RawStream::put`].
    fn wait_on(&self, stream: &Arc<dyn RawStream>, place: Place) -> Result<Option<Placed>>;
}

/// An event whose records are not ours: of another process, or the driver's own that others made. It has no points:
/// what it holds is asked at each call.
pub trait ForeignEvent: Any + fmt::Debug + Send + Sync {
    /// The device that it belongs to.
    fn device(&self) -> &Device;

    /// What has become of the latest record, by one driver call at most.
    fn state(&self) -> EventState;

    /// A point that settles with the latest record; `None` where there is nothing to wait for.
    ///
    /// # Errors
    /// Those of noticing the end: `Exhausted` where no thread can be made.
    fn awaited(self: Arc<Self>, place: Place) -> Result<Option<Point>>;

    /// The driver's event, where this process may record it and streams can wait for it on the device.
    fn native(&self) -> Option<&dyn NativeEvent> {
        None
    }

    /// Holds back later work of a stream until the latest record has ended, on the device itself. `None`: that stream
    /// cannot, or there is nothing to wait for; [`awaited`](Self::awaited) tells.
    ///
    /// # Errors
    /// As [`RawStream::put`].
    fn wait_on(
        self: Arc<Self>,
        stream: &Arc<dyn RawStream>,
        place: Place,
    ) -> Result<Option<Placed>> {
        self.native().map_or(Ok(None), |native| native.wait_on(stream, place))
    }

    /// Whose it is, for messages: `another process's`.
    fn whose(&self) -> &'static str;
}

/// For backends.
impl Event {
    /// An event of others, as an event of ours without points. Its options are those that can be told.
    #[doc(hidden)]
    pub fn foreign(options: EventOptions, event: Arc<dyn ForeignEvent>) -> Self {
        Self::created(id::next(), options, Holder::Foreign(event))
    }

    /// The driver's event that this one owns, made with the first call or record, or holds.
    ///
    /// # Errors
    /// `Misuse(NotRecorded)`: it belongs to no device yet. `Unsupported`: it was made without a native handle, or its
    /// device has none. The driver's.
    #[doc(hidden)]
    pub fn native(&self) -> Result<Native> {
        inherited::check(self.process, self)?;
        match &self.holder {
            Holder::Foreign(event) => match event.native() {
                Some(_) => Ok(Native::Foreign(Arc::clone(event))),
                None => Err(self.no_handle()),
            },
            _ if !self.options.native_handle() => Err(self.no_handle()),
            _ => self.name()?.native(self).map(Native::Own),
        }
    }

    #[cold]
    fn no_handle(&self) -> Error {
        let message = format!(
            "{self} has no native handle; make it with the option native_handle, on a device that has them"
        );
        Error::unsupported(message)
    }

    /// Records the driver's event too, where the event owns one.
    pub(super) fn record_natively(&self, stream: &Stream, place: Place) -> Result<()> {
        if !self.options.native_handle() {
            return Ok(());
        }
        self.name()?.native(self)?.record_on(stream.raw(), place).map(drop)
    }

    /// Records an event that has no points.
    pub(super) fn record_foreign(
        &self,
        event: &dyn ForeignEvent,
        stream: &Stream,
        place: Place,
    ) -> Result<Placed> {
        let Some(native) = event.native() else { return Err(self.not_ours("recorded")) };
        stream.timeline().check_process()?;
        super::name::check_device(self, event.device(), stream)?;
        native.record_on(stream.raw(), place)
    }

    /// Has a stream wait for an event that has no points: on the device where it can.
    pub(super) fn wait_foreign(
        &self,
        event: &Arc<dyn ForeignEvent>,
        stream: &Stream,
        place: Place,
    ) -> Result<()> {
        stream.timeline().check_process()?;
        if let Some(placed) = Arc::clone(event).wait_on(stream.raw(), place)? {
            stream.tell_native_wait(placed, self.id);
            return Ok(());
        }
        match Arc::clone(event).awaited(place)? {
            Some(point) => stream.wait_for(&point, Some(self.id), place),
            None => Ok(()),
        }
    }
}

/// The driver's event behind an event.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the contract is outside the semver promise")]
pub enum Native {
    /// It owns one.
    Own(Arc<dyn NativeEvent>),
    /// It is one of others.
    Foreign(Arc<dyn ForeignEvent>),
}

impl Native {
    /// The driver's event.
    pub fn event(&self) -> Option<&dyn NativeEvent> {
        match self {
            Self::Own(event) => Some(event.as_ref()),
            Self::Foreign(event) => event.native(),
        }
    }

    /// The same as its backend keeps it, for that backend. `of`: whose it is; `family`: what events of that backend are
    /// called.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: it is another backend's.
    pub fn of_backend<N: NativeEvent>(&self, of: &Event, family: &str) -> Result<&N> {
        let native: Option<&dyn Any> = self.event().map(|native| -> &dyn Any { native });
        native.and_then(<dyn Any>::downcast_ref).ok_or_else(|| {
            let message = format!("{of} is no event of {family}; ask its own backend");
            Error::misuse(Reason::WrongDevice, message)
        })
    }
}
