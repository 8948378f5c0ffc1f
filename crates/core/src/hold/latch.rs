//! Latches: how a stream that others launch on too is held, on the device, for what the host has still to do.
//!
//! The device stands before a latch until the host opens it: when the point that the stream waits for is settled, or
//! when a function of the user's, which runs once everything before it is complete, has returned. What others launch
//! meanwhile stands behind it as well. A failure is told before its latch is opened. Whoever pumps the stream opens
//! latches and runs functions; wakers only rouse it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::flight::News;
use super::order::{Entry, OrderLocked, Step};
use super::turn::Ran;
use super::{Driver, HeldStream, Operation};
use crate::bridge;
use crate::contract::{Placed, Task};
use crate::error::{Error, Result};
use crate::function::Called;
use crate::inherited::Own;
use crate::place::Place;
use crate::point::{Point, State};

/// What the device stands before, or will come to.
#[derive(Debug)]
pub(super) struct Latches<D: Driver> {
    waits: Vec<Wait<D>>,
    /// In the order of their values.
    works: VecDeque<Work<D>>,
    /// Whether a function is at work.
    at_work: bool,
    /// What the device stands before while a delay passes, where it has none of its own.
    paused: Option<D::Latch>,
}

/// A latch that opens when a point is settled.
#[derive(Debug)]
struct Wait<D: Driver> {
    value: u64,
    point: Point,
    latch: D::Latch,
}

/// A latch that opens when a function has returned.
#[derive(Debug)]
struct Work<D: Driver> {
    value: u64,
    task: Task,
    place: Place,
    latch: D::Latch,
}

impl<D: Driver> Default for Latches<D> {
    fn default() -> Self {
        Self { waits: Vec::new(), works: VecDeque::new(), at_work: false, paused: None }
    }
}

/// What is left to do for a latch once the order lock is released.
struct Set {
    news: News,
    /// The point that somebody is to notice the completion of.
    point: Option<Point>,
    /// Whether the latch can be served already.
    is_ready: bool,
}

/// Having the device hold the stream, under the order lock.
impl<D: Driver> HeldStream<D> {
    /// A wait that is noted as `value` stands before a latch. It has a mark before it, so that it is known when the device
    /// stands there: from then on its deadline runs.
    pub(super) fn latch_wait(
        self: &Arc<Self>,
        mut order: OrderLocked<'_, D>,
        value: u64,
        entry: &Entry<D>,
    ) -> Result<Placed> {
        let Step::Wait(awaited) = &entry.step else { unreachable!("only waits are held here") };
        let latch = match self.make_latch() {
            Ok(latch) => latch,
            Err(error) => return Err(self.refused(value, entry, error)),
        };
        // Before the mark: the value is no wait's any more once the driver has it.
        self.flight().waits.move_back(value);
        let value = value + 1;
        let marked = match self.mark_under(&mut order) {
            Ok(marked) => marked,
            Err(error) => return Err(self.refused(value, entry, error)),
        };
        if let Err(error) = D::submit(self, value, Operation::Latch(&latch)) {
            let error = self.refused(value, entry, error);
            drop(order);
            // The mark stays.
            self.tell(marked);
            return Err(error);
        }
        let set = self.set_wait(Wait { value, point: awaited.point.clone(), latch });
        Ok(self.stand(order, &set))
    }

    /// A function waits for everything before it, what others launched too, and behind its latch nothing comes: so what is
    /// before has a mark of its own.
    pub(super) fn latch_function(
        self: &Arc<Self>,
        mut order: OrderLocked<'_, D>,
        entry: &mut Entry<D>,
    ) -> Result<Placed> {
        let latch = self.make_latch()?;
        let marked = self.mark_under(&mut order)?;
        let value = order.row.enqueued() + 1;
        if let Err(error) = D::submit(self, value, Operation::Latch(&latch)) {
            entry.began(&error, &self.timeline);
            drop(order);
            // The mark stays.
            self.tell(marked);
            return Err(error);
        }
        let Entry { step: Step::Task(task), place } = entry.take() else {
            unreachable!("only tasks are functions")
        };
        let set = self.set_work(Work { value, task, place, latch });
        Ok(self.stand(order, &set))
    }

    fn make_latch(&self) -> Result<D::Latch> {
        self.domain.crew().ensure()?;
        self.driver.latch()
    }

    fn set_wait(self: &Arc<Self>, wait: Wait<D>) -> Set {
        let (value, point) = (wait.value, wait.point.clone());
        self.latches.lock().waits.push(wait);
        // Listed once the latch is: whoever settles the point finds it.
        let listed = point.timeline().register(point.value(), self.waker());
        let mut flight = self.flight();
        flight.await_signal(value - 1);
        flight.submit(value, D::SIGNALS_EACH);
        let (news, failed) = (flight.news(), self.timeline.has_failed());
        let is_ready = listed.is_none() || failed;
        Set { news, is_ready, point: listed.map(|_woken_once| point) }
    }

    fn set_work(self: &Arc<Self>, work: Work<D>) -> Set {
        let value = work.value;
        let mut latches = self.latches.lock();
        latches.works.push_back(work);
        let is_first = latches.works.len() == 1 && !latches.at_work;
        drop(latches);
        let mut flight = self.flight();
        let is_quiet = is_first && flight.want(value, self.timeline.completed());
        flight.submit(value, D::SIGNALS_EACH);
        // A failure before this found no latch, and roused nobody.
        let is_ready = is_quiet || self.timeline.has_failed();
        Set { news: flight.news(), point: None, is_ready }
    }

    /// The device stands before the latch of the next value, or will.
    fn stand(self: &Arc<Self>, mut order: OrderLocked<'_, D>, set: &Set) -> Placed {
        let placed = self.pass_at_once(&mut order);
        let marked = self.marks_at_once().then(|| self.answer(placed.value));
        drop(order);
        self.see_to_latch(set);
        if let Some(marked) = marked {
            self.tell_marked(marked, set.news);
        }
        placed
    }

    /// Does what is left. Under no lock.
    fn see_to_latch(self: &Arc<Self>, set: &Set) {
        self.tell(set.news);
        if let Some(point) = &set.point {
            bridge::expect(point);
        }
        if set.is_ready {
            self.rouse();
        }
    }
}

/// Opening latches, by whoever pumps. Under no lock.
impl<D: Driver> HeldStream<D> {
    /// How many functions the device is to come to.
    pub(super) fn latched_work(&self) -> u64 {
        if self.is_managed() { 0 } else { self.latches.lock().works.len() as u64 }
    }

    /// Whether the device stands before a latch, or will.
    pub(super) fn has_latches(&self) -> bool {
        if self.is_managed() {
            return false;
        }
        let latches = self.latches.lock();
        !latches.waits.is_empty() || !latches.works.is_empty()
    }

    /// The value of the first item that the device stands before, or will, and that has not failed.
    pub(super) fn first_latched(&self) -> Option<u64> {
        let latches = self.latches.lock();
        let waits = latches.waits.iter().map(|wait| wait.value);
        let values = waits.chain(latches.works.iter().map(|work| work.value));
        values.filter(|value| !self.has_failed_at(*value)).min()
    }

    /// Opens the latches whose point is settled, and runs the function that everything before is complete for. Takes no
    /// order lock: the driver may be full, and whoever has the lock waits for what stands behind a latch.
    pub(super) fn serve_latches(self: &Arc<Self>) {
        if self.is_managed() {
            return;
        }
        let mut settled = Own::new(self.take_settled());
        while let Some(wait) = settled.get().and_then(VecDeque::pop_front) {
            self.end_wait(wait);
        }
        // Where a waker, an observer or a drop of the user's forked, the rest is the parent's.
        while !self.timeline.is_inherited()
            && let Some((work, failure)) = self.next_work()
        {
            match failure {
                Some(failure) => self.end_work(work, &failure),
                // The next one's turn comes when the stream is pumped again.
                None => return self.run_latched(work),
            }
        }
    }

    /// A function that does not run.
    fn end_work(self: &Arc<Self>, work: Work<D>, failure: &Error) {
        let latch = Own::new(work.latch);
        work.task.discard(failure);
        self.release(latch);
    }

    /// Opens a latch, unless this is a child: the device stands before its parent's.
    fn release(self: &Arc<Self>, latch: Own<D::Latch>) {
        if let Some(latch) = latch.take() {
            D::release(self, latch);
        }
    }

    /// A stream that fails stands before nothing any more.
    fn take_settled(&self) -> VecDeque<Wait<D>> {
        let is_over = |wait: &mut Wait<D>| {
            let state = wait.point.timeline().state(wait.point.value());
            !matches!(state, State::Pending) || self.has_failed_at(wait.value)
        };
        self.latches.lock().waits.extract_if(.., is_over).collect()
    }

    fn has_failed_at(&self, value: u64) -> bool {
        matches!(self.timeline.state(value), State::Failed(_))
    }

    fn end_wait(self: &Arc<Self>, wait: Wait<D>) {
        let Wait { value, point, latch } = wait;
        let latch = Own::new(latch);
        // What failed in an era before fails no other.
        if let State::Failed(error) = point.timeline().state(point.value()) {
            self.fail_pending(value, &error);
        }
        self.release(latch);
    }

    /// The first function, if it is to begin, or, with the failure, to be dropped. One that begins is at work.
    fn next_work(&self) -> Option<(Work<D>, Option<Error>)> {
        // Both locks: nobody is to find it neither latched nor at work.
        let mut flight = self.flight();
        let mut latches = self.latches.lock();
        let value = latches.works.front().filter(|_| !latches.at_work)?.value;
        let failure = match self.timeline.state(value) {
            State::Failed(error) => Some(error),
            State::Pending if self.timeline.completed() + 1 >= value => None,
            State::Pending | State::Complete => return None,
        };
        if failure.is_none() {
            latches.at_work = true;
            flight.begin(value);
        }
        latches.works.pop_front().map(|work| (work, failure))
    }

    fn run_latched(self: &Arc<Self>, work: Work<D>) {
        let Work { value, task, place, latch } = work;
        // Somebody else is to mark what was asked for.
        if self.flight().has_due_ask() {
            self.rouse();
        }
        self.domain.crew().about_to_run();
        let called = Called { timeline: &self.timeline, value, name: task.name(), place };
        let latch = Own::new(latch);
        let outcome = self.run(called, task);
        // Where the function forked, or who is told of its failure, the rest is the parent's.
        if self.timeline.is_inherited() {
            return;
        }
        match outcome {
            Ok(Ran::Delay(duration)) => {
                self.latches.lock().paused = latch.take();
                return self.domain.delays().begin(self, value, duration);
            }
            Ok(_) => {}
            Err(error) => self.fail(value, &error),
        }
        if !self.timeline.is_inherited() {
            self.go_past(latch);
        }
    }

    /// A delay has passed before whose end the device stands. False: it stands before none.
    pub(super) fn end_pause(self: &Arc<Self>) -> bool {
        if self.is_managed() {
            return false;
        }
        let paused = self.latches.lock().paused.take();
        paused.map(|latch| self.go_past(Own::new(latch))).is_some()
    }

    /// The function at work is over.
    fn go_past(self: &Arc<Self>, latch: Own<D::Latch>) {
        self.flight().end();
        self.release(latch);
        self.end_latched_work();
    }

    fn end_latched_work(self: &Arc<Self>) {
        let mut latches = self.latches.lock();
        latches.at_work = false;
        let next = latches.works.front().map(|work| work.value);
        drop(latches);
        let mut flight = self.flight();
        let is_ready = next.is_some_and(|next| flight.want(next, self.timeline.completed()));
        let news = flight.news();
        drop(flight);
        self.tell(news);
        if is_ready || (next.is_some() && self.timeline.has_failed()) {
            self.rouse();
        }
    }
}
