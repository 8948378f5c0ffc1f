//! Models of a row: handlers that come from any thread, whoever waits for room, and whoever is let through on the device.

use std::sync::Arc;
use std::time::Duration;

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use loom::thread;
use syncpoint_core::model::{catches, holds};

use super::Row;
use crate::calls::{End, Ended, Killed};
use crate::owed::Owed;
use crate::room::{Patience, Room};
use crate::stream::let_go;
use crate::telling::{Signal, Told, let_through, lift, tell_all};

/// In a model nobody loses patience.
const FOREVER: Patience<'static> =
    Patience { longest: Duration::from_secs(3_600), deadline: None, is_over: &|| false };

fn killed() -> Killed {
    Killed { code: 1, words: "by the model".to_owned() }
}

/// A stream whose ends are told by whoever hears of them, one at a time.
struct Stream {
    row: Row,
    owed: Owed<Event>,
    /// The turn to tell.
    turn: Mutex<()>,
    /// The values that were told.
    told: Mutex<Vec<u64>>,
    has_failed: AtomicBool,
    event: Event,
}

/// A shared event, whose value may not fall.
struct Event(AtomicU64);

impl Event {
    fn value(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl Signal for Event {
    fn signaled(&self) -> u64 {
        self.value()
    }

    fn raise(&self, value: u64) {
        let before = self.0.swap(value, Ordering::AcqRel);
        assert!(before < value, "an event was lowered");
    }
}

/// How a failure is told.
#[derive(Clone, Copy)]
enum Order {
    ToldFirst,
    LetThroughFirst,
}

impl Stream {
    fn with(values: &[u64]) -> Arc<Self> {
        let row = Row::new(Room::new(values.len() + 2));
        for value in values {
            row.put(*value, 1, FOREVER);
        }
        Arc::new(Self {
            row,
            owed: Owed::new(),
            turn: Mutex::new(()),
            told: Mutex::new(Vec::new()),
            has_failed: AtomicBool::new(false),
            event: Event(AtomicU64::new(0)),
        })
    }

    /// What a handler does, and the thread that it hands over to.
    fn end(&self, value: u64, killed: Option<Killed>, order: Order) {
        self.row.end(value, killed);
        self.tell(order);
    }

    fn tell(&self, order: Order) {
        let turn = self.turn.lock().unwrap();
        tell_all(&Telling(self, order));
        drop(turn);
    }
}

struct Telling<'a>(&'a Stream, Order);

impl Told for Telling<'_> {
    type Event = Event;

    fn row(&self) -> &Row {
        &self.0.row
    }

    fn owed(&self) -> &Owed<Event> {
        &self.0.owed
    }

    fn complete(&self, value: u64) {
        self.0.told.lock().unwrap().push(value);
    }

    fn fail(&self, _value: u64, _killed: &Killed, let_through_now: impl FnOnce()) {
        if matches!(self.1, Order::ToldFirst) {
            self.0.has_failed.store(true, Ordering::Release);
            return let_through_now();
        }
        let_through_now();
        self.0.has_failed.store(true, Ordering::Release);
    }

    fn let_through(&self, value: u64) {
        let_through((&self.0.row, &self.0.owed), &self.0.event, value);
    }
}

#[test]
fn ends_that_come_together_are_told_once_and_in_order() {
    holds(3, || {
        let stream = Stream::with(&[1, 2]);
        let other = Arc::clone(&stream);
        let handler = thread::spawn(move || other.end(2, None, Order::ToldFirst));
        stream.end(1, Some(killed()), Order::ToldFirst);
        handler.join().unwrap();
        assert_eq!(*stream.told.lock().unwrap(), [1, 2]);
    });
}

fn a_waiter_is_let_through(order: Order) {
    let stream = Stream::with(&[1]);
    let (handler, waiter) = (Arc::clone(&stream), Arc::clone(&stream));
    let handler = thread::spawn(move || handler.end(1, Some(killed()), order));
    let waiter = thread::spawn(move || {
        if waiter.event.value() >= 1 {
            assert!(waiter.has_failed.load(Ordering::Acquire), "let through untold");
        }
    });
    handler.join().unwrap();
    waiter.join().unwrap();
    assert_eq!(stream.event.value(), 1, "nobody stands before it for ever");
}

#[test]
fn whoever_is_let_through_on_the_device_finds_the_failure_told() {
    holds(3, || a_waiter_is_let_through(Order::ToldFirst));
}

#[test]
fn a_signal_before_the_failure_is_told_is_caught() {
    catches("let through untold", || holds(3, || a_waiter_is_let_through(Order::LetThroughFirst)));
}

#[test]
fn whoever_looks_never_finds_a_killed_value_reached_before_its_failure_is_told() {
    holds(3, || {
        let stream = Stream::with(&[1]);
        // A timed value of two command buffers: the second is over as if nothing were, and signals.
        assert!(stream.row.put(2, 2, FOREVER).is_some());
        stream.event.raise(2);
        stream.end(1, None, Order::ToldFirst);
        stream.row.end(2, Some(killed()));
        let handler = Arc::clone(&stream);
        let handler = thread::spawn(move || handler.end(2, None, Order::ToldFirst));
        if stream.row.reached(2) == Ok(2) {
            assert!(stream.has_failed.load(Ordering::Acquire), "reached untold");
        }
        handler.join().unwrap();
        assert_eq!(stream.row.reached(2), Ok(2));
    });
}

#[test]
fn an_end_wakes_whoever_waits_for_room() {
    holds(3, || {
        let stream = Stream::with(&[1]);
        assert!(stream.row.put(2, 2, FOREVER).is_some());
        let handler = Arc::clone(&stream);
        let handler = thread::spawn(move || handler.end(1, None, Order::ToldFirst));
        assert!(stream.row.put(3, 1, FOREVER).is_some());
        handler.join().unwrap();
    });
}

/// A stream keeps an item and lets go of its turn; whoever tells of an end calls it.
#[test]
fn a_stream_that_awaits_room_is_called_by_whoever_tells_of_the_end() {
    holds(3, || {
        let stream = Stream::with(&[1]);
        // Room for three, and one is there for an item when nothing is on its way.
        assert!(!stream.row.room().is_there());
        let handler = Arc::clone(&stream);
        let handler = thread::spawn(move || {
            handler.row.end(1, None);
            handler.row.room().has_come()
        });
        let goes_on = stream.row.room().is_there_or_awaited();
        let was_called = handler.join().unwrap();
        assert!(goes_on ^ was_called, "one of the two has it go on");
    });
}

/// A timed value whose two command buffers are killed, each by itself: the host signals for the first, beside the next timed
/// value, which signals further once this one is told.
fn a_killed_time_is_followed_by_another(
    end: impl FnOnce(Arc<Stream>, Arc<Event>) + Send + 'static,
) {
    let stream = Stream::with(&[]);
    assert_eq!(stream.row.put(1, 2, FOREVER), Some(0));
    let stamps = Arc::new(Event(AtomicU64::new(0)));
    let (of_first, its_stamps) = (Arc::clone(&stream), Arc::clone(&stamps));
    let first = thread::spawn(move || end(of_first, its_stamps));
    stream.end(1, Some(killed()), Order::ToldFirst);
    let goes_on = stream.event.value() >= 1;
    if goes_on {
        stamps.raise(2);
    }
    first.join().unwrap();
    assert_eq!((stream.event.value(), stamps.value()), (1, 1 + u64::from(goes_on)));
}

/// The handler of a command buffer whose end would have been a time.
fn ended(stream: Arc<Stream>) -> Ended {
    Box::new(move |end| stream.end(1, end.killed, Order::ToldFirst))
}

fn end() -> End {
    End { seconds: 0.0, killed: Some(killed()) }
}

#[test]
fn what_the_host_signals_for_a_killed_time_lowers_no_later_one() {
    holds(3, || {
        a_killed_time_is_followed_by_another(|stream, stamps| {
            let_go(ended(stream), stamps, 1)(end());
        });
    });
}

#[test]
fn a_signal_for_a_killed_time_behind_its_end_is_caught() {
    catches("an event was lowered", || {
        holds(3, || {
            a_killed_time_is_followed_by_another(|stream, stamps| {
                ended(stream)(end());
                lift(&stamps, 1);
            });
        });
    });
}
