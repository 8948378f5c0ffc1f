//! Paged imports: events of other processes, for which streams wait on the device by words that the other device writes.
//!
//! Memory that both processes have mapped outlives either, so nothing here is undefined when the exporter dies: `open` is
//! safe. The device stands before a latch meanwhile, which is why the device has to be opened with gates.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use syncpoint_core::contract::{ForeignEvent, Import, Placed, RawStream, bridge};
use syncpoint_core::hold::{Driver, HeldStream, Operation, OwnWait};
use syncpoint_core::{Device, Error, EventState, Place, Point, Result, State};

use crate::context::Context;
use crate::import::known;
use crate::lane::Lane;
use crate::latch::{Deadline, Latch};
use crate::poller::Poll;
use crate::share::held;
use crate::stream::CudaStream;
use crate::sync::OnceLock;
use crate::sys::Refusal;

/// An event of another process whose device writes words.
pub(crate) struct Paged {
    import: Arc<Import>,
    context: Arc<Context>,
    /// Made at the first wait; `None` where the driver refuses it.
    lane: OnceLock<Option<Lane>>,
}

/// The event as streams of a device wait for it: on the device, where the device was opened with gates.
pub(crate) fn paged(context: &Arc<Context>, import: Arc<Import>) -> Arc<dyn ForeignEvent> {
    if context.gates().is_none() || !import.has_words() {
        return import;
    }
    Arc::new(Paged { import, context: Arc::clone(context), lane: OnceLock::new() })
}

impl Paged {
    /// Where there is none, streams wait through the host.
    fn lane(&self) -> Option<&Lane> {
        let make = || {
            let made = Lane::new(&self.context, self.import.page());
            made.map_err(|refusal| self.context.refused(&refusal)).ok()
        };
        self.lane.get_or_init(make).as_ref()
    }
}

impl ForeignEvent for Paged {
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
        if self.lane().is_none() {
            return Ok(None);
        }
        let wait = Wait { event: Arc::clone(&self), generation, point: point.clone() };
        stream.wait_by(&point, Arc::new(wait), place)
    }

    fn whose(&self) -> &'static str {
        self.import.whose()
    }
}

/// A wait of one stream for one generation.
#[derive(Debug)]
struct Wait {
    event: Arc<Paged>,
    generation: u64,
    point: Point,
}

impl OwnWait<CudaStream> for Wait {
    /// Whatever the driver refuses, the stream waits on the host, unless its context is broken.
    fn wait(&self, stream: &Arc<HeldStream<CudaStream>>, value: u64) -> Result<bool> {
        let (import, driver) = (&self.event.import, stream.driver());
        let (Some(lane), Some(longest)) = (self.event.lane(), driver.context().gates()) else {
            return Ok(false);
        };
        let Some(index) = import.word_of(self.generation).filter(|_| import.is_alive()) else {
            return Ok(false);
        };
        mark_before(stream, value)?;
        let latch = Latch::close(&self.event.context)?;
        match lane.open_at((index, self.generation), &latch) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(refusal) => return held_instead(&self.event.context, &refusal),
        }
        if let Err(refusal) = driver.stand_before(&latch) {
            return held_instead(driver.context(), &refusal);
        }
        let stands = Arc::new(Stands {
            stream: Arc::clone(stream),
            value,
            point: self.point.clone(),
            latch,
            import: Arc::clone(import),
            word: (index, self.generation),
        });
        stands.until(longest);
        Ok(true)
    }
}

/// The deadline runs from when the device has come to what is before.
fn mark_before(stream: &Arc<HeldStream<CudaStream>>, value: u64) -> Result<()> {
    let before = value - 1;
    if stream.timeline().completed() >= before {
        return Ok(());
    }
    CudaStream::submit(stream, before, Operation::Mark)?;
    CudaStream::expect(stream, before);
    Ok(())
}

fn held_instead(context: &Arc<Context>, refusal: &Refusal) -> Result<bool> {
    let error: Error = context.refused(refusal);
    if context.check().is_err() { Err(error) } else { Ok(false) }
}

/// A stream that stands before a latch until a record of another process is settled.
#[derive(Debug)]
pub(crate) struct Stands {
    stream: Arc<HeldStream<CudaStream>>,
    value: u64,
    point: Point,
    latch: Latch,
    import: Arc<Import>,
    word: (usize, u64),
}

impl Stands {
    fn until(self: Arc<Self>, longest: Duration) {
        let awaiting: Arc<dyn Any + Send + Sync> = Arc::<Self>::clone(&self);
        let deadline = Deadline::of(longest, (&self.stream, self.value), &self.latch, &awaiting);
        self.stream.driver().context().poll(Poll::Guard(deadline));
        let waker = Waker::from(Arc::clone(&self));
        if bridge::<HeldStream<CudaStream>>(&self.point, waker).is_none() {
            Arc::clone(&self).wake();
        }
        let own = Waker::from(Arc::new(Own(Arc::downgrade(&self))));
        if self.stream.timeline().register(self.value, own).is_none() {
            self.open_if_failed();
        }
    }

    /// A stream that fails stands before nothing any more.
    fn open_if_failed(&self) {
        let timeline = self.stream.timeline();
        // A child of a fork does not have the word.
        if !timeline.is_inherited() && matches!(timeline.state(self.value), State::Failed(_)) {
            self.latch.open();
        }
    }

    /// The record has failed, or will never come: the stream is told first, unless it is in another era by now, and then
    /// let go. On the poller: whoever finds it out may hold locks.
    pub(crate) fn fall(&self) {
        if let State::Failed(error) = known(&self.point)
            && matches!(self.stream.timeline().state(self.value), State::Pending)
        {
            self.stream.fail(self.value, &error);
        }
        // The child of whom the failure was told to does not have the word.
        if self.stream.timeline().is_inherited() {
            return;
        }
        self.latch.open();
        let (word, generation) = self.word;
        self.import.let_go(word, generation);
    }
}

impl Wake for Stands {
    /// As a rule the device has opened the latch already.
    fn wake(self: Arc<Self>) {
        if matches!(known(&self.point), State::Failed(_)) {
            let stream = Arc::clone(&self.stream);
            stream.driver().context().poll(Poll::Fallen(self));
        } else {
            self.latch.open();
        }
    }
}

/// The same, woken as its own stream is past it, or fails for whatever reason. Whoever waits for the record keeps it.
struct Own(Weak<Stands>);

impl Wake for Own {
    fn wake(self: Arc<Self>) {
        if let Some(stands) = self.0.upgrade() {
            stands.open_if_failed();
        }
    }
}

impl fmt::Debug for Paged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.import.fmt(formatter)
    }
}
