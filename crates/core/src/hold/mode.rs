//! Streams that others launch on too: those whose raw handle was given out, and those that others made.
//!
//! What others launch has no value and is seen by nobody here, so a record of such a stream is always an operation of
//! its own, behind whatever was launched, and nothing of the stream is held on the host: what others launch would
//! overtake it. What it is given goes to the driver at once (`at_once`).

use std::any::Any;
use std::sync::Arc;

use super::order::Turn;
use super::{Driver, HeldStream};
use crate::contract::RawStream;
use crate::error::{Error, Reason, Result};
use crate::point::State;
use crate::stream::{Mode, Stream};
use crate::sync::Ordering;

/// Who made the driver's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Its backend.
    Ours,
    /// Others, who launch on it too.
    Others,
}

impl<D: Driver> HeldStream<D> {
    /// The stream of a backend, whose raw handle is about to be given out: from now on others may launch on it, for ever.
    /// `family`: what streams of that backend are called.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: it is another backend's. `Misuse(Held)`: something is held on the host, which what others
    /// launch would overtake. The driver's, where what was submitted has to be marked now.
    pub fn exposed(stream: &Stream, family: &str) -> Result<Arc<Self>> {
        let held = Self::of_stream(stream, family)?;
        held.expose()?;
        Ok(held)
    }

    /// The stream of a backend whose streams are called `family`.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: it is another backend's.
    pub fn of_stream(stream: &Stream, family: &str) -> Result<Arc<Self>> {
        stream.device().check_process()?;
        let held: Arc<dyn Any + Send + Sync> = Arc::<dyn RawStream>::clone(stream.raw());
        held.downcast::<Self>().map_err(|_| {
            let message = format!(
                "{stream} is no stream of {family}, and has no handle there; use one of {family}"
            );
            Error::misuse(Reason::WrongDevice, message)
        })
    }

    /// Says that the raw handle is about to be given out: from now on others may launch on the stream, for ever.
    ///
    /// # Errors
    /// `Misuse(Held)`: something is held on the host, which what others launch would overtake. The driver's, where what was
    /// submitted has to be marked now.
    pub fn expose(&self) -> Result<()> {
        let (this, mut order) = (self.this(), self.order());
        // Whoever has passed the last item may have its turn still.
        if order.turn == Turn::Away || !order.row.is_empty() {
            return Err(self.still_held());
        }
        if self.driver.marks_at_once() {
            this.notice(order.row.passed())?;
        }
        // Release: pairs with the load in `is_managed`. Under the order lock, under which everything is offered.
        self.exposed.store(true, Ordering::Release);
        order.is_plain = false;
        drop(order);
        this.tell_news();
        Ok(())
    }

    #[cold]
    fn still_held(&self) -> Error {
        let message = format!(
            "{} holds work on the host, so its handle cannot be given out; synchronize it first",
            self.timeline
        );
        Error::misuse(Reason::Held, message)
    }

    /// Whether all work of the stream comes through here.
    #[inline]
    pub(super) fn is_managed(&self) -> bool {
        // Acquire: pairs with the store in `expose`.
        self.origin == Origin::Ours && !self.exposed.load(Ordering::Acquire)
    }

    pub(super) fn mode_now(&self) -> Mode {
        match self.origin {
            Origin::Others => Mode::Borrowed,
            Origin::Ours if self.is_managed() => Mode::Managed,
            Origin::Ours => Mode::Exposed,
        }
    }

    /// Whether everything so far has ended, with what others launched, where the driver can tell. Takes no order lock.
    pub(super) fn is_idle_now(&self) -> Option<Result<bool>> {
        let end = self.timeline.enqueued();
        match (self.timeline.failure(), self.is_managed().then(|| self.timeline.state(end))) {
            (Some(error), _) | (None, Some(State::Failed(error))) => return Some(Err(error)),
            (None, Some(State::Complete)) => return Some(Ok(true)),
            (None, Some(State::Pending) | None) => {}
        }
        // A driver may end a capture for being asked.
        if let Err(error) = self.refuse_capturing() {
            return Some(Err(error));
        }
        let submitted = self.flight().submitted();
        let idle = self.driver.is_idle()?;
        Some(idle.and_then(|idle| if idle { self.is_landed(submitted, end) } else { Ok(false) }))
    }

    /// The driver is past `submitted`. So is the stream past `end`, unless something is held, or it waited for a point
    /// that nobody has seen complete yet.
    fn is_landed(&self, submitted: u64, end: u64) -> Result<bool> {
        self.complete(submitted);
        match self.timeline.state(end) {
            State::Complete => Ok(true),
            State::Pending => Ok(false),
            State::Failed(error) => Err(error),
        }
    }
}
