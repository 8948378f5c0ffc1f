//! Whose an event is: its objects', or a pool's; and which gate holds back its latest record.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use syncpoint::{Device, Event, Loan, Point, Result, Stream};

use crate::late::Late;
use crate::room::Room;

/// An event of whomever it is.
#[derive(Debug)]
pub(crate) enum Holder {
    /// Its objects'.
    Own(Event),
    /// A pool's, to which it goes back.
    Lent(Loan<Event>),
    /// Its objects', of the device of its first record or handle.
    Late(Box<Late>),
}

/// An event that objects of Python's share, and what a gate holds back of it.
pub(crate) struct Named {
    holder: Holder,
    /// A record that a gate holds back. Locked with the interpreter's lock alone, for a moment.
    record: Mutex<Option<Record>>,
}

impl Named {
    pub(crate) fn over(holder: Holder) -> Self {
        Self { holder, record: Mutex::new(None) }
    }

    /// It was recorded on a stream that was behind this before that. Another thread's record of the same stream, if that is
    /// the latest, came behind it too.
    pub(crate) fn note(&self, stream: &Stream, room: Weak<Room>) {
        if room.strong_count() == 0 {
            return;
        }
        if let Some(place) = self.place().filter(|place| place.0 == stream.id()) {
            *self.record() = Some(Record { place, room });
        }
    }

    /// The latest record, where it is known to be behind a gate.
    pub(crate) fn held_back(&self) -> Option<Record> {
        let record = self.record().clone()?;
        (self.place() == Some(record.place)).then_some(record)
    }

    /// The point of that record, if it still is the latest.
    pub(crate) fn point_of(&self, record: &Record) -> Option<Point> {
        self.point().ok().filter(|point| place_of(point) == record.place)
    }

    fn place(&self) -> Option<(u64, u64)> {
        self.point().ok().as_ref().map(place_of)
    }

    fn record(&self) -> MutexGuard<'_, Option<Record>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record of an event.
#[derive(Clone)]
pub(crate) struct Record {
    place: (u64, u64),
    /// A gate that it is behind.
    pub(crate) room: Weak<Room>,
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

/// The stream, and the value.
fn place_of(point: &Point) -> (u64, u64) {
    (point.timeline().id(), point.value())
}

impl Deref for Named {
    type Target = Holder;

    fn deref(&self) -> &Holder {
        &self.holder
    }
}

impl Holder {
    /// Is of this device from now on, where it needs one and has none.
    ///
    /// # Errors
    /// As `Late::bind`.
    pub(crate) fn bind(&self, device: &Device) -> Result<()> {
        if let Self::Late(late) = self { late.bind(device) } else { Ok(()) }
    }

    /// What it is until it has a device, where it needs one and has none.
    pub(crate) fn unbound(&self) -> Option<&Late> {
        match self {
            Self::Late(late) if !late.is_bound() => Some(late),
            _ => None,
        }
    }
}

impl Deref for Holder {
    type Target = Event;

    fn deref(&self) -> &Event {
        match self {
            Self::Own(event) => event,
            Self::Lent(event) => event,
            Self::Late(event) => event,
        }
    }
}
