//! Models of lending: two threads take and give back, a pool goes beside its loans, and the bound holds.

#![expect(clippy::expect_used, reason = "a model is a test")]

use loom::thread;

use super::*;
use crate::model::{catches, holds};
use crate::sync::{AtomicUsize, Ordering};

#[test]
fn a_pool_of_one_lends_to_one_of_two_at_a_time() {
    holds(3, || two_take_and_give_back(|counter, made| counter.lend((), place(), made)));
}

#[test]
fn what_comes_back_beside_the_end_of_its_pool_is_dropped_once() {
    holds(3, || {
        let (counter, tally) = (Counter::new(1), Tally::default());
        let loan = counter.lend((), place(), || Ok(tally.thing())).expect("room for one");
        let own = tally.clone();
        let holder = thread::spawn(move || {
            own.step();
            drop(loan);
        });
        tally.step();
        counter.empty();
        tally.step();
        drop(counter);
        holder.join().expect("a loan goes back");
        assert_eq!(tally.alive(), 0, "a thing outlives its pool and its holder");
    });
}

#[test]
fn two_that_warm_a_pool_up_keep_no_more_idle_than_its_bound() {
    holds(3, || two_warm_up(|counter, make| counter.stock(&(), make)));
}

#[test]
fn a_loan_that_looks_at_the_bound_before_it_takes_is_caught() {
    fn lend_after_a_look(counter: &Arc<Counter<Thing>>, make: Make<'_>) -> Result<Loan<Thing>> {
        let statistics = counter.statistics();
        if statistics.in_use >= counter.bound {
            return Err(counter.exhausted(&statistics));
        }
        lock(&counter.shelf).statistics.in_use += 1;
        let ticket = LoanTicket { key: (), number: 0 };
        Ok(Loan { thing: Some((Box::new(make()?), ticket)), counter: Arc::downgrade(counter) })
    }
    let check = || two_take_and_give_back(|counter, make| lend_after_a_look(counter, make));
    catches("one at a time", || holds(2, check));
}

#[test]
fn a_thing_put_on_the_shelf_after_a_look_alone_is_caught() {
    fn stock_after_a_look(counter: &Counter<Thing>, make: Make<'_>) -> Result<()> {
        counter.has_room_for_idle()?;
        let thing = Box::new(make()?);
        let mut shelf = lock(&counter.shelf);
        shelf.statistics.idle += 1;
        shelf.row(&()).push(thing);
        Ok(())
    }
    let check = || two_warm_up(|counter, make| stock_after_a_look(counter, make));
    catches("no more idle", || holds(2, check));
}

type Make<'a> = &'a dyn Fn() -> Result<Thing>;

/// Each of two threads takes from a pool of one and gives back, or is refused.
fn two_take_and_give_back(lend: fn(&Arc<Counter<Thing>>, Make<'_>) -> Result<Loan<Thing>>) {
    let (counter, tally) = (Counter::new(1), Tally::default());
    let (own_counter, own_tally) = (Arc::clone(&counter), tally.clone());
    let other = thread::spawn(move || take_and_give_back(&own_counter, &own_tally, lend));
    let took = take_and_give_back(&counter, &tally, lend);
    let other_took = other.join().expect("a loan or a refusal");
    assert!(took || other_took, "nobody was lent anything");
    let statistics = counter.statistics();
    assert_eq!((statistics.in_use, statistics.high_water), (0, 1), "one at a time: {statistics:?}");
    assert_eq!((statistics.idle, tally.alive()), (1, 1), "what came back is lent again");
}

fn take_and_give_back(
    counter: &Arc<Counter<Thing>>,
    tally: &Tally,
    lend: fn(&Arc<Counter<Thing>>, Make<'_>) -> Result<Loan<Thing>>,
) -> bool {
    let Ok(loan) = lend(counter, &|| Ok(tally.thing())) else { return false };
    // Relaxed: what happens between the two is ordered by the pool, or the model fails.
    assert_eq!(
        tally.0.held.fetch_add(1, Ordering::Relaxed),
        0,
        "a pool of one lends one at a time"
    );
    tally.0.held.fetch_sub(1, Ordering::Relaxed);
    drop(loan);
    true
}

/// Each of two threads puts one on the shelf of a pool of one.
fn two_warm_up(stock: fn(&Counter<Thing>, Make<'_>) -> Result<()>) {
    let (counter, tally) = (Counter::new(1), Tally::default());
    let (own_counter, own_tally) = (Arc::clone(&counter), tally.clone());
    let other = thread::spawn(move || stock(&own_counter, &|| Ok(own_tally.thing())).is_ok());
    let stocked = stock(&counter, &|| Ok(tally.thing())).is_ok();
    let other_stocked = other.join().expect("room or a refusal");
    assert_ne!(stocked, other_stocked, "no more idle than the bound, and no less");
    assert_eq!((counter.statistics().idle, tally.alive()), (1, 1), "no more idle than the bound");
}

fn place() -> Place {
    Place::caller()
}

/// What is lent here.
#[derive(Debug)]
struct Thing(Tally);

impl Lends for Thing {
    type Key = ();

    fn bring_back(self: Box<Self>, counter: Weak<Counter<Self>>, ticket: LoanTicket<()>) {
        if let Some(counter) = counter.upgrade() {
            counter.put(self, &ticket);
        }
    }
}

impl Drop for Thing {
    fn drop(&mut self) {
        // Relaxed: a count, read when nobody else runs.
        self.0.0.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many things there are, and how many are held.
#[derive(Clone, Debug, Default)]
struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    alive: AtomicUsize,
    held: AtomicUsize,
}

impl Tally {
    fn thing(&self) -> Thing {
        // Relaxed: as in the drop of a thing.
        self.0.alive.fetch_add(1, Ordering::Relaxed);
        Thing(self.clone())
    }

    /// Lets the other thread come first: the model does not see the counts of an `Arc`.
    fn step(&self) {
        self.0.held.fetch_add(0, Ordering::Relaxed);
    }

    fn alive(&self) -> usize {
        // Relaxed: as in the drop of a thing.
        self.0.alive.load(Ordering::Relaxed)
    }
}
