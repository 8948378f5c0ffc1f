//! Lending: what is idle, what is out, how much there may be, and how a loan finds its way back.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Weak};

use syncpoint_base::Process;

use crate::error::{Error, Kind, Result};
use crate::inherited;
use crate::place::Place;
use crate::sync::{Mutex, lock};

#[cfg(all(test, syncpoint_loom))]
mod model;

/// What a pool lends.
#[doc(hidden)]
pub trait Lends: fmt::Debug + Send + Sync + Sized + 'static {
    /// What tells one kind of loan from another.
    type Key: Clone + PartialEq + fmt::Debug + Send + Sync + 'static;

    /// Makes one that was lent before as new.
    fn refresh(&mut self) {}

    /// Brings a loan back to the counter, at once or when it is clean. Quick and silent: it runs in a drop.
    fn bring_back(self: Box<Self>, counter: Weak<Counter<Self>>, ticket: LoanTicket<Self::Key>);
}

/// Names one loan: its kind, and its number at the counter.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct LoanTicket<K> {
    pub(super) key: K,
    number: u64,
}

/// What a pool counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatistics {
    /// Lent and not back, including streams whose work is not complete yet.
    pub in_use: usize,
    /// Waiting to be lent.
    pub idle: usize,
    /// The most that were in use at once.
    pub high_water: usize,
    /// Those that came back failed and were given up.
    pub given_up: u64,
}

/// Where things are lent and brought back. Loans know it weakly: a pool may go before what it lent.
#[doc(hidden)]
#[derive(Debug)]
pub struct Counter<T: Lends> {
    bound: usize,
    /// The process whose pool it is: a child takes no lock of it, gets nothing and gives nothing back.
    process: Process,
    /// Guards the shelf. Nothing is made, dropped or called under it.
    shelf: Mutex<Shelf<T>>,
}

#[derive(Debug)]
struct Shelf<T: Lends> {
    /// Idle ones of each kind, the last brought back last. A row, because programs use a handful of kinds. Each in a box of its
    /// own, which is what comes and goes: an event is some hundred bytes.
    idle: Vec<(T::Key, Vec<Box<T>>)>,
    /// Where each loan was made; only in debug builds, for the leak report.
    places: BTreeMap<u64, Place>,
    number: u64,
    statistics: PoolStatistics,
}

/// What was on the shelf, if anything, and the name of the loan.
type Taken<T> = (Option<Box<T>>, LoanTicket<<T as Lends>::Key>);

impl<T: Lends> Counter<T> {
    pub(super) fn new(bound: usize) -> Arc<Self> {
        let statistics = PoolStatistics::default();
        let shelf = Shelf { idle: Vec::new(), places: BTreeMap::new(), number: 0, statistics };
        Arc::new(Self { bound, process: Process::current(), shelf: Mutex::new(shelf) })
    }

    /// Lends the one of this kind that came back last, or a new one.
    pub(super) fn lend(
        self: &Arc<Self>,
        key: T::Key,
        place: Place,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<Loan<T>> {
        inherited::check(self.process, &"the pool")?;
        let (found, ticket) = self.take(key, place)?;
        let lent = found.map(|mut thing| {
            thing.refresh();
            thing
        });
        match lent.map_or_else(|| make().map(Box::new), Ok) {
            Ok(thing) => Ok(Loan { thing: Some((thing, ticket)), counter: Arc::downgrade(self) }),
            Err(error) => {
                self.write_off(&ticket);
                Err(error)
            }
        }
    }

    fn take(&self, key: T::Key, place: Place) -> Result<Taken<T>> {
        let mut shelf = lock(&self.shelf);
        if shelf.statistics.in_use >= self.bound {
            return Err(self.exhausted(&shelf.statistics));
        }
        let found = shelf.row(&key).pop();
        shelf.statistics.idle -= usize::from(found.is_some());
        shelf.statistics.in_use += 1;
        shelf.statistics.high_water = shelf.statistics.high_water.max(shelf.statistics.in_use);
        shelf.number += 1;
        let number = shelf.number;
        if cfg!(debug_assertions) {
            shelf.places.insert(number, place);
        }
        Ok((found, LoanTicket { key, number }))
    }

    #[cold]
    fn exhausted(&self, statistics: &PoolStatistics) -> Error {
        let message = format!(
            "the pool has lent {} of at most {}; give some back, or make the pool larger",
            statistics.in_use, self.bound
        );
        Error::new(Kind::Exhausted, message)
    }

    /// Puts a clean one back. One more than the bound is not kept.
    pub(super) fn put(&self, thing: Box<T>, ticket: &LoanTicket<T::Key>) {
        let mut shelf = lock(&self.shelf);
        shelf.end(ticket);
        if shelf.statistics.idle < self.bound {
            shelf.statistics.idle += 1;
            shelf.row(&ticket.key).push(thing);
            return;
        }
        drop(shelf);
        drop(thing);
    }

    /// Adds an idle one that was not lent before, where the bound leaves room for it.
    pub(super) fn stock(&self, key: &T::Key, make: impl FnOnce() -> Result<T>) -> Result<()> {
        inherited::check(self.process, &"the pool")?;
        self.has_room_for_idle()?;
        let thing = Box::new(make()?);
        let mut shelf = lock(&self.shelf);
        // Looked at again: others may have come while it was made.
        let idle = shelf.statistics.idle;
        if idle < self.bound {
            shelf.statistics.idle += 1;
            shelf.row(key).push(thing);
            return Ok(());
        }
        drop(shelf);
        drop(thing);
        Err(no_room(idle))
    }

    fn has_room_for_idle(&self) -> Result<()> {
        let idle = self.statistics().idle;
        if idle < self.bound { Ok(()) } else { Err(no_room(idle)) }
    }

    /// A loan that will not come back.
    pub(super) fn write_off(&self, ticket: &LoanTicket<T::Key>) {
        lock(&self.shelf).end(ticket);
    }

    /// A loan that came back failed.
    pub(super) fn give_up(&self, ticket: &LoanTicket<T::Key>) {
        let mut shelf = lock(&self.shelf);
        shelf.end(ticket);
        shelf.statistics.given_up += 1;
    }

    /// Drops what is idle.
    pub(super) fn empty(&self) {
        if !self.process.is_current() {
            return;
        }
        let mut shelf = lock(&self.shelf);
        shelf.statistics.idle = 0;
        let idle = std::mem::take(&mut shelf.idle);
        drop(shelf);
        drop(idle);
    }

    pub(super) fn statistics(&self) -> PoolStatistics {
        if !self.process.is_current() {
            return PoolStatistics::default();
        }
        lock(&self.shelf).statistics
    }

    pub(super) fn places(&self) -> Vec<Place> {
        if !self.process.is_current() {
            return Vec::new();
        }
        lock(&self.shelf).places.values().copied().collect()
    }
}

#[cold]
fn no_room(idle: usize) -> Error {
    let message =
        format!("the pool keeps {idle} idle, its bound; warm up fewer, or make the pool larger");
    Error::new(Kind::Exhausted, message)
}

impl<T: Lends> Shelf<T> {
    fn row(&mut self, key: &T::Key) -> &mut Vec<Box<T>> {
        let index = self.idle.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            self.idle.push((key.clone(), Vec::new()));
            self.idle.len() - 1
        });
        &mut self.idle[index].1
    }

    fn end(&mut self, ticket: &LoanTicket<T::Key>) {
        self.statistics.in_use -= 1;
        self.places.remove(&ticket.number);
    }
}

/// Something lent by a pool: it goes back when this is dropped. The pool may be gone by then.
///
/// Everything that the thing can do, it can do by dereference.
#[must_use = "a loan that is dropped goes back at once"]
pub struct Loan<T: Lends> {
    /// `None` only while it is brought back or kept.
    thing: Option<(Box<T>, LoanTicket<T::Key>)>,
    counter: Weak<Counter<T>>,
}

impl<T: Lends> Loan<T> {
    /// Keeps the thing for good: it does not go back.
    pub fn keep(mut self) -> T {
        let Some((thing, ticket)) = self.thing.take() else {
            unreachable!("a loan holds its thing")
        };
        let counter = self.counter.upgrade();
        if let Some(counter) = counter.filter(|counter| counter.process.is_current()) {
            counter.write_off(&ticket);
        }
        *thing
    }
}

impl<T: Lends> Deref for Loan<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.thing {
            Some((thing, _)) => thing,
            None => unreachable!("a loan holds its thing"),
        }
    }
}

impl<T: Lends> Drop for Loan<T> {
    fn drop(&mut self) {
        if let Some((thing, ticket)) = self.thing.take()
            && self.counter.upgrade().is_none_or(|counter| counter.process.is_current())
        {
            thing.bring_back(std::mem::take(&mut self.counter), ticket);
        }
    }
}

impl<T: Lends> fmt::Debug for Loan<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Loan({:?})", &**self)
    }
}
