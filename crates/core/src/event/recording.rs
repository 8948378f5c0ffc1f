//! Recording: an event takes the end of a stream's work so far as the point that it names, and observers hear of it.

use super::name::{Naming, Recorded};
use super::{Event, Holder};
use crate::contract::Placed;
use crate::error::Result;
use crate::place::Place;
use crate::stream::Stream;

/// A record as it was taken, and the id of the event where that names it.
type Taken = (Placed, Option<u64>);

impl Event {
    /// Names the end of the work enqueued on a stream so far. Allocates nothing on an idle stream.
    ///
    /// Of two threads that record at once one stays, whole; of two records on one stream it is the later.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: the event belongs to another device, and did not change; *waiting* elsewhere is legal.
    /// As [`Stream::record`] and [`Stream::record_timed`]. The driver's, of an event with a handle: then it names the new
    /// point all the same, and only the handle stays behind, which the next record sees to.
    #[track_caller]
    pub fn record(&self, stream: &Stream) -> Result<()> {
        self.record_at(stream, Place::caller())
    }

    /// Records if the event was never recorded; of any number of callers the record of one is the event's. Once it returns
    /// without an error, the event has a point.
    ///
    /// Where the event gets a point while this records, by [`record`](Self::record) or by a waker of the user's that
    /// comes back to it, that one stays.
    ///
    /// # Errors
    /// As [`record`](Self::record). A handle that stayed behind is seen to by no later `record_once`, for which the event has
    /// its point: record it anew.
    #[track_caller]
    pub fn record_once(&self, stream: &Stream) -> Result<()> {
        let place = Place::caller();
        let name = self.name()?;
        let once = name.hold_once();
        let missing = name.latest().is_none();
        let taken = missing.then(|| self.take_record(stream, place, Naming::First)).transpose();
        drop(once);
        // Told once the lock is released: an observer may come back here.
        if let Some(taken) = taken?.flatten() {
            self.tell_record(stream, taken);
        }
        Ok(())
    }

    fn record_at(&self, stream: &Stream, place: Place) -> Result<()> {
        if let Some(taken) = self.take_record(stream, place, Naming::Latest)? {
            self.tell_record(stream, taken);
        }
        Ok(())
    }

    fn tell_record(&self, stream: &Stream, (placed, event): Taken) {
        stream.tell_record(placed, self.options.timing(), event);
    }

    /// Records and names the point; no observer has been told of it yet. `None`: a record in a capture, which is told to
    /// none.
    fn take_record(&self, stream: &Stream, place: Place, naming: Naming) -> Result<Option<Taken>> {
        if let (Holder::Foreign(event), true) = (&self.holder, self.process.is_current()) {
            let placed = self.record_foreign(event.as_ref(), stream, place)?;
            return Ok(Some((placed, Some(self.id))));
        }
        let name = self.name()?;
        let _one_at_a_time = self.options.native_handle().then(|| name.hold_native());
        name.check_device(self, stream)?;
        let (placed, recorded) = self.take_recorded(stream, place)?;
        let is_ours = name.take(self, (recorded, naming), (stream, place))?;
        if is_ours {
            self.record_natively(stream, place)?;
        }
        Ok(placed.map(|placed| (placed, is_ours.then_some(self.id))))
    }

    fn take_recorded(&self, stream: &Stream, place: Place) -> Result<(Option<Placed>, Recorded)> {
        if self.options.timing() {
            let (placed, point) = stream.take_timed_point(place)?;
            return Ok((Some(placed), Recorded::Timed(point)));
        }
        loop {
            match stream.take_point(place) {
                Ok((placed, point)) => return Ok((Some(placed), Recorded::Plain(point))),
                // Other processes would wait for a node of a graph, which never settles.
                Err(error) if self.is_exported() => return Err(error),
                Err(error) => {
                    if let Some(captured) = stream.captured_point(error, place)? {
                        return Ok((None, Recorded::Plain(captured)));
                    }
                }
            }
        }
    }
}
