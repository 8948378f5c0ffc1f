//! The anchor of absolute times: an event whose time on the host's clock is known, within a bound.

use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::errands::Errands;
use syncpoint_core::hold::Ground;
use syncpoint_core::{Error, Kind, Result};

use crate::context::Context;
use crate::poller::Poll;
use crate::reaper::{self, Remains};
use crate::sync::lock;
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
    ground: Arc<Ground>,
    reaper: Arc<Errands<Remains>>,
}

/// The anchors of a context.
#[derive(Debug, Default)]
pub(crate) struct Anchors {
    latest: Option<Arc<Anchor>>,
    /// When a new one was last asked for.
    asked: Option<Instant>,
}

impl Anchors {
    /// The latest, and whether the caller is to see to a new one.
    fn look(&mut self) -> (Option<Arc<Anchor>>, bool) {
        let is_asked = self.asked.is_some_and(|asked| asked.elapsed() < AGAIN);
        let is_due = !is_asked && self.latest.as_ref().is_none_or(|latest| latest.is_old());
        if is_due {
            self.asked = Some(Instant::now());
        }
        (self.latest.clone(), is_due)
    }
}

/// After so long a new one is made: the device's clock and the host's drift apart, and a difference of events is the
/// coarser the longer it is.
const OLD: Duration = Duration::from_secs(4);

/// So often one is asked for at most: a device that comes to nothing costs [`PATIENCE`] each time.
const AGAIN: Duration = Duration::from_millis(250);

/// How long one waits for the device who has others to serve, or was asked for no time yet. A device that has nothing else
/// to do comes to an event in some ten microseconds.
const PATIENCE: Duration = Duration::from_millis(1);

/// The same of who was asked for a time, and has nothing to say before.
const LONG_PATIENCE: Duration = Duration::from_secs(1);

impl Anchor {
    /// The latest of a context, which may be old: then the poller makes one for those to come. The first is made here.
    /// `None`: the device is busy.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn latest(context: &Arc<Context>) -> Result<Option<Arc<Self>>> {
        let (latest, is_due) = lock(context.anchors()).look();
        match latest {
            None if is_due => return Self::renew(context, PATIENCE),
            Some(_) if is_due => context.poll(Poll::Anchor(Arc::clone(context))),
            _ => {}
        }
        Ok(latest)
    }

    /// One for who was asked for a time. Waits on this thread for a device that is busy, and not for ever.
    ///
    /// # Errors
    /// `TimedOut`: the device did not come to an event; the driver's.
    pub(crate) fn awaited(context: &Arc<Context>) -> Result<Arc<Self>> {
        let latest = lock(context.anchors()).latest.clone();
        let anchor = latest.map_or_else(|| Self::renew(context, LONG_PATIENCE), |it| Ok(Some(it)));
        anchor?.ok_or_else(|| {
            let message = format!(
                "{} did not come to an event within {LONG_PATIENCE:?}, so that its clock cannot be told; ask again once \
                 it is less busy",
                context.name()
            );
            Error::new(Kind::TimedOut, message)
        })
    }

    /// Makes a new one for those to come, unless another is young.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn refresh(context: &Arc<Context>) -> Result<()> {
        let is_young = lock(context.anchors()).latest.as_ref().is_some_and(|it| !it.is_old());
        if is_young { Ok(()) } else { Self::renew(context, PATIENCE).map(drop) }
    }

    /// A new one, for everybody. `None`: the device did not come to it in time, and nothing has changed.
    fn renew(context: &Arc<Context>, patience: Duration) -> Result<Option<Arc<Self>>> {
        let anchor = Self::new(context, patience)?.map(Arc::new);
        if let Some(anchor) = &anchor {
            let before = lock(context.anchors()).latest.replace(Arc::clone(anchor));
            drop(before);
        }
        Ok(anchor)
    }

    fn is_old(&self) -> bool {
        self.made.elapsed() > OLD
    }

    fn new(context: &Arc<Context>, patience: Duration) -> Result<Option<Self>> {
        context.check()?;
        let event = Event::create(context.primary(), Timing::Timed);
        let event = event.map_err(|refusal| context.refused(&refusal))?;
        let (reaper, began) = (Arc::clone(context.reaper()), context.began());
        let before = Instant::now();
        let recorded = event.record(context.transfers());
        let seen = recorded.and_then(|()| event.settle_within(patience));
        let after = Instant::now();
        // The event came in between.
        let half = after.saturating_duration_since(before) / 2;
        let middle = before.saturating_duration_since(began) + half;
        let nanos = u64::try_from(middle.as_nanos()).unwrap_or(u64::MAX);
        let (event, ground) = (Some(event), Arc::clone(context.ground()));
        let anchor = Self { event, nanos, error: half, made: after, ground, reaper };
        let seen = seen.map_err(|refusal| context.refused(&refusal))?;
        Ok(seen.then_some(anchor))
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
        if !self.ground.is_usable() {
            return;
        }
        if let Some(event) = self.event.take() {
            self.reaper.give(Remains::Event(event), reaper::serve);
        }
    }
}
