//! Offering one item to the driver: it takes it, refuses it, or the item has to be held.

use std::sync::Arc;

use super::flight::{Flight, News};
use super::order::{Awaited, Entry, Step, Way};
use super::{Driver, HeldStream, Operation};
use crate::contract::Task;
use crate::error::Error;
use crate::point::{Point, State};

/// What has become of an item.
#[derive(Debug)]
pub(super) enum Offer<D: Driver> {
    /// The driver has it, or it needed nothing of the driver. The news are to be told, and what is left of the item is
    /// to be dropped, outside the lock.
    Taken(News),
    /// The driver refused it.
    Refused(Error),
    /// It is a wait for a point that has failed.
    Failed(Error),
    /// It cannot go yet.
    Held(Hold<D>),
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
    /// The driver has to have room.
    Room,
}

impl<D: Driver> HeldStream<D> {
    /// Offers an item as `value`, the one after everything passed. Called under the order lock. By reference: an item is
    /// 64 bytes, and most go to the driver at once.
    pub(super) fn offer(self: &Arc<Self>, value: u64, entry: &mut Entry<D>) -> Offer<D> {
        match &entry.step {
            Step::Wait(_) => self.offer_wait(value, entry),
            Step::Stamp(timer) => match self.give_driver(value, Operation::Stamp(timer)) {
                None => self.taken(value, true, entry),
                Some(left) => left,
            },
            Step::Mark => match self.give_driver(value, Operation::Mark) {
                None => self.taken(value, true, entry),
                Some(left) => left,
            },
            Step::Open => self.offer_opening(value, entry),
            Step::Task(_) => self.offer_task(value, entry),
            Step::Moved => unreachable!("what lies elsewhere is not offered"),
        }
    }

    /// An item is passed, and whoever has to be told of it is: if it is a wait, its point may have failed while the driver
    /// was given it.
    #[inline]
    pub(super) fn look_at_wait(&self, value: u64, entry: &Entry<D>) {
        if let Step::Wait(awaited) = &entry.step {
            self.look_again(value, &awaited.point);
        }
    }

    fn offer_task(self: &Arc<Self>, value: u64, entry: &mut Entry<D>) -> Offer<D> {
        let Step::Task(task) = &entry.step else { unreachable!("only tasks are offered here") };
        let operation = match task {
            Task::Fill(fill) => Operation::Fill(fill),
            Task::Copy(copy) => Operation::Copy(copy),
            Task::Delay(duration) if D::DELAYS => Operation::Delay(*duration),
            Task::Submit(_) if self.driver.native().is_some() => {
                return Offer::Held(if self.may_go() { Hold::Call } else { Hold::Room });
            }
            Task::Host(_) | Task::Submit(_) | Task::Delay(_) => return self.offer_work(value),
            Task::Open(_) => return self.offer_opening(value, entry),
            Task::Native(_) if !self.may_go() => return Offer::Held(Hold::Room),
            Task::Native(act) => {
                return match D::act(self, value, act.as_ref()) {
                    Ok(()) => self.taken(value, D::SIGNALS_EACH, entry),
                    Err(error) => Offer::Refused(error),
                };
            }
        };
        let signals = operation.signals();
        match self.give_driver(value, operation) {
            None => self.taken(value, signals, entry),
            Some(left) => left,
        }
    }

    /// Gives the driver an operation. Says what has become of it, unless the driver took it.
    #[inline]
    fn give_driver(self: &Arc<Self>, value: u64, operation: Operation<'_, D>) -> Option<Offer<D>> {
        if !self.may_go() {
            return Some(Offer::Held(Hold::Room));
        }
        D::submit(self, value, operation).err().map(Offer::Refused)
    }

    /// Notes what the driver took; what it works on is kept until it is through.
    fn taken(self: &Arc<Self>, value: u64, signals: bool, entry: &mut Entry<D>) -> Offer<D> {
        let mut flight = self.flight();
        flight.submit(value, signals);
        // Where the driver has come to it already, or is lost, it is dropped with what is left of the item.
        if !flight.has_reached(value)
            && flight.lost.is_none()
            && let Some(task) = entry.take_resources()
        {
            flight.keep(value, task);
        }
        let (news, untold) = (flight.news(), flight.is_long_untold());
        drop(flight);
        // Refused, it is asked for again with the next operation.
        Offer::Taken(if untold { self.mark(value).unwrap_or(news) } else { news })
    }

    /// A wait goes natively where the other stream is of the domain and has signalled the value, and the device may stand
    /// there for as long as it takes; a point known complete
    /// needs nothing. It is on the list of waits already: the driver may come to it at once.
    fn offer_wait(self: &Arc<Self>, value: u64, entry: &mut Entry<D>) -> Offer<D> {
        let Step::Wait(awaited) = &entry.step else { unreachable!("only waits are offered here") };
        let point = &awaited.point;
        let is_signalled = awaited.is_signalled();
        // Behind the look at the signal: a value that needs none is complete before it counts as signalled.
        if let Some(settled) = self.offer_settled(value, point) {
            return settled;
        }
        let stream = match &awaited.way {
            Way::Peer(stream) => stream,
            Way::Host => return Offer::Held(Hold::Until(point.clone())),
            Way::Own(_) => return self.offer_own_wait(value, entry),
        };
        if !is_signalled {
            return Offer::Held(Hold::Signal(Arc::clone(stream), point.value()));
        }
        if !self.may_stand_before(stream, point.value()) {
            return Offer::Held(Hold::Until(point.clone()));
        }
        let operation = Operation::Wait { stream, value: point.value() };
        let signals = operation.signals();
        match self.give_driver(value, operation) {
            None => self.taken(value, signals, entry),
            Some(left) => left,
        }
    }

    /// A wait that the backend sees to by itself, unless it cannot now.
    fn offer_own_wait(self: &Arc<Self>, value: u64, entry: &mut Entry<D>) -> Offer<D> {
        let Step::Wait(Awaited { point, way: Way::Own(own) }) = &entry.step else {
            unreachable!("only these waits are offered here")
        };
        let mut waits = false;
        let mut call = || {
            waits = own.wait(self, value)?;
            Ok(())
        };
        match self.give_driver(value, Operation::Call(&mut call)) {
            None if waits => self.taken(value, D::SIGNALS_EACH, entry),
            None => Offer::Held(Hold::Until(point.clone())),
            Some(left) => left,
        }
    }

    fn offer_settled(&self, value: u64, point: &Point) -> Option<Offer<D>> {
        match point.timeline().state(point.value()) {
            State::Pending => None,
            State::Failed(error) => Some(Offer::Failed(error)),
            // Somebody may ask for the value later, and it has room for its mark then.
            State::Complete if !self.may_go() => Some(Offer::Held(Hold::Room)),
            State::Complete => {
                let mut flight = self.flight();
                flight.pass(value);
                Some(Offer::Taken(flight.news()))
            }
        }
    }

    /// Host work begins when everything before it is complete.
    fn offer_work(&self, value: u64) -> Offer<D> {
        let quiet = self.timeline.completed() + 1 >= value;
        Offer::Held(if quiet { Hold::Call } else { Hold::Quiet })
    }

    /// An opening holds nothing back: what is behind it goes on while the driver is still before it.
    fn offer_opening(self: &Arc<Self>, value: u64, entry: &mut Entry<D>) -> Offer<D> {
        if !self.may_go() {
            return Offer::Held(Hold::Room);
        }
        if let Err(error) = self.notice(value - 1) {
            return Offer::Refused(error);
        }
        let mut flight = self.flight();
        if let Err(error) = self.note(&mut flight, value, entry) {
            return Offer::Refused(error);
        }
        flight.pass_promise(value);
        Offer::Taken(flight.news())
    }

    /// Moves a gate, which a failure must find at once, to what is on its way, as that of `value`. A failure looks there
    /// under the same lock: what is noted later would stay, so it is refused.
    #[inline]
    pub(super) fn note(
        &self,
        flight: &mut Flight,
        value: u64,
        entry: &mut Entry<D>,
    ) -> Result<(), Error> {
        if let Some(failure) = self.timeline.failure() {
            return Err(failure);
        }
        if let Some(opening) = entry.take_opening() {
            flight.promise(value, opening);
        }
        Ok(())
    }
}
