//! How a stream waits: it holds back its own later work, and not the caller.

use syncpoint_trace::Operation;

use super::Stream;
use crate::contract::{Placed, Waited};
use crate::error::{Error, Reason, Result};
use crate::event::Event;
use crate::observe;
use crate::place::Place;
use crate::point::{Point, State};
use crate::sync::process::Ordering;

/// What can be told of a point with a few loads.
enum Glance {
    /// It is one of the stream itself that is enqueued, or known complete.
    Passed,
    /// It is one of another stream, on which nothing has ever failed, and was not complete.
    Pending,
    /// A longer look is needed.
    Unknown,
}

impl Stream {
    /// Holds back later work of this stream until a point is complete. Never waits for the point; like any call that
    /// submits work it may block while the driver's queue is full ([`Stream`], *Blocking*).
    ///
    /// The wait is pinned to the point: later records neither delay nor satisfy it. A point known complete, of this
    /// stream, or waited for already, it or one beyond, costs nothing; of the waits that are still outstanding only the
    /// eight latest are looked at for that. Any stream may wait for a point of any device.
    ///
    /// # Errors
    /// The stream's failure; `Exhausted` when the queue of the stream is full: synchronize first. If the point fails,
    /// this stream fails with the same first cause when it comes to the wait. `Misuse(WouldDeadlock)`: the point names a
    /// value of this stream that is not enqueued yet.
    #[track_caller]
    #[inline]
    pub fn wait(&self, point: &Point) -> Result<()> {
        self.wait_for(point, None, Place::caller())
    }

    #[inline]
    pub(crate) fn wait_for(&self, point: &Point, event: Option<u64>, place: Place) -> Result<()> {
        match self.glance(point) {
            Glance::Passed => {
                self.count_elided();
                Ok(())
            }
            Glance::Pending => self.wait_on_pending(point, place),
            Glance::Unknown => self.wait_further(point, event, place),
        }
    }

    /// What a few loads tell of a point, where nobody observes.
    #[inline]
    fn glance(&self, point: &Point) -> Glance {
        let timeline = point.timeline();
        if !self.timeline.is_undisturbed() {
            return Glance::Unknown;
        }
        if timeline == &self.timeline {
            let is_enqueued = point.value() <= timeline.enqueued();
            return if is_enqueued { Glance::Passed } else { Glance::Unknown };
        }
        if !timeline.is_beside(&self.timeline) {
            return Glance::Unknown;
        }
        if timeline.has_come_to(point.value()) {
            return Glance::Passed;
        }
        if timeline.has_no_failure() { Glance::Pending } else { Glance::Unknown }
    }

    #[inline]
    fn wait_on_pending(&self, point: &Point, place: Place) -> Result<()> {
        if self.raw.wait_unobserved(point, place)? == Waited::Already {
            self.count_elided();
        }
        Ok(())
    }

    /// Whether a point is one of this stream that is enqueued, or known complete.
    #[inline]
    fn has_passed(&self, point: &Point) -> bool {
        let timeline = point.timeline();
        if timeline == &self.timeline {
            point.value() <= self.timeline.enqueued()
        } else {
            timeline.has_completed(point.value(), &self.timeline)
        }
    }

    #[cold]
    fn later(&self, point: &Point) -> Error {
        let message = format!(
            "{self} cannot wait for {point}, which comes after the wait; wait on another stream"
        );
        Error::misuse(Reason::WouldDeadlock, message)
    }

    /// Waits for a point that a few loads do not tell passed; one of before a failure may be complete all the same.
    #[inline(never)]
    fn wait_further(&self, point: &Point, event: Option<u64>, place: Place) -> Result<()> {
        self.timeline.check_process()?;
        point.timeline().check_process()?;
        if let Some(record) = point.timeline().captured() {
            return self.raw.wait_captured(record);
        }
        if self.has_passed(point) || matches!(point.known(), State::Complete) {
            self.elide(point, event);
            return Ok(());
        }
        if point.timeline() == &self.timeline {
            return Err(self.later(point));
        }
        match self.raw.wait(point, place)? {
            Some(placed) if observe::active() => self.tell_wait(placed, point, event, false),
            Some(_) => {}
            None => self.elide(point, event),
        }
        Ok(())
    }

    #[inline]
    fn count_elided(&self) {
        // Relaxed: a count, ordered with nothing.
        self.elided.fetch_add(1, Ordering::Relaxed);
    }

    fn elide(&self, point: &Point, event: Option<u64>) {
        self.count_elided();
        if observe::active() {
            self.tell_wait(Placed::new(self.timeline.enqueued()), point, event, true);
        }
    }

    /// Holds back later work of this stream until the latest point of an event is complete; an event never recorded
    /// has none, and nothing is held back, as in PyTorch and CUDA.
    ///
    /// # Errors
    /// As [`wait`](Self::wait), `Exhausted` included.
    #[track_caller]
    pub fn wait_event(&self, event: &Event) -> Result<()> {
        event.wait_on(self, Place::caller())
    }

    /// Holds back later work of this stream until everything enqueued so far on another is complete.
    ///
    /// # Errors
    /// As [`wait`](Self::wait), `Exhausted` included, and [`record`](Self::record).
    #[track_caller]
    pub fn wait_stream(&self, other: &Self) -> Result<()> {
        let place = Place::caller();
        let point = other.record_at(place)?;
        self.wait_for(&point, None, place)
    }

    /// Makes each of `others` wait for the work enqueued so far on this stream. (Nothing to do with a fork of the process.)
    ///
    /// # Errors
    /// As [`wait_stream`](Self::wait_stream); the streams before the one that refused wait already.
    #[track_caller]
    pub fn fork<'a, S>(&self, others: S) -> Result<()>
    where
        S: IntoIterator<Item = &'a Self>,
    {
        let place = Place::caller();
        let point = self.record_at(place)?;
        others.into_iter().try_for_each(|other| other.wait_for(&point, None, place))
    }

    /// Makes this stream wait for the work enqueued so far on each of `others`.
    ///
    /// # Errors
    /// As [`wait_stream`](Self::wait_stream); the waits before the one refused stand.
    ///
    /// # Examples
    /// One stream fans out to two, and goes on behind both:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let device = syncpoint::open("host:0")?;
    /// let (main, left, right) = (device.stream()?, device.stream()?, device.stream()?);
    /// main.enqueue(|| { /* prepare */ })?;
    /// main.fork([&left, &right])?;
    /// left.enqueue(|| { /* one half */ })?;
    /// right.enqueue(|| { /* the other */ })?;
    /// main.join([&left, &right])?;
    /// main.enqueue(|| { /* behind both */ })?;
    /// main.synchronize()
    /// # }
    /// ```
    #[track_caller]
    pub fn join<'a, S>(&self, others: S) -> Result<()>
    where
        S: IntoIterator<Item = &'a Self>,
    {
        let place = Place::caller();
        others.into_iter().try_for_each(|other| {
            let point = other.record_at(place)?;
            self.wait_for(&point, None, place)
        })
    }

    /// Tells of a wait for the driver's event that has no points: it stands for its own timeline.
    pub(crate) fn tell_native_wait(&self, placed: Placed, event: u64) {
        observe::tell_placed(placed.sequence, || Operation::Waited {
            stream: self.id(),
            value: placed.value,
            on: event,
            on_value: 0,
            event: Some(event),
            elided: false,
        });
    }

    #[cold]
    fn tell_wait(&self, placed: Placed, point: &Point, event: Option<u64>, elided: bool) {
        observe::tell_placed(placed.sequence, || Operation::Waited {
            stream: self.id(),
            value: placed.value,
            on: point.timeline().id(),
            on_value: point.value(),
            event,
            elided,
        });
    }
}
