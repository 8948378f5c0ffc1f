//! Imports: events of other processes' drivers, opened here, for which streams wait on the device.
//!
//! A stream of the driver waits for the driver's event where the page says that it is recorded as what is wanted
//! (`core/ipc/native`), and otherwise on the host. In both ways its value lands only once the page says what became of the
//! record: so a failure there, or the other process's death, is a failure here.

use std::fmt;
use std::sync::Arc;
use std::task::{Wake, Waker};

use syncpoint_core::contract::{ForeignEvent, Import, Placed, bridge, retire_in_drop};
use syncpoint_core::hold::{HeldStream, OwnWait};
use syncpoint_core::{Place, Point, Result, State};

use crate::context::Context;
use crate::elsewhere::{Elsewhere, OnDevice};
use crate::latest::Latest;
use crate::poller::Poll;
use crate::reaper::Remains;
use crate::stream::CudaStream;
use crate::sys::{Event as DriversEvent, Refusal};

/// The driver's event, opened here.
pub(crate) struct Opened {
    /// There until the drop.
    event: Option<DriversEvent>,
    import: Arc<Import>,
    context: Arc<Context>,
    /// The waits for it that the device may not have come past.
    waits: Latest,
}

/// An event that was just opened, counted among the page's users.
pub(crate) fn imported(
    context: &Arc<Context>,
    event: DriversEvent,
    import: Arc<Import>,
) -> Arc<dyn ForeignEvent> {
    Arc::new(Elsewhere(Arc::new(Opened::new(context, event, import))))
}

impl OnDevice for Opened {
    fn import(&self) -> &Arc<Import> {
        &self.import
    }

    fn wait_on_device(
        self: &Arc<Self>,
        stream: &Arc<HeldStream<CudaStream>>,
        (generation, point): (u64, Point),
        place: Place,
    ) -> Result<Option<Placed>> {
        let wait = Wait { opened: Arc::clone(self), generation, point: point.clone() };
        let placed = stream.wait_by(&point, Arc::new(wait), place)?;
        if let Some(placed) = placed {
            self.waits.note(stream.timeline().point(placed.value));
        }
        Ok(placed)
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
        if !import.is_alive() {
            return Ok(false);
        }
        let give = || driver.give_wait(self.opened.event());
        let Some(given) = import.while_recorded(self.generation, give) else { return Ok(false) };
        if let Err(refusal) = given {
            return held_instead(driver.context(), &refusal);
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
        if let State::Failed(error) = known(&self.point) {
            self.stream.fail_pending(self.value, &error);
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
        Self { event: Some(event), import, context: Arc::clone(context), waits: Latest::default() }
    }

    fn event(&self) -> &DriversEvent {
        self.event.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }
}

/// What was refused is waited for on the host, unless the context is broken.
pub(crate) fn held_instead(context: &Arc<Context>, refusal: &Refusal) -> Result<bool> {
    let error = context.refused(refusal);
    if context.check().is_err() { Err(error) } else { Ok(false) }
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
        let Some(event) = self.event.take().filter(|_| !self.context.is_inherited()) else {
            return;
        };
        if self.context.check().is_err() {
            return leave(&self.import);
        }
        let waits = self.waits.take_pending();
        let import = Arc::clone(&self.import);
        if waits.is_empty() {
            return self.context.reap(Remains::Imported(event, import));
        }
        // Where nobody can be made to wait for that, it is left open: the exporter keeps its own.
        retire_in_drop(Self::new(&self.context, event, import), waits);
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

impl fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Opened({:?})", self.event)
    }
}
