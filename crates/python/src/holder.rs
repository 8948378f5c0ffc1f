//! Whose an event is: its objects', or a pool's.

use std::ops::Deref;

use syncpoint::{Device, Event, Loan, Result};

use crate::late::Late;

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
