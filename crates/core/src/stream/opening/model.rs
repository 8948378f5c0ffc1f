//! Models of openings: what would close a cycle is refused, whatever comes beside it.

#![expect(clippy::expect_used, reason = "a model is a test")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::thread;

use super::*;
use crate::Kind;
use crate::capabilities::{Capabilities, PriorityRange};
use crate::contract::{Edge, RawBuffer, RawDevice, RawStream, Refused, Time, Untold, Why};
use crate::device::Device;
use crate::gate;
use crate::model::{catches, holds};
use crate::stream::Statistics;
use crate::sync::{Mutex, lock};
use crate::time::Clock;
use crate::timeline::Timeline;
use crate::waits::Waits;

#[test]
fn of_two_openings_that_close_a_cycle_together_one_is_refused() {
    holds(3, || two_open_what_the_other_waits_for(Stream::open));
}

#[test]
fn openings_that_close_no_cycle_are_both_taken() {
    holds(2, || {
        let [first, second] = [stream::<true>(), stream::<true>()];
        let [for_first, for_second] = [Gate::new(), Gate::new()];
        // The second waits for the first, and nobody for the second.
        second.wait(&for_second.point()).expect("a wait");
        let opener = thread::spawn(move || first.open(&for_second).is_ok());
        assert!(second.open(&for_first).is_ok(), "there is no cycle");
        assert!(opener.join().expect("an opening returns"), "there is no cycle");
    });
}

#[test]
fn a_gate_that_its_opener_waits_for_is_opened_before_the_wait_or_not_at_all() {
    holds(3, one_opens_what_it_comes_to_wait_for::<true>);
}

#[test]
fn openings_that_are_checked_beside_each_other_are_caught() {
    fn without_the_lock(stream: &Stream, gate: &Gate) -> Result<()> {
        stream.promise(gate, Place::caller()).map(drop)
    }
    let check = || two_open_what_the_other_waits_for(without_the_lock);
    catches("closes a cycle", || holds(2, check));
}

#[test]
fn an_opening_enqueued_behind_a_wait_that_was_not_looked_at_is_caught() {
    let check = || one_opens_what_it_comes_to_wait_for::<false>();
    catches("opens behind its own wait", || holds(2, check));
}

/// Each of two streams waits for a gate, and opens the other's behind that.
fn two_open_what_the_other_waits_for(open: fn(&Stream, &Gate) -> Result<()>) {
    let [first, second] = [stream::<true>(), stream::<true>()];
    let [for_first, for_second] = [Gate::new(), Gate::new()];
    first.wait(&for_first.point()).expect("a wait");
    second.wait(&for_second.point()).expect("a wait");
    let opener = thread::spawn(move || (open(&first, &for_second), first));
    let by_second = open(&second, &for_first);
    let (by_first, _first) = opener.join().expect("an opening returns");
    let refused: Vec<_> = [by_first, by_second].into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 1, "one opening closes a cycle, and one does not");
    assert_eq!(refused[0].kind(), Kind::Misuse(Reason::WouldDeadlock));
}

/// A stream opens a gate on one thread and waits for it on another.
fn one_opens_what_it_comes_to_wait_for<const LOOKS: bool>() {
    let (stream, gate) = (Arc::new(stream::<LOOKS>()), Gate::new());
    let (waiting, point) = (Arc::clone(&stream), gate.point());
    let waiter = thread::spawn(move || waiting.wait(&point).expect("a wait"));
    let opening = gate::promising(|| stream.promise(&gate, Place::caller()));
    waiter.join().expect("a wait returns");
    let edges = stream.raw.waits_between(0, u64::MAX);
    let [wait] = &edges[..] else { panic!("one wait: {edges:?}") };
    if let Ok(Some(placed)) = opening {
        assert!(placed.value < wait.own, "the stream opens behind its own wait");
    }
}

fn stream<const LOOKS: bool>() -> Stream {
    let capabilities = Capabilities::new(PriorityRange::new(0, 0));
    let clock = Clock::new("double", Duration::from_nanos(1));
    let device = Device::new("double:0", Arc::new(Double::<LOOKS>), (capabilities, clock));
    device.stream().expect("a stream")
}

#[derive(Debug)]
struct Double<const LOOKS: bool>;

impl<const LOOKS: bool> RawDevice for Double<LOOKS> {
    fn stream(&self, timeline: Timeline, _priority: i32) -> Result<Arc<dyn RawStream>> {
        Ok(Arc::new(Still::<LOOKS> { timeline, order: Mutex::default() }))
    }

    fn buffer(&self, _bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Err(Error::unsupported("the double has no memory"))
    }

    fn shutdown(&self, _deadline: Instant) -> Result<()> {
        Ok(())
    }
}

/// A stream that keeps what it is given and runs nothing. `LOOKS`: it gives an item back where it got another meanwhile.
#[derive(Debug)]
struct Still<const LOOKS: bool> {
    timeline: Timeline,
    order: Mutex<Order>,
}

#[derive(Debug, Default)]
struct Order {
    latest: u64,
    items: Vec<Item>,
    waits: Waits,
}

impl<const LOOKS: bool> Still<LOOKS> {
    fn placed(&self, order: &mut Order) -> Placed {
        order.latest += 1;
        self.timeline.enqueue(order.latest);
        Placed::new(order.latest)
    }
}

impl<const LOOKS: bool> RawStream for Still<LOOKS> {
    fn put(&self, item: Item) -> Result<Placed> {
        let mut order = lock(&self.order);
        order.items.push(item);
        Ok(self.placed(&mut order))
    }

    fn put_at(&self, item: Item, enqueued: u64) -> Result<Placed, Refused> {
        let mut order = lock(&self.order);
        if LOOKS && order.latest != enqueued {
            return Err(Refused { item, why: Why::MoreWork });
        }
        order.items.push(item);
        Ok(self.placed(&mut order))
    }

    fn wait(&self, point: &Point, place: Place) -> Result<Option<Placed>> {
        let mut order = lock(&self.order);
        let placed = self.placed(&mut order);
        order.waits.push(Edge::new(placed.value, point.clone(), place));
        Ok(Some(placed))
    }

    fn record(&self) -> Result<Placed> {
        Ok(Placed::new(self.timeline.enqueued()))
    }

    fn record_timed(&self, _place: Place) -> Result<(Placed, Time)> {
        Err(Error::unsupported("the double has no clock"))
    }

    fn waits_between(&self, after: u64, upto: u64) -> Vec<Edge> {
        lock(&self.order).waits.between(after, upto)
    }

    fn recover(&self) -> Result<Option<Error>> {
        Ok(None)
    }

    fn cancel(&self, _error: &Error) -> Option<Box<dyn Untold>> {
        None
    }

    fn close(&self) {}

    fn statistics(&self) -> Statistics {
        Statistics::default()
    }
}
