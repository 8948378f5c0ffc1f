//! Imports: events of other processes' drivers, opened here, for which streams wait on the device.
//!
//! Everything but the wait of a stream is answered by the page that both processes share, which asks no driver: queries,
//! host waits and notifications, and waits of streams of other backends. A stream of the driver waits for the driver's
//! event where the page says that it is recorded as what is wanted (`core/ipc/native`), and otherwise on the host. In both
//! ways its value lands only once the page says what became of the record: so a failure there, or the other process's
//! death, is a failure here.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::{Wake, Waker};

use syncpoint_base::Process;
use syncpoint_core::contract::{ForeignEvent, Import, Placed, RawStream, bridge};
use syncpoint_core::hold::{Driver, HeldStream, OwnWait};
use syncpoint_core::{Device, EventOptions, EventState, Place, Point, Result, State, retire};

use crate::context::Context;
use crate::event::Native;
use crate::poller::Poll;
use crate::reaper::Remains;
use crate::share::held;
use crate::stream::CudaStream;
use crate::sync::{Mutex, lock};
use crate::sys::{Event as DriversEvent, Refusal};

/// An event of another process's driver.
pub(crate) struct Imported {
    opened: Arc<Opened>,
    import: Arc<Import>,
}

/// The driver's event, opened here.
pub(crate) struct Opened {
    /// There until the drop.
    event: Option<DriversEvent>,
    import: Arc<Import>,
    context: Arc<Context>,
    /// The waits for it that the device may not have come past. Guards the list alone.
    waits: Mutex<Vec<Point>>,
    /// Guards the list alone. What is there of a stream is used under its order lock.
    strays: Mutex<Strays>,
    process: Process,
}

/// Of each stream that stands before a record which nobody asked for, by the id of its timeline, an event behind that.
type Strays = Vec<(u64, Native)>;

/// An event that was just opened, counted among the page's users.
pub(crate) fn imported(
    context: &Arc<Context>,
    event: DriversEvent,
    import: Arc<Import>,
) -> Arc<dyn ForeignEvent> {
    let opened = Opened::new(context, event, Arc::clone(&import));
    Arc::new(Imported { opened: Arc::new(opened), import })
}

impl ForeignEvent for Imported {
    fn device(&self) -> &Device {
        self.import.device()
    }

    fn state(&self) -> EventState {
        self.import.state()
    }

    fn awaited(self: Arc<Self>, place: Place) -> Result<Option<Point>> {
        Arc::clone(&self.import).awaited(place)
    }

    fn wait_on(
        self: Arc<Self>,
        stream: &Arc<dyn RawStream>,
        place: Place,
    ) -> Result<Option<Placed>> {
        let Some(stream) = held(stream) else { return Ok(None) };
        let Some((generation, point)) = self.import.pending(place)? else { return Ok(None) };
        let opened = Arc::clone(&self.opened);
        let wait = Wait { opened, generation, point: point.clone() };
        let placed = stream.wait_by(&point, Arc::new(wait), place)?;
        if let Some(placed) = placed {
            self.opened.note(stream.timeline().point(placed.value));
        }
        Ok(placed)
    }

    fn whose(&self) -> &'static str {
        self.import.whose()
    }
}

/// A wait of one stream for one generation.
#[derive(Debug)]
struct Wait {
    opened: Arc<Opened>,
    generation: u64,
    point: Point,
}

impl OwnWait<CudaStream> for Wait {
    /// Whatever the driver refuses, the stream waits on the host, unless its context is broken.
    fn wait(&self, stream: &Arc<HeldStream<CudaStream>>, value: u64) -> Result<bool> {
        let (import, driver) = (&self.opened.import, stream.driver());
        if !import.is_alive() || !import.covers(self.generation) {
            return Ok(false);
        }
        if let Err(refusal) = driver.give_wait(self.opened.event()) {
            let error = driver.context().refused(&refusal);
            return if driver.context().check().is_err() { Err(error) } else { Ok(false) };
        }
        if !import.run_goes_on(self.generation) {
            self.stray(stream);
            return Ok(false);
        }
        self.watch(stream, value);
        Ok(true)
    }
}

impl Wait {
    /// What the device was given is a wait for a record that came meanwhile, and the wait of the host will be over before
    /// that. Where the driver cannot say when the device is past it, the event is left open for good.
    fn stray(&self, stream: &Arc<HeldStream<CudaStream>>) {
        let is_usable = || self.opened.context.check().is_ok();
        if self.opened.note_stray(stream).is_err() && is_usable() {
            let _left_open = ManuallyDrop::new(Arc::clone(&self.opened));
        }
    }

    /// Where the record fails, or never comes because the other process has died, the device may stand before the event
    /// for ever: then whoever waits for the stream hears of it from the poller.
    fn watch(&self, stream: &Arc<HeldStream<CudaStream>>, value: u64) {
        let watch = Watch { stream: Arc::clone(stream), value, point: self.point.clone() };
        let watch = Arc::new(watch);
        let waker = Waker::from(Arc::clone(&watch));
        if bridge::<HeldStream<CudaStream>>(&self.point, waker).is_none() {
            watch.wake();
        }
    }
}

/// A stream that waits on the device for a record whose end the page tells.
#[derive(Debug)]
pub(crate) struct Watch {
    stream: Arc<HeldStream<CudaStream>>,
    value: u64,
    point: Point,
}

impl Watch {
    /// Fails the stream where the record has failed, unless it is in another era by now. On the poller: whoever finds it
    /// out may hold locks.
    pub(crate) fn pass(&self) {
        if let State::Failed(error) = known(&self.point)
            && matches!(self.stream.timeline().state(self.value), State::Pending)
        {
            self.stream.fail(self.value, &error);
        }
    }
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        if matches!(known(&self.point), State::Failed(_)) {
            let stream = Arc::clone(&self.stream);
            stream.driver().context().poll(Poll::Failed(self));
        }
    }
}

impl Opened {
    fn new(context: &Arc<Context>, event: DriversEvent, import: Arc<Import>) -> Self {
        Self {
            event: Some(event),
            import,
            context: Arc::clone(context),
            waits: Mutex::default(),
            strays: Mutex::default(),
            process: Process::current(),
        }
    }

    fn event(&self) -> &DriversEvent {
        self.event.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    fn note(&self, wait: Point) {
        let mut waits = lock(&self.waits);
        let over: Vec<Point> = waits.extract_if(.., |wait| is_complete(wait)).collect();
        waits.push(wait);
        drop(waits);
        drop(over);
    }

    fn note_stray(&self, stream: &HeldStream<CudaStream>) -> Result<()> {
        let (id, driver) = (stream.timeline().id(), stream.driver());
        let of_stream = |known: &&(u64, Native)| known.0 == id;
        let known = lock(&self.strays).iter().find(of_stream).map(|(_, behind)| behind.clone());
        if let Some(behind) = known {
            return driver.act(&behind.recording());
        }
        let behind = Native::own(driver.context(), EventOptions::new())?;
        driver.act(&behind.recording())?;
        lock(&self.strays).push((id, behind));
        Ok(())
    }

    /// What the device has still to come past, for whoever closes the event.
    fn take_pending(&self) -> Vec<Point> {
        let mut pending = std::mem::take(&mut *lock(&self.waits));
        pending.retain(|wait| !is_complete(wait));
        let strays = std::mem::take(&mut *lock(&self.strays));
        // Of a process that has died nothing comes any more, and nothing is closed.
        let strays = strays.iter().filter(|_| self.import.is_alive());
        pending.extend(strays.map(|(_, behind)| behind.end(Place::caller())));
        pending
    }
}

pub(crate) fn is_complete(point: &Point) -> bool {
    matches!(known(point), State::Complete)
}

/// What is known of a point without a call.
pub(crate) fn known(point: &Point) -> State {
    point.timeline().state(point.value())
}

/// It is closed once the device is past every wait for it. On a broken device nothing waits, and nothing can be closed.
impl Drop for Opened {
    fn drop(&mut self) {
        // A child of a fork has a copy, and the page counts the parent.
        let Some(event) = self.event.take().filter(|_| self.process.is_current()) else { return };
        if self.context.check().is_err() {
            return leave(&self.import);
        }
        let waits = self.take_pending();
        let import = Arc::clone(&self.import);
        if waits.is_empty() {
            return self.context.reap(Remains::Imported(event, import));
        }
        let again = Self::new(&self.context, event, import);
        // Where nobody can be made to wait for that, it is left open: the exporter keeps its own.
        let _left_open = retire(again, waits).map_err(ManuallyDrop::new);
    }
}

/// Closes an event of another process, on the reaper. Of one that has died nothing is touched any more.
pub(crate) fn close(event: DriversEvent, import: &Import) -> Result<(), Refusal> {
    if !import.is_alive() {
        return Ok(());
    }
    let closed = event.destroy();
    import.leave();
    closed
}

/// What a process that has died counted is nobody's any more.
fn leave(import: &Import) {
    if import.is_alive() {
        import.leave();
    }
}

impl fmt::Debug for Imported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.import.fmt(formatter)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Opened({:?})", self.event)
    }
}
