//! Events of the driver: those that events of ours own, those of captures, and those that others gave us.

use std::any::Any;
use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;

use syncpoint_base::Inside;
use syncpoint_core::contract::{ForeignEvent, Item, NativeEvent, Owner, Placed, RawStream, Task};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{
    Device, Error, Event, EventOptions, EventState, Gate, Mode, Place, Point, Reason, Result, State,
};

use crate::context::Context;
use crate::reaper::Remains;
use crate::recorded::Records;
use crate::share::held;
use crate::stream::CudaStream;
use crate::sync::OnceLock;
use crate::sys::{Event as DriversEvent, Meaning, Refusal};

/// The raw handle of an event, given out by [`event_handle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawEvent {
    address: usize,
}

impl RawEvent {
    /// The driver's `CUevent`. It lives as long as the event that it was asked of: do not destroy it.
    pub fn as_ptr(&self) -> *mut c_void {
        std::ptr::with_exposed_provenance_mut(self.address)
    }
}

/// The driver's event that an event owns, for others to wait for. The event was made with
/// [`native_handle`](syncpoint_core::EventOptionsBuilder::native_handle), is external, or was taken in.
///
/// It is recorded behind each point of the event. Who waits for it through the driver waits for the latest record that the
/// driver was given: what a managed stream still holds is not among them. Of records that the driver is given beside one
/// another, because it keeps one of them inside the call, that is any.
///
/// # Errors
/// `Unsupported`: it has none. `Misuse(NotRecorded)`: it belongs to no device yet. `Misuse(WrongDevice)`: it is not of
/// CUDA. The driver's, where it is made by this call.
pub fn event_handle(event: &Event) -> Result<RawEvent> {
    let native = event.native()?;
    let native: &Native = native.of_backend(event, "CUDA")?;
    Ok(RawEvent { address: native.0.drivers().address() })
}

/// An event of the driver's, for as long as somebody or something enqueued uses it.
struct Owned {
    /// There until the drop.
    event: Option<DriversEvent>,
    /// Whose it is, where others made it. There until the drop.
    owner: Option<Owner>,
    /// Whether a launch of a graph records it and waits for it.
    is_external: bool,
    /// The records of ours.
    records: Records,
    context: Arc<Context>,
}

/// A name of it.
#[derive(Clone, Debug)]
pub(crate) struct Native(Arc<Owned>);

impl Native {
    /// One that an event of ours owns.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn own(context: &Arc<Context>, options: EventOptions) -> Result<Self> {
        context.check()?;
        let made = DriversEvent::for_others(context.primary(), options);
        let event = Some(made.map_err(|refusal| context.refused(&refusal))?);
        let (is_external, records) = (options.external(), Records::default());
        let context = Arc::clone(context);
        Ok(Self(Arc::new(Owned { event, owner: None, is_external, records, context })))
    }

    /// Has a stream do something with the event, in its order. `None`: the stream is none of the driver's.
    fn put(
        &self,
        stream: &Arc<dyn RawStream>,
        place: Place,
        act: impl Fn(&Owned, &CudaStream) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Option<Result<Placed>> {
        let any: &dyn Any = stream.as_ref();
        any.downcast_ref::<HeldStream<CudaStream>>()?;
        let owned = Arc::clone(&self.0);
        let act = Act::new(move |stream| act(&owned, stream));
        Some(stream.put(Item { task: Task::Native(Box::new(act)), place }))
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.0.context
    }

    /// Whether the device has come to the latest record, as this query says.
    fn has_come(&self, query: fn(&DriversEvent) -> Result<bool, Refusal>) -> Result<bool> {
        let context = &self.0.context;
        context.check()?;
        query(self.0.drivers()).map_err(|refusal| context.refused(&refusal))
    }
}

/// What a stream does with an event, when it comes to it.
pub(crate) struct Act(Box<Call>);

type Call = dyn Fn(&CudaStream) -> Result<(), Refusal> + Send + Sync;

impl Act {
    pub(crate) fn new(
        act: impl Fn(&CudaStream) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(act))
    }

    /// Gives it to the driver.
    pub(crate) fn carry_out(&self, stream: &CudaStream) -> Result<(), Refusal> {
        (self.0)(stream)
    }
}

impl Owned {
    fn drivers(&self) -> &DriversEvent {
        self.event.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    /// Each record in a capture is a node of its graph, whatever was recorded since it began.
    fn record(&self, number: u64, stream: &CudaStream) -> Result<(), Refusal> {
        if self.is_external && stream.handle().is_capturing()? {
            self.drivers().record_at_launch(stream.handle())?;
            self.records.note_captured();
            return Ok(());
        }
        self.records.give(number, || self.drivers().record(stream.handle()))
    }

    fn wait(&self, stream: &CudaStream) -> Result<(), Refusal> {
        if self.is_external && stream.handle().is_capturing()? {
            return stream.handle().wait_at_launch(self.drivers());
        }
        stream.handle().wait(self.drivers())
    }
}

impl NativeEvent for Native {
    fn record_on(&self, stream: &Arc<dyn RawStream>, place: Place) -> Result<Placed> {
        let number = self.0.records.begin();
        let record = move |owned: &Owned, stream: &CudaStream| owned.record(number, stream);
        let placed = self.put(stream, place, record).unwrap_or_else(|| {
            let message = "an event of CUDA is recorded on a stream of CUDA; use one";
            Err(Error::misuse(Reason::WrongDevice, message))
        })?;
        // What others launch on too holds nothing back from the driver, and a capture has no values.
        let is_told = |stream: &Arc<HeldStream<CudaStream>>| {
            let is_unsure =
                || self.0.records.is_unsure() && matches!(stream.is_capturing(), Ok(false));
            stream.mode() == Mode::Managed || is_unsure()
        };
        if let Some(stream) = held(stream).filter(is_told) {
            self.0.records.taken(number, stream.timeline().point(placed.value));
        }
        Ok(placed)
    }

    /// On the device, unless a stream holds the record, or this one the wait: then that would be for a record of later.
    fn wait_on(&self, stream: &Arc<dyn RawStream>, place: Place) -> Result<Option<Placed>> {
        if stream.statistics().held > 0 || self.0.records.held().is_some() {
            return Ok(None);
        }
        // Of those who come here first: the driver is given it now, or never.
        let is_now = Arc::new(OnceLock::new());
        let given = Arc::clone(&is_now);
        let wait = move |owned: &Owned, stream: &CudaStream| {
            if *given.get_or_init(|| true) { owned.wait(stream) } else { Ok(()) }
        };
        let placed = self.put(stream, place, wait).transpose()?;
        Ok(placed.filter(|_placed| *is_now.get_or_init(|| false)))
    }
}

/// An event without points.
#[derive(Debug)]
struct Foreign {
    native: Native,
    device: Device,
}

/// An event that others gave us.
pub(crate) fn foreign(
    device: &Device,
    context: &Arc<Context>,
    event: DriversEvent,
    owner: Owner,
) -> Event {
    let (event, owner, context) = (Some(event), Some(owner), Arc::clone(context));
    let (is_external, records) = (false, Records::default());
    let native = Native(Arc::new(Owned { event, owner, is_external, records, context }));
    Event::foreign(EventOptions::new(), Arc::new(Foreign { native, device: device.clone() }))
}

/// An event of captures.
///
/// # Errors
/// The driver's.
pub(crate) fn external(
    device: &Device,
    context: &Arc<Context>,
    options: EventOptions,
) -> Result<Arc<dyn ForeignEvent>> {
    let native = Native::own(context, options)?;
    Ok(Arc::new(Foreign { native, device: device.clone() }))
}

impl ForeignEvent for Foreign {
    fn device(&self) -> &Device {
        &self.device
    }

    fn state(&self) -> EventState {
        let records = &self.native.0.records;
        if let Some(point) = records.held() {
            return match point.state() {
                State::Complete => EventState::Complete,
                State::Failed(error) => EventState::Failed(error),
                _ => EventState::Pending,
            };
        }
        // Those of others are taken to be recorded.
        if self.native.0.owner.is_none() && !records.is_given() {
            return EventState::NeverRecorded;
        }
        match self.native.has_come(DriversEvent::query) {
            Ok(true) => EventState::Complete,
            Ok(false) => EventState::Pending,
            Err(error) => EventState::Failed(error),
        }
    }

    fn awaited(self: Arc<Self>, place: Place) -> Result<Option<Point>> {
        if let Some(point) = self.native.0.records.held() {
            return Ok(Some(point));
        }
        // Who waits named no query.
        if self.native.has_come(DriversEvent::query_unnoticed)? {
            return Ok(None);
        }
        let gate = Gate::of_others("of an event of the driver's", place);
        let point = gate.point();
        self.native.0.context.watch_event(self.native.clone(), gate)?;
        Ok(Some(point))
    }

    fn native(&self) -> Option<&dyn NativeEvent> {
        Some(&self.native)
    }

    fn whose(&self) -> &'static str {
        if self.native.0.is_external { "of captures" } else { "another library's" }
    }
}

/// What the poller finds out about an event. Says whether it is asked again.
pub(crate) fn look(native: &Native, gate: &Gate) -> bool {
    let context = &native.0.context;
    let inside = Inside::enter_or_rest();
    let answer = context.check().map(|()| context.asking().ask(|| native.0.drivers().query()));
    drop(inside);
    let settled = match answer {
        Ok(Ok(false)) => return true,
        Ok(Err(refusal)) if refusal.meaning() == Meaning::Capturing => return true,
        Ok(Ok(true)) => gate.open(),
        Ok(Err(refusal)) => gate.fail(context.refused(&refusal)),
        Err(lost) => gate.fail(lost),
    };
    // Nobody else settles it.
    let _once = settled;
    false
}

impl Drop for Owned {
    fn drop(&mut self) {
        let Some(event) = self.event.take() else { return };
        match self.owner.take() {
            // Theirs, and so is its end.
            Some(owner) => self.context.let_go(owner),
            None if self.context.is_usable() => self.context.reap(Remains::Event(event)),
            None => {}
        }
    }
}

impl fmt::Debug for Owned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.event)
    }
}
