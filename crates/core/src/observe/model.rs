//! Models of observers: they come and go beside those who tell, and nobody is called after it has ended.

#![expect(clippy::expect_used, reason = "a model is a test")]

use loom::thread;

use super::*;
use crate::model::{catches, holds};

/// Tells the observers of an operation.
type Tell = fn();

/// Adds to or takes from the list of observers.
type Change = fn(Arc<Entry>);

fn tell_of_a_gate() {
    tell(|| Operation::GateOpened { gate: 1 });
}

#[test]
fn once_a_watch_has_ended_no_call_runs_and_none_will_come() {
    holds(3, || a_watch_ends_beside_a_teller(tell_of_a_gate));
}

#[test]
fn observers_that_register_at_once_all_hear_what_comes_after() {
    holds(3, || two_observers_register(|entry| change(|entries| entries.push(entry))));
}

#[test]
fn two_tellers_are_both_heard_once_each() {
    holds(2, || {
        let heard = Arc::new(AtomicU64::new(0));
        let watch = observe(counting(&heard));
        let tellers = [(); 2].map(|()| thread::spawn(tell_of_a_gate));
        for teller in tellers {
            teller.join().expect("a teller tells");
        }
        watch.end(Duration::MAX).expect("no call runs");
        assert_eq!(heard.load(Ordering::Relaxed), 2, "each telling is heard once");
    });
}

#[test]
fn a_teller_that_calls_whoever_it_found_on_the_list_is_caught() {
    /// Without asking whether the registration has ended meanwhile.
    fn tell_whoever_is_listed() {
        let entries = lock(&OBSERVERS).clone();
        let record = Record::new(1, 0, 0, Operation::GateOpened { gate: 1 });
        for entry in entries.iter().flat_map(|entries| entries.iter()) {
            entry.observer.hear(&record);
        }
    }
    catches("after the end", || holds(2, || a_watch_ends_beside_a_teller(tell_whoever_is_listed)));
}

#[test]
fn a_list_that_is_copied_and_replaced_in_two_steps_is_caught() {
    fn copy_and_replace(entry: Arc<Entry>) {
        let mut entries = lock(&OBSERVERS).take().map(|list| list.to_vec()).unwrap_or_default();
        entries.push(entry);
        ACTIVE.store(true, Ordering::Relaxed);
        *lock(&OBSERVERS) = Some(entries.into());
    }
    catches("both observers", || holds(2, || two_observers_register(copy_and_replace)));
}

/// A watch ends while another thread tells, twice.
fn a_watch_ends_beside_a_teller(tell: Tell) {
    let ended = Arc::new(AtomicBool::new(false));
    let calls = Arc::new([(); 2].map(|()| AtomicU64::new(0)));
    let watch = {
        let (ended, calls) = (Arc::clone(&ended), Arc::clone(&calls));
        observe(move |_: &Record| {
            let late = u64::from(ended.load(Ordering::Relaxed));
            calls[0].fetch_add(1 + 100 * late, Ordering::Relaxed);
            calls[1].fetch_add(1, Ordering::Relaxed);
        })
    };
    let teller = thread::spawn(move || {
        tell();
        tell();
    });
    watch.end(Duration::MAX).expect("no call of this observer lasts");
    ended.store(true, Ordering::Relaxed);
    let [begun, finished] = [0, 1].map(|index| calls[index].load(Ordering::Relaxed));
    assert_eq!(begun, finished, "a call runs after the end");
    teller.join().expect("a teller tells");
    assert_eq!(calls[1].load(Ordering::Relaxed), finished, "a call came after the end");
    assert!(begun < 100, "a call came after the end");
}

/// Two threads register an observer each, and then one operation is told.
fn two_observers_register(register: Change) {
    let heard = Arc::new(AtomicU64::new(0));
    let other = {
        let entry = entry(&heard);
        thread::spawn(move || register(entry))
    };
    register(entry(&heard));
    other.join().expect("an observer registers");
    tell_of_a_gate();
    assert_eq!(heard.load(Ordering::Relaxed), 2, "both observers hear");
}

fn entry(heard: &Arc<AtomicU64>) -> Arc<Entry> {
    Arc::new(Entry {
        observer: Box::new(counting(heard)),
        calls: Mutex::new(Calls::default()),
        quiet: Condvar::new(),
    })
}

fn counting(heard: &Arc<AtomicU64>) -> impl Observer + 'static {
    let heard = Arc::clone(heard);
    move |_: &Record| {
        heard.fetch_add(1, Ordering::Relaxed);
    }
}
