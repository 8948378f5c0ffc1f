//! Waiting: in which way a stream comes to wait for a point, and that each wait is noted before the driver has it.

use std::sync::Arc;

use super::order::{Awaited, Entry, Step, Way};
use super::{Driver, HeldStream, OwnWait};
use crate::contract::{Edge, Placed};
use crate::error::Result;
use crate::place::Place;
use crate::point::Point;

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

    pub(super) fn wait_in_a_way(
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
        let order = self.order();
        let value = order.row.enqueued() + 1;
        if let Some(error) = self.refusal(&order) {
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

    /// Whether a native wait may name a point of this stream, or no wait is needed any more.
    #[inline]
    pub(super) fn has_signalled(&self, point: &Point) -> bool {
        self.signals.completed() >= point.value()
    }

    /// The stream of a point, where a native wait for it is possible.
    #[inline]
    pub(super) fn peer(&self, point: &Point) -> Option<Arc<Self>> {
        let stream = point.timeline().own_stream::<Self>()?;
        Arc::ptr_eq(&stream.domain, &self.domain).then_some(stream)
    }
}
