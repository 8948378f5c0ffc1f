//! A domain: the streams that can wait for one another natively.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::delays::Delays;
use super::losing::Losing;
use super::{Crew, Driver, HeldStream};
use crate::contract::contain;
use crate::error::{Error, Kind, Reason, Result};
use crate::sync::{Mutex, lock};

/// The streams of one driver that can wait for one another natively, across its devices where it can; and what they
/// share.
pub struct Domain<D: Driver> {
    crew: Arc<dyn Crew>,
    bound: usize,
    delays: Delays<D>,
    /// Guards the list alone.
    streams: Mutex<List<D>>,
}

struct List<D: Driver> {
    streams: Vec<Weak<HeldStream<D>>>,
    /// Dead entries are swept when the list has doubled since the last sweep, so that adding stays cheap.
    sweep_at: usize,
}

/// A list this short is never swept.
const SHORT: usize = 64;

/// How many items a stream holds at most: beyond it an enqueue is refused, and never blocks.
const BOUND: usize = 1 << 20;

impl<D: Driver> Domain<D> {
    /// A domain without streams.
    pub fn new(crew: Arc<dyn Crew>) -> Arc<Self> {
        Self::bounded(crew, BOUND)
    }

    /// The same with another bound for the items that a stream holds.
    pub fn bounded(crew: Arc<dyn Crew>, bound: usize) -> Arc<Self> {
        let list = List { streams: Vec::new(), sweep_at: SHORT };
        Arc::new(Self { crew, bound, delays: Delays::new(), streams: Mutex::new(list) })
    }

    /// The streams that live, in the order in which they were made.
    pub fn streams(&self) -> Vec<Arc<HeldStream<D>>> {
        lock(&self.streams).streams.iter().filter_map(Weak::upgrade).collect()
    }

    /// The device of the streams whose driver `is_its` is lost: everything of theirs that is not known complete has
    /// failed, and so has what waits for it.
    pub fn lose(&self, is_its: impl Fn(&D) -> bool, error: &Error) {
        self.lose_then(is_its, error, || {});
    }

    /// The same, with `let_go` between the failures and the telling: nobody finds a value complete any more, and no waker has
    /// run yet. There a driver lets go whoever stands before the streams on a device, so that none does for as long as
    /// wakers take. Where it panics, whoever waits is told all the same.
    pub fn lose_then(&self, is_its: impl Fn(&D) -> bool, error: &Error, let_go: impl FnOnce()) {
        let losing = self.fail_all(is_its, |losing, stream| losing.lose(stream, error));
        let _panicked = contain(let_go);
        losing.tell();
    }

    /// The same of a device of which nobody knows whether it is at work still: what was submitted is left to it.
    pub fn give_up(&self, is_its: impl Fn(&D) -> bool, error: &Error) {
        self.fail_all(is_its, |losing, stream| losing.give_up(stream, error)).tell();
    }

    fn fail_all(
        &self,
        is_its: impl Fn(&D) -> bool,
        fail: impl Fn(&mut Losing<D>, Arc<HeldStream<D>>),
    ) -> Losing<D> {
        let mut losing = Losing::new();
        for stream in self.streams().into_iter().filter(|stream| is_its(stream.driver())) {
            fail(&mut losing, stream);
        }
        losing.spread(|| self.streams());
        losing
    }

    /// Waits until the deadline for what has begun on the streams whose driver `is_its`, as a device that shuts down
    /// does, after every stream was cancelled.
    ///
    /// # Errors
    /// `TimedOut` when something still ran at the deadline; `Misuse(WouldDeadlock)` from inside what would be waited for.
    #[track_caller]
    fn wait_for_begun(&self, is_its: impl Fn(&D) -> bool, deadline: Instant) -> Result<()> {
        let mut its = self.streams();
        its.retain(|stream| is_its(stream.driver()));
        // First: what they give has begun, and a function is at work behind that.
        its.iter().try_for_each(|stream| stream.wait_for_calls(deadline))?;
        // Then: as they return they take values, behind which more may be at work.
        its.iter().try_for_each(|stream| stream.wait_for_functions(deadline))?;
        let begun: Vec<_> = its.iter().map(|stream| stream.begun()).collect();
        // That the work failed is no concern of its end.
        let is_left = |error: &Error| {
            matches!(error.kind(), Kind::TimedOut | Kind::Misuse(Reason::WouldDeadlock))
        };
        let left = begun
            .iter()
            .find_map(|point| point.synchronize_deadline(deadline).err().filter(is_left));
        left.map_or(Ok(()), Err)?;
        its.iter().try_for_each(|stream| stream.wait_for_failed_work(deadline))
    }

    /// The end of a device's shutdown: waits until the deadline for what has begun on its streams.
    ///
    /// # Errors
    /// As [`wait_for_begun`](Self::wait_for_begun): one that says first that it was the shutdown that ran out.
    #[track_caller]
    pub fn shut_down(
        &self,
        device: &str,
        is_its: impl Fn(&D) -> bool,
        deadline: Instant,
    ) -> Result<()> {
        self.wait_for_begun(is_its, deadline).map_err(|left| {
            let meaning = format!(
                "work still runs on {device} at the deadline of its shutdown; let it end, or leave it"
            );
            if left.kind() == Kind::TimedOut { left.told_as(&meaning) } else { left }
        })
    }

    pub(super) fn crew(&self) -> &dyn Crew {
        self.crew.as_ref()
    }

    pub(super) fn bound(&self) -> usize {
        self.bound
    }

    pub(super) fn delays(&self) -> &Delays<D> {
        &self.delays
    }

    pub(super) fn add(&self, stream: &Arc<HeldStream<D>>) {
        let mut list = lock(&self.streams);
        if list.streams.len() >= list.sweep_at {
            list.streams.retain(|stream| stream.strong_count() > 0);
            list.sweep_at = (list.streams.len() * 2).max(SHORT);
        }
        list.streams.push(Arc::downgrade(stream));
    }
}

impl<D: Driver> fmt::Debug for Domain<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Domain({} streams)", lock(&self.streams).streams.len())
    }
}
