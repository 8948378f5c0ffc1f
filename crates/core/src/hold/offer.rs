//! Offering one item to the driver: it takes it, refuses it, or the item has to be held.

use std::sync::Arc;

use super::flight::{Flight, News};
use super::order::{Entry, Step};
use super::{Driver, HeldStream, Operation};
use crate::contract::Task;
use crate::error::Error;
use crate::point::{Point, State};

/// What has become of an item.
#[derive(Debug)]
pub(super) enum Offer<D: Driver> {
    /// The driver has it, or it needed nothing of the driver. The news are to be told, and what is left of the item is
    /// to be dropped, outside the lock.
    Taken(News, Spent<D>),
    /// The driver refused it.
    Refused(Entry<D>, Error),
    /// It is a wait for a point that has failed.
    Failed(Error),
    /// It cannot go yet.
    Held(Entry<D>, Hold<D>),
}

/// What is left of an item that was taken.
#[derive(Debug)]
pub(super) struct Spent<D: Driver> {
    _done: Option<Task>,
    _entry: Option<Entry<D>>,
}

impl<D: Driver> Spent<D> {
    fn nothing() -> Self {
        Self { _done: None, _entry: None }
    }
}

/// Why an item cannot go yet.
#[derive(Debug)]
pub(super) enum Hold<D: Driver> {
    /// Its point has to be settled.
    Until(Point),
    /// Another stream has to signal a value first.
    Signal(Arc<HeldStream<D>>, u64),
    /// Everything before it has to be complete.
    Quiet,
    /// It is a function of the user's, to be called outside every lock.
    Call,
}

impl<D: Driver> HeldStream<D> {
    /// Offers an item as `value`, the one after everything passed. Called under the order lock.
    pub(super) fn offer(self: &Arc<Self>, value: u64, entry: Entry<D>) -> Offer<D> {
        match &entry.step {
            Step::Wait(_) => self.offer_wait(value, entry),
            Step::Stamp(timer) => match D::submit(self, value, Operation::Stamp(timer)) {
                Ok(()) => self.taken(value, true, entry),
                Err(error) => Offer::Refused(entry, error),
            },
            Step::Mark => match D::submit(self, value, Operation::Mark) {
                Ok(()) => self.taken(value, true, entry),
                Err(error) => Offer::Refused(entry, error),
            },
            Step::Open => self.offer_opening(value, entry),
            Step::Task(_) => self.offer_task(value, entry),
        }
    }

    fn offer_task(self: &Arc<Self>, value: u64, entry: Entry<D>) -> Offer<D> {
        let Step::Task(task) = &entry.step else { unreachable!("only tasks are offered here") };
        let operation = match task {
            Task::Fill(fill) => Operation::Fill(fill),
            Task::Copy(copy) => Operation::Copy(copy),
            Task::Delay(duration) => Operation::Delay(*duration),
            Task::Submit(_) if self.driver.native().is_some() => {
                return Offer::Held(entry, Hold::Call);
            }
            Task::Host(_) | Task::Submit(_) => return self.offer_work(value, entry),
            Task::Open(_) => return self.offer_opening(value, entry),
        };
        let signals = operation.signals();
        match D::submit(self, value, operation) {
            Ok(()) => self.taken(value, signals, entry),
            Err(error) => Offer::Refused(entry, error),
        }
    }

    /// Notes what the driver took; what it works on is kept until it is through.
    fn taken(self: &Arc<Self>, value: u64, signals: bool, entry: Entry<D>) -> Offer<D> {
        let mut flight = self.flight();
        flight.submit(value, signals);
        let (done, spent) = match entry {
            Entry { step: Step::Task(task @ (Task::Fill(_) | Task::Copy(_))), .. } => {
                (flight.keep(value, task), None)
            }
            other => (None, Some(other)),
        };
        let (news, untold) = (flight.news(), flight.is_long_untold());
        drop(flight);
        // Refused, it is asked for again with the next operation.
        let news = if untold { self.mark(value).unwrap_or(news) } else { news };
        Offer::Taken(news, Spent { _done: done, _entry: spent })
    }

    /// A wait goes natively where the other stream is of the domain and has signalled the value; a point known complete
    /// needs nothing. It is on the list of waits already: the driver may come to it at once.
    fn offer_wait(self: &Arc<Self>, value: u64, entry: Entry<D>) -> Offer<D> {
        let Step::Wait(awaited) = &entry.step else { unreachable!("only waits are offered here") };
        let point = &awaited.point;
        if let Some(settled) = self.offer_settled(value, point) {
            return settled;
        }
        let Some(stream) = &awaited.peer else {
            let point = point.clone();
            return Offer::Held(entry, Hold::Until(point));
        };
        if stream.signals.completed() < point.value() {
            let hold = Hold::Signal(Arc::clone(stream), point.value());
            return Offer::Held(entry, hold);
        }
        // A value that needs no signal is complete before it counts as signalled, so it is looked at again.
        if let Some(settled) = self.offer_settled(value, point) {
            return settled;
        }
        let operation = Operation::Wait { stream, value: point.value() };
        let signals = operation.signals();
        match D::submit(self, value, operation) {
            Ok(()) => self.taken(value, signals, entry),
            Err(error) => Offer::Refused(entry, error),
        }
    }

    fn offer_settled(&self, value: u64, point: &Point) -> Option<Offer<D>> {
        match point.timeline().state(point.value()) {
            State::Pending => None,
            State::Failed(error) => Some(Offer::Failed(error)),
            State::Complete => {
                let mut flight = self.flight();
                flight.pass(value);
                Some(Offer::Taken(flight.news(), Spent::nothing()))
            }
        }
    }

    /// The stream of a point, where a native wait for it is possible.
    pub(super) fn peer(&self, point: &Point) -> Option<Arc<Self>> {
        let stream = point.timeline().own_stream::<Self>()?;
        Arc::ptr_eq(&stream.domain, &self.domain).then_some(stream)
    }

    /// Host work begins when everything before it is complete.
    fn offer_work(&self, value: u64, entry: Entry<D>) -> Offer<D> {
        let quiet = self.timeline.completed() + 1 >= value;
        Offer::Held(entry, if quiet { Hold::Call } else { Hold::Quiet })
    }

    /// An opening holds nothing back: what is behind it goes on while the driver is still before it.
    fn offer_opening(self: &Arc<Self>, value: u64, entry: Entry<D>) -> Offer<D> {
        if let Err(error) = self.notice(value - 1) {
            return Offer::Refused(entry, error);
        }
        let mut flight = self.flight();
        if let Err(refused) = self.note(&mut flight, value, entry) {
            return Offer::Refused(refused.0, refused.1);
        }
        flight.pass_promise(value);
        Offer::Taken(flight.news(), Spent::nothing())
    }

    /// Moves a gate, which a failure must find at once, to what is on its way, as that of `value`. A failure looks there
    /// under the same lock: what is noted later would stay, so it is refused.
    pub(super) fn note(
        &self,
        flight: &mut Flight,
        value: u64,
        entry: Entry<D>,
    ) -> Result<Entry<D>, (Entry<D>, Error)> {
        if let Some(failure) = self.timeline.failure() {
            return Err((entry, failure));
        }
        let Entry { step, place } = entry;
        let step = match step {
            Step::Task(Task::Open(opening)) => {
                flight.promise(value, opening);
                Step::Open
            }
            step => step,
        };
        Ok(Entry { step, place })
    }
}
