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
use syncpoint_core::hold::{HeldStream, OwnWait};
use syncpoint_core::{Device, EventState, Place, Point, Result, State, retire};

use crate::context::Context;
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
    process: Process,
}

/// An event that was just opened, counted among the page's users.
pub(crate) fn imported(
    context: &Arc<Context>,
    event: DriversEvent,
    import: Arc<Import>,
) -> Arc<dyn ForeignEvent> {
    let opened = Opened {
        event: Some(event),
        import: Arc::clone(&import),
        context: Arc::clone(context),
        waits: Mutex::default(),
        process: Process::current(),
    };
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
            return Ok(false);
        }
        self.watch(stream, value);
        Ok(true)
    }
}

impl Wait {
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
        let mut waits = std::mem::take(&mut *lock(&self.waits));
        waits.retain(|wait| !is_complete(wait));
        let import = Arc::clone(&self.import);
        if waits.is_empty() {
            return self.context.reap(Remains::Imported(event, import));
        }
        let context = Arc::clone(&self.context);
        let (waits_again, process) = (Mutex::default(), self.process);
        let again = Self { event: Some(event), import, context, waits: waits_again, process };
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
