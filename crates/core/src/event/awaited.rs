//! What a wait for an event waits for: one point, however often the event is recorded meanwhile.

use std::sync::Arc;

use super::{Event, Holder};
use crate::error::Result;
use crate::inherited;
use crate::place::Place;
use crate::point::Point;

impl Event {
    /// What a wait for the event that begins now waits for: the latest point, or, of an event whose records are not ours (one
    /// of another process, say), a point that settles with its latest record. `None` where there is nothing to wait for,
    /// as of an event never recorded. For waits of several events at once, and for those that are made of many short ones.
    ///
    /// # Errors
    /// `Unavailable`: it was made before this process was forked. `Exhausted` where no thread can be made that notices the
    /// end of what others record.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let stream = syncpoint::open("host:0")?.stream()?;
    /// let event = stream.device().event();
    /// assert!(event.awaited()?.is_none());
    /// event.record(&stream)?;
    /// let point = event.awaited()?;
    /// event.record(&stream)?;
    /// syncpoint::wait_all(point.as_slice())
    /// # }
    /// ```
    #[track_caller]
    pub fn awaited(&self) -> Result<Option<Point>> {
        self.awaited_at(Place::caller())
    }

    /// The same, asked for somewhere else.
    pub(crate) fn awaited_at(&self, place: Place) -> Result<Option<Point>> {
        match &self.holder {
            Holder::Foreign(event) => {
                inherited::check(self.process, self)?;
                Arc::clone(event).awaited(place)
            }
            Holder::Own(_) | Holder::Shared(_) => self.latest_point(),
        }
    }
}
