//! The hold queue: gives the whole contract of a stream to a backend whose driver takes submissions.
//!
//! A driver runs what it is given in order, but it must not be given everything at once: host work needs a thread of
//! ours, a gate has no driver, and a device that waits for a signal which nobody has submitted yet hangs a GPU. So a
//! stream keeps in order what cannot go yet, and whatever is behind it. A backend says through [`Driver`] how one
//! operation is submitted and when a value is complete; everything else is here, once for all of them.
//!
//! ```text
//!   user threads            order lock                     driver               poller or engine of the driver
//!   put ---> take a value --+--> nothing before it: --------> submit ... runs ... --> complete(value) / fail(value)
//!                           |                                    ^                              |
//!                           +--> held behind something           | pump, on a crew              v
//!                                 a wait for a point nobody      |                    land: waits looked at, gates
//!                                 signals yet, host work,        |                    opened, values completed,
//!                                 what is behind them  ----------+ <--- wakers, rouse --- and whoever waits is woken
//! ```
//!
//! **Values.** *Submitted* is what the driver has been given, *passed* what was given to it or needed nothing of it,
//! *signalled* what it will tell of when it comes to it (every operation with a counter driver, but for waits that it
//! defers; marks with a native-event driver), *reached* the driver's word, *landed* what this room makes of it: reached, and every wait up
//! to there known to be complete. *Enqueued ≥ passed ≥ submitted ≥ signalled; passed ≥ landed.*
//!
//! **Waits.** A native wait names signalled values of streams of the same [`Domain`] only. A wait for a value not
//! signalled yet is held until it is signalled or settled; a wait for any other point is held until it is settled,
//! through the `bridge`. A value lands only once the points that its stream waited for are known complete: so a
//! failure that is noticed late still reaches everybody, and nobody sees *complete* taken back.
//!
//! **Streams of others.** What is launched past this room, on a stream whose handle was given out or that others made,
//! cannot be held. On such a stream every record is a mark, and what would be held the device itself holds, before a
//! latch, where the driver has one; otherwise it is refused. A function of a `submit` takes no turn there, and its value
//! when it has returned.
//!
//! **Locks.** The order lock guards the queue and the turn; under it one value is taken and its operation submitted,
//! and nothing else. The flight lock guards what is on its way and is never held across a call to the driver, a waker
//! or a gate. Order is taken before flight, flight before the leaf locks of timelines; nobody holds two of a kind.
//! Queries, host waits, wakers, drops and completions take no order lock. Nothing of the user's runs under any, but a lock
//! of theirs that a driver takes to submit: the function of a `submit` runs in the stream's submission turn (*away*), which
//! holds what others enqueue behind it.
//!
//! **Threads.** A waker runs nothing: it lists the stream with the [`Crew`], and whoever serves the crew pumps it, so
//! a chain of any length needs no stack.

mod again;
mod at_once;
mod capture;
mod crew;
mod delays;
mod domain;
mod driver;
mod failure;
mod flight;
mod ground;
mod handed;
mod land;
mod latch;
mod losing;
mod mark;
mod mode;
mod offer;
mod order;
mod park;
mod quick;
mod raw;
mod room;
mod row;
mod turn;
mod wait;

#[cfg(all(test, syncpoint_loom))]
mod model;
#[cfg(all(test, not(syncpoint_loom)))]
mod tests;

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

pub use crew::Crew;
pub use domain::Domain;
pub use driver::{Driver, Need, Operation, OwnWait};
pub use ground::Ground;

use crate::contract::RawStream;
use crate::error::{Error, Kind, Reason, Result};
use crate::gate::Gate;
use crate::place::Place;
use crate::point::Point;
use crate::running;
use crate::sync::{AtomicBool, Lock, Locked, Ordering};
use crate::timeline::{self, Timeline};
use flight::Flight;
use latch::Latches;
use mode::Origin;
use order::{Order, OrderLocked};

/// A stream that holds on the host what its driver cannot be given yet.
pub struct HeldStream<D: Driver> {
    timeline: Timeline,
    domain: Arc<Domain<D>>,
    driver: D,
    level: usize,
    /// The order lock. Under it a value is taken and its operation submitted, and nothing else.
    order: Lock<Order<D>>,
    /// What is on its way. Taken after the order lock where both are; never held across a call.
    flight: Lock<Flight>,
    /// What is signalled or settled, for the streams that wait for that: a value is complete here when a native wait
    /// may name it, or no wait is needed any more.
    signals: timeline::Core,
    /// Whether the crew has this stream on its list.
    roused: AtomicBool,
    origin: Origin,
    /// Whether the raw handle was given out. Set under the order lock, and never taken back.
    exposed: AtomicBool,
    /// What the device stands before on a stream that others launch on too. A leaf, taken after the order lock where
    /// both are.
    latches: Lock<Latches<D>>,
    this: Weak<Self>,
}

impl<D: Driver> HeldStream<D> {
    /// A stream on which `timeline` grows, made here. `level`: how urgent its host work is, the most urgent first, below
    /// [`LEVELS`](crate::work::LEVELS).
    pub fn new(timeline: Timeline, domain: &Arc<Domain<D>>, driver: D, level: usize) -> Arc<Self> {
        Self::of(Origin::Ours, timeline, domain, driver, level)
    }

    /// The same on a driver's stream that others made, and launch on too.
    pub fn borrowed(
        timeline: Timeline,
        domain: &Arc<Domain<D>>,
        driver: D,
        level: usize,
    ) -> Arc<Self> {
        Self::of(Origin::Others, timeline, domain, driver, level)
    }

    fn of(
        origin: Origin,
        timeline: Timeline,
        domain: &Arc<Domain<D>>,
        driver: D,
        level: usize,
    ) -> Arc<Self> {
        let order = Order::new(origin == Origin::Ours, driver.ordered());
        let stream = Arc::new_cyclic(|this| Self {
            timeline,
            domain: Arc::clone(domain),
            driver,
            level,
            order: Lock::new(order),
            flight: Lock::new(Flight::default()),
            signals: timeline::Core::new(0),
            roused: AtomicBool::new(false),
            origin,
            exposed: AtomicBool::new(false),
            latches: Lock::default(),
            this: Weak::clone(this),
        });
        domain.add(&stream);
        stream
    }

    /// The driver's side of the stream.
    pub fn driver(&self) -> &D {
        &self.driver
    }

    /// The streams that this one can wait for natively.
    pub fn domain(&self) -> &Arc<Domain<D>> {
        &self.domain
    }

    /// The timeline of the stream.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The end of what has begun and has not failed: what was given to the driver, what needed nothing of it, and a
    /// function that runs.
    #[track_caller]
    pub fn begun(&self) -> Point {
        let begun = self.flight().begun();
        self.timeline.point(begun)
    }

    /// The last value that the driver was given.
    pub fn submitted(&self) -> u64 {
        self.flight().submitted()
    }

    /// Whether a mark, or a question, was refused, and the driver has not said since that it has come to what was
    /// [submitted](Self::submitted) then.
    pub fn is_unnoticed(&self) -> bool {
        self.flight().was_refused()
    }

    /// Whether it was told that its device is lost: nothing of it is pending any more.
    pub fn is_told_lost(&self) -> bool {
        self.flight().lost.is_some()
    }

    /// Waits until the deadline for a function that runs although its value has failed, and for what was being given to the
    /// driver as its value failed.
    ///
    /// # Errors
    /// As [`Domain::wait_for_begun`].
    #[track_caller]
    fn wait_for_failed_work(&self, deadline: Instant) -> Result<()> {
        let place = Place::caller();
        let Some(running) = self.flight().failed_at_work() else { return Ok(()) };
        self.refuse_own_end()?;
        let gate = Gate::of_others("of work that has failed", place);
        let over = gate.point();
        self.keep(running, Arc::new(gate));
        until_let_go(&over, deadline)
    }

    /// Refuses a wait for the end of work from inside it.
    fn refuse_own_end(&self) -> Result<()> {
        if running::current().iter().any(|(timeline, _)| *timeline == self.timeline.id()) {
            let message = format!("work of {} cannot wait for its own end", self.timeline);
            return Err(Error::misuse(Reason::WouldDeadlock, message));
        }
        Ok(())
    }

    fn order(&self) -> OrderLocked<'_, D> {
        OrderLocked::new(self.order.lock(), &self.driver)
    }

    /// The order lock, unless somebody has it, who may stand inside the driver.
    fn order_if_free(&self) -> Option<OrderLocked<'_, D>> {
        Some(OrderLocked::new(self.order.try_lock()?, &self.driver))
    }

    /// The order lock, unless somebody has it for as long as this.
    fn order_within(&self, longest: Duration) -> Option<OrderLocked<'_, D>> {
        Some(OrderLocked::new(self.order.lock_within(longest)?, &self.driver))
    }

    /// Waits until the deadline, and for a moment at least, for who gives the stream something.
    ///
    /// # Errors
    /// `TimedOut`: they stand inside the driver.
    fn wait_for_calls(&self, deadline: Instant) -> Result<()> {
        let longest = deadline.saturating_duration_since(Instant::now()).max(A_MOMENT);
        self.order_within(longest).map(drop).ok_or_else(|| {
            let message = format!(
                "{} stands inside its driver, which takes nothing now; let go what it waits for",
                self.timeline
            );
            Error::new(Kind::TimedOut, message)
        })
    }

    fn flight(&self) -> Locked<'_, Flight> {
        self.flight.lock()
    }

    /// A strong name of this stream, for who keeps it. Called through one.
    #[inline]
    pub fn this(&self) -> Arc<Self> {
        self.this
            .upgrade()
            .unwrap_or_else(|| unreachable!("a method is called through a strong name"))
    }

    fn waker(&self) -> Waker {
        Waker::from(self.this())
    }

    /// Lists the stream with the crew, once until it is pumped.
    fn rouse(&self) {
        // Acquire and release: pair with the exchange in `pump`, so that whoever pumps sees what was changed before.
        if !self.roused.swap(true, Ordering::AcqRel) {
            self.domain.crew().rouse(self.this());
        }
    }
}

/// Who gives a stream something has its order lock for less, unless the driver takes nothing, or the machine is busy.
const A_MOMENT: Duration = Duration::from_millis(10);

/// Waits until the deadline for a gate that is let go of, and so fails, when something is over.
#[track_caller]
fn until_let_go(over: &Point, deadline: Instant) -> Result<()> {
    match over.synchronize_deadline(deadline) {
        Err(error) if error.kind() == Kind::TimedOut => Err(error),
        _ => Ok(()),
    }
}

/// What the device may use still, although nobody can find out until when, is left to it for ever.
impl<D: Driver> Drop for HeldStream<D> {
    fn drop(&mut self) {
        if self.timeline.is_inherited() {
            return;
        }
        let is_lost = self.driver.is_lost();
        let mut flight = self.flight();
        let (was_refused, left) = (flight.was_refused(), flight.take_unnoticed());
        drop(flight);
        match left.filter(|_left| !is_lost) {
            Some(left) => {
                let _the_devices = ManuallyDrop::new(left);
            }
            None if was_refused => self.timeline.hear(),
            None => {}
        }
    }
}

/// The waker of a held stream lists it and runs nothing.
impl<D: Driver> Wake for HeldStream<D> {
    fn wake(self: Arc<Self>) {
        self.rouse();
    }
}

impl<D: Driver> fmt::Debug for HeldStream<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HeldStream")
            .field("timeline", &self.timeline)
            .field("driver", &self.driver)
            .finish_non_exhaustive()
    }
}
