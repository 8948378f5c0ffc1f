//! The anchor of absolute times: an event whose time on the host's clock is known, within a bound.

use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::Process;
use syncpoint_core::errands::Errands;
use syncpoint_core::{Error, Result};

use crate::context::Context;
use crate::poller::Poll;
use crate::reaper::{self, Remains};
use crate::sync::{OnceLock, lock};
use crate::sys::{Event, Timing};

/// An event of the device, and when the host saw it.
#[derive(Debug)]
pub(crate) struct Anchor {
    /// There until the drop.
    event: Option<Event>,
    /// When it came, in nanoseconds since the clock of its device began.
    nanos: u64,
    /// How far that may be off, either way.
    error: Duration,
    made: Instant,
    process: Process,
    /// The first cause, where the context is broken.
    lost: Arc<OnceLock<Error>>,
    reaper: Arc<Errands<Remains>>,
}

/// After so long a new one is made: the device's clock and the host's drift apart, and a difference of events is the
/// coarser the longer it is.
const OLD: Duration = Duration::from_secs(4);

impl Anchor {
    /// The latest of a context; the first is made here. An old one is renewed by the poller, for those to come.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn latest(context: &Arc<Context>) -> Result<Arc<Self>> {
        let latest = lock(context.anchor()).clone();
        let Some(anchor) = latest else { return Self::renew(context) };
        if anchor.made.elapsed() > OLD {
            context.poll(Poll::Anchor(Arc::clone(context)));
        }
        Ok(anchor)
    }

    /// Makes a new one, unless another is young. Waits some microseconds for the device.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn renew(context: &Arc<Context>) -> Result<Arc<Self>> {
        let young = lock(context.anchor()).clone().filter(|anchor| anchor.made.elapsed() <= OLD);
        if let Some(young) = young {
            return Ok(young);
        }
        let anchor = Arc::new(Self::new(context)?);
        *lock(context.anchor()) = Some(Arc::clone(&anchor));
        Ok(anchor)
    }

    fn new(context: &Arc<Context>) -> Result<Self> {
        context.check()?;
        let event = Event::create(context.primary(), Timing::Timed);
        let event = event.map_err(|refusal| context.refused(&refusal))?;
        let (reaper, began) = (Arc::clone(context.reaper()), context.began());
        let before = Instant::now();
        let seen = event.record(context.transfers()).and_then(|()| event.settle());
        let after = Instant::now();
        // The event came in between.
        let half = after.saturating_duration_since(before) / 2;
        let middle = before.saturating_duration_since(began) + half;
        let nanos = u64::try_from(middle.as_nanos()).unwrap_or(u64::MAX);
        let (event, process, lost) = (Some(event), Process::current(), Arc::clone(context.lost()));
        let anchor = Self { event, nanos, error: half, made: after, process, lost, reaper };
        seen.map_err(|refusal| context.refused(&refusal))?;
        Ok(anchor)
    }

    pub(crate) fn event(&self) -> &Event {
        self.event.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    /// When it came, and how far that may be off.
    pub(crate) fn seen(&self) -> (u64, Duration) {
        (self.nanos, self.error)
    }
}

impl Drop for Anchor {
    fn drop(&mut self) {
        // What a child inherited is the parent's, and of a broken context nothing can be ended.
        if !self.process.is_current() || self.lost.get().is_some() {
            return;
        }
        if let Some(event) = self.event.take() {
            self.reaper.give(Remains::Event(event), reaper::serve);
        }
    }
}
