//! Waiting: in which way a stream comes to wait for a point, and that no failure of the point is missed.
//!
//! Each wait is noted before the driver has it. The driver is told without the flight lock, and meanwhile the point may
//! fail: a failure looks for the waits that are passed (`failed_wait`), so a wait that is passed looks at its point again.

use std::sync::Arc;

use super::order::{Awaited, Entry, Step, Way};
use super::{Driver, HeldStream, Need, OwnWait};
use crate::contract::{Edge, Placed, Waited};
use crate::error::Result;
use crate::place::Place;
use crate::point::{Point, State};

impl<D: Driver> HeldStream<D> {
    /// Makes later work of the stream wait for a point for which the backend has a wait of its own. `None`: the stream
    /// waits for it already.
    ///
    /// # Errors
    /// As [`RawStream::wait`](crate::contract::RawStream::wait).
    pub fn wait_by(
        &self,
        point: &Point,
        own: Arc<dyn OwnWait<D>>,
        place: Place,
    ) -> Result<Option<Placed>> {
        self.wait_in_a_way(point, place, || Way::Own(own))
    }

    /// A wait for another stream than the last one, or one that is not quick.
    #[inline(never)]
    pub(super) fn wait_anew(&self, point: &Point, place: Place) -> Result<Waited> {
        let peer = self.peer(point);
        if let Some(stream) = peer.as_ref().filter(|stream| stream.has_signalled(point))
            && let Some(outcome) = self.wait_quickly(point, stream, place)
        {
            return outcome;
        }
        self.wait_further(point, peer, place).map(Waited::of)
    }

    /// A wait that is not quick.
    #[inline(never)]
    pub(super) fn wait_further(
        &self,
        point: &Point,
        peer: Option<Arc<Self>>,
        place: Place,
    ) -> Result<Option<Placed>> {
        self.wait_in_a_way(point, place, || match peer {
            Some(stream) => {
                stream.ask_for(point.value());
                Way::Peer(stream)
            }
            None => Way::Host,
        })
    }

    fn wait_in_a_way(
        &self,
        point: &Point,
        place: Place,
        way: impl FnOnce() -> Way<D>,
    ) -> Result<Option<Placed>> {
        // Before anything is asked of the driver: such a wait costs nothing. Without the order lock: an edge of a value
        // that is not enqueued is of a wait that may be refused still.
        let enqueued = self.timeline.enqueued();
        if !self.timeline.has_failed() && self.flight().waits.cover_by(point, enqueued) {
            return Ok(None);
        }
        self.refuse_capturing()?;
        let (this, way) = (self.this(), way());
        let mut order = self.order_in_room(Need::Item)?;
        order.forget_latest();
        let value = order.row.enqueued() + 1;
        if let Some(error) = self.refusal() {
            return Err(error);
        }
        let mut flight = self.flight();
        if flight.waits.cover(point) {
            return Ok(None);
        }
        // On the list before the driver can come to it.
        flight.waits.note(Edge::new(value, point.clone(), place));
        drop(flight);
        let mut entry = Entry { step: Step::Wait(Awaited { point: point.clone(), way }), place };
        this.admit(order, &mut entry).map(Some)
    }

    /// The wait of `value` is passed. Behind the flight lock under which it was: a failure of the point that has not found
    /// it took the lock before, and is seen here. Under no lock.
    #[inline]
    pub(super) fn look_again(&self, value: u64, point: &Point) {
        if !point.timeline().has_no_failure() {
            self.fail_with(value, point);
        }
    }

    #[cold]
    fn fail_with(&self, value: u64, point: &Point) {
        // A waker or an observer forked: the rest is the parent's.
        if self.timeline.is_inherited() {
            return;
        }
        if let State::Failed(error) = point.timeline().state(point.value()) {
            self.fail_pending(value, &error);
        }
    }

    /// Whether a native wait may name a point of this stream, or no wait is needed any more.
    #[inline]
    pub(super) fn has_signalled(&self, point: &Point) -> bool {
        self.signals.completed() >= point.value()
    }

    /// Whether the device may stand before a value of another stream that is signalled. On a stream that others launch on
    /// nobody knows what comes before it, and one that cannot be held on the host has no other way.
    #[inline]
    pub(super) fn may_stand_before(&self, stream: &Self, value: u64) -> bool {
        let comes_next = || stream.is_managed() && stream.driver.comes_next(value);
        !D::LIMITS_WAITS || !self.is_managed() || comes_next()
    }

    /// The stream of a point, where a native wait for it is possible.
    #[inline]
    pub(super) fn peer(&self, point: &Point) -> Option<Arc<Self>> {
        let stream = point.timeline().own_stream::<Self>()?;
        Arc::ptr_eq(&stream.domain, &self.domain).then_some(stream)
    }
}
