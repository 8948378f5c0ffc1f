//! Models of an event that two streams record while their command buffers end, or are killed and the host signals for them.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use syncpoint_core::model::{catches, holds};

use super::Latest;
use crate::owed::Owed;
use crate::room::Room;
use crate::row::Row;
use crate::telling::Signal;

/// A shared event of which nobody may have the value fall.
#[derive(Clone, Default)]
struct Event(Arc<State>);

#[derive(Default)]
struct State {
    value: AtomicU64,
    /// Who asks is told that it is there already.
    lies: bool,
}

impl Signal for Event {
    fn signaled(&self) -> u64 {
        if self.0.lies { u64::MAX } else { self.0.value.load(Ordering::Acquire) }
    }

    fn raise(&self, value: u64) {
        let before = self.0.value.swap(value, Ordering::AcqRel);
        assert!(before < value, "signalled out of order");
    }
}

fn another() -> syncpoint_core::Result<Event> {
    Ok(Event::default())
}

fn row() -> Arc<Row> {
    Arc::new(Row::new(Room::new(8)))
}

/// What a stream does that records and whose device signals at some time behind that.
fn record(latest: &Latest<Event>) {
    let (event, value) = latest.next(&row(), another).unwrap();
    latest.promise(&event, value);
    event.raise(value);
}

/// The committed value is one that somebody signals.
fn assert_signalled(latest: &Latest<Event>) {
    let (event, value) = latest.committed();
    assert_eq!(event.0.value.load(Ordering::Acquire), value, "promised, and never signalled");
}

fn two_streams_record(lies: bool) {
    let event = Event(Arc::new(State { value: AtomicU64::new(0), lies }));
    let latest = Arc::new(Latest::new(event));
    let other = Arc::clone(&latest);
    let other = thread::spawn(move || record(&other));
    record(&latest);
    other.join().unwrap();
    record(&latest);
    assert_signalled(&latest);
}

#[test]
fn two_streams_never_signal_one_event_out_of_order() {
    holds(3, || two_streams_record(false));
}

#[test]
fn an_event_that_is_taken_for_signalled_is_caught() {
    catches("signalled out of order", || holds(3, || two_streams_record(true)));
}

#[test]
fn a_record_that_is_refused_beside_another_promises_nothing_and_takes_nothing_back() {
    holds(3, || {
        let latest = Arc::new(Latest::new(Event::default()));
        let other = Arc::clone(&latest);
        let other = thread::spawn(move || {
            let (_event, value) = other.next(&row(), another).unwrap();
            other.take_back(value);
        });
        record(&latest);
        other.join().unwrap();
        record(&latest);
        assert_signalled(&latest);
    });
}

/// The command buffer that was to signal is killed.
#[test]
fn what_the_host_signals_beside_a_record_elsewhere_lowers_no_event() {
    holds(3, || {
        let (latest, owed) = (Arc::new(Latest::new(Event::default())), Owed::new());
        let (event, value) = latest.next(&row(), another).unwrap();
        owed.owe(1, &event, value);
        latest.promise(&event, value);
        let other = Arc::clone(&latest);
        let other = thread::spawn(move || record(&other));
        owed.pay(1);
        other.join().unwrap();
        assert!(event.signaled() >= value, "somebody stands before it for ever");
        assert_signalled(&latest);
    });
}
