//! Paged imports: events of other processes, for which streams wait on the device by words that the other device writes.
//!
//! Memory that both processes have mapped outlives either, so nothing here is undefined when the exporter dies: `open` is
//! safe. The device stands before a latch meanwhile, which is why the device has to be opened with gates.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use syncpoint_core::contract::{ForeignEvent, Import, Placed, bridge, contain};
use syncpoint_core::hold::{Driver, HeldStream, Operation, OwnWait};
use syncpoint_core::{Place, Point, Result, State};

use crate::context::Context;
use crate::elsewhere::{Elsewhere, OnDevice};
use crate::import::known;
use crate::lane::Lane;
use crate::latch::{Deadline, Latch};
use crate::poller::Poll;
use crate::stream::CudaStream;
use crate::sync::OnceLock;
use crate::sys::Meaning;

/// An event of another process whose device writes words.
pub(crate) struct Paged {
    import: Arc<Import>,
    context: Arc<Context>,
    /// Made at the first wait for which the driver does not refuse it; none where it said that it never will.
    lane: OnceLock<Option<Arc<Lane>>>,
}

/// The event as streams of a device wait for it: on the device, where the device was opened with gates.
pub(crate) fn paged(context: &Arc<Context>, import: Arc<Import>) -> Arc<dyn ForeignEvent> {
    if context.gates().is_none() || !import.has_words() {
        return import;
    }
    let paged = Paged { import, context: Arc::clone(context), lane: OnceLock::new() };
    Arc::new(Elsewhere(Arc::new(paged)))
}

impl Paged {
    /// Where there is none, streams wait through the host.
    fn lane(&self) -> Option<&Arc<Lane>> {
        if self.lane.get().is_none() {
            // Outside the cell: it may be refused now and not later.
            match Lane::new(&self.context, &self.import) {
                Ok(lane) => drop(self.lane.set(Some(lane))),
                Err(refusal) if refusal.meaning() == Meaning::Unsupported => {
                    drop(self.lane.set(None));
                }
                Err(refusal) => drop(self.context.refused(&refusal)),
            }
        }
        // Also behind a refusal: of two threads the driver registers the page for the first alone.
        self.made()
    }

    fn made(&self) -> Option<&Arc<Lane>> {
        self.lane.get().and_then(Option::as_ref)
    }
}

impl OnDevice for Paged {
    fn import(&self) -> &Arc<Import> {
        &self.import
    }

    fn wait_on_device(
        self: &Arc<Self>,
        stream: &Arc<HeldStream<CudaStream>>,
        (generation, point): (u64, Point),
        place: Place,
    ) -> Result<Option<Placed>> {
        if self.lane().is_none() {
            return Ok(None);
        }
        let wait = Wait { event: Arc::clone(self), generation, point: point.clone() };
        stream.wait_by(&point, Arc::new(wait), place)
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
        let import = &self.event.import;
        let word = import.word_of(self.generation).filter(|_| import.is_alive());
        let longest = stream.driver().context().gates();
        let (Some(lane), Some(word), Some(longest)) = (self.event.made(), word, longest) else {
            return Ok(false);
        };
        self.stand(stream, (value, longest), (lane, word)).or_else(|refused| {
            let contexts = [&self.event.context, stream.driver().context()];
            let is_broken = contexts.iter().any(|context| context.check().is_err());
            if is_broken { Err(refused) } else { Ok(false) }
        })
    }
}

impl Wait {
    /// Has the stream stand before a latch that the lane opens. False: the lane takes no more.
    fn stand(
        &self,
        stream: &Arc<HeldStream<CudaStream>>,
        (value, longest): (u64, Duration),
        (lane, word): (&Arc<Lane>, usize),
    ) -> Result<bool> {
        mark_before(stream, value)?;
        let (latch, word) = (Latch::close(&self.event.context)?, (word, self.generation));
        let stands = Arc::new(Stands {
            stream: Arc::clone(stream),
            value,
            point: self.point.clone(),
            latch: latch.clone(),
            import: Arc::clone(&self.event.import),
            word,
        });
        stands.guard(longest)?;
        match lane.open_at(word, &latch) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(refusal) => return Err(self.event.context.refused(&refusal)),
        }
        if let Err(refusal) = stream.driver().stand_before(&latch) {
            // It may stand there all the same, and nobody looks at it any more.
            latch.open();
            return Err(stream.driver().context().refused(&refusal));
        }
        stands.until_settled();
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
    /// Somebody looks at the deadline, for as long as this is there.
    fn guard(self: &Arc<Self>, longest: Duration) -> Result<()> {
        let awaiting: Arc<dyn Any + Send + Sync> = Arc::<Self>::clone(self);
        let deadline = Deadline::of(longest, (&self.stream, self.value), &self.latch, &awaiting);
        self.stream.driver().context().keep(deadline)
    }

    fn until_settled(self: Arc<Self>) {
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
        if matches!(self.stream.timeline().state(self.value), State::Failed(_)) {
            self.latch.open();
        }
    }

    /// The record has failed, or will never come: the stream fails, unless it is in another era by now, and is let go
    /// before anybody is told, and so is the lane, to which the other device may never write. On the poller: whoever finds
    /// it out may hold locks.
    pub(crate) fn fall(&self) {
        if let State::Failed(error) = known(&self.point) {
            // Whatever panics as it is told, the device goes on.
            let let_go = || self.latch.open();
            let _panicked = contain(|| self.stream.fail_pending_then(self.value, &error, let_go));
        }
        self.latch.open();
        // Where whom the failure was told to forked, the page is the parent's.
        if !self.stream.timeline().is_inherited() {
            let (word, generation) = self.word;
            self.import.let_go(word, generation);
        }
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
