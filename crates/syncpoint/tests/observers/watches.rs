//! Watches: several observers, their end, and observers that misbehave.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use syncpoint::trace::{Operation, Record};
use syncpoint::{Event, EventOptions, Kind, Stream, Watch, observe, observer_panics};

use crate::ear::Ear;

const LONG: Duration = Duration::from_secs(20);

fn stream() -> Stream {
    syncpoint::open("host:0").unwrap().stream().unwrap()
}

/// Calls `hear` at each record of a point on this stream.
fn on_record(stream: &Stream, hear: impl Fn() + Send + Sync + 'static) -> Watch {
    let own = stream.id();
    observe(move |record: &Record| {
        if matches!(record.operation, Operation::PointRecorded { stream, .. } if stream == own) {
            hear();
        }
    })
}

#[test]
fn several_observers_hear_each_record_once_in_the_order_of_their_registration() {
    let stream = stream();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let watches = [1, 2, 3].map(|number| {
        let heard = Arc::clone(&heard);
        on_record(&stream, move || heard.lock().unwrap().push(number))
    });
    stream.record().unwrap();
    stream.record().unwrap();
    drop(watches);
    assert_eq!(*heard.lock().unwrap(), [1, 2, 3, 1, 2, 3]);
}

#[test]
fn an_observer_hears_nothing_before_its_watch_and_nothing_after() {
    let stream = stream();
    let count = Arc::new(AtomicUsize::new(0));
    stream.record().unwrap();
    let counter = Arc::clone(&count);
    let watch = on_record(&stream, move || _ = counter.fetch_add(1, Ordering::Relaxed));
    assert_eq!(count.load(Ordering::Relaxed), 0);
    stream.record().unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 1);
    drop(watch);
    stream.record().unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[test]
fn an_observer_is_dropped_with_its_watch() {
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let watch = observe(move |_: &Record| drop(Arc::clone(&held)));
    watch.end(LONG).unwrap();
    // A thread that tells something at this moment may hold the list for a moment longer.
    let deadline = std::time::Instant::now() + LONG;
    while Arc::strong_count(&alive) > 1 && std::time::Instant::now() < deadline {
        thread::yield_now();
    }
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// A watch whose observer is inside its first call, and stays there until it is let go.
struct Held {
    stream: Arc<Stream>,
    calls: Arc<AtomicUsize>,
    let_go: mpsc::Sender<()>,
    recording: thread::JoinHandle<()>,
}

impl Held {
    fn new() -> (Watch, Self) {
        let (stream, calls) = (Arc::new(stream()), Arc::new(AtomicUsize::new(0)));
        let (enter, entered) = mpsc::channel();
        let (let_go, wait) = mpsc::channel();
        let (wait, counter) = (Mutex::new(wait), Arc::clone(&calls));
        let watch = on_record(&stream, move || {
            if counter.fetch_add(1, Ordering::Relaxed) == 0 {
                enter.send(()).unwrap();
                wait.lock().unwrap().recv_timeout(LONG).unwrap();
            }
        });
        let recorded = Arc::clone(&stream);
        let recording = thread::spawn(move || drop(recorded.record().unwrap()));
        entered.recv_timeout(LONG).unwrap();
        (watch, Self { stream, calls, let_go, recording })
    }

    /// Whether a record made now is heard.
    fn is_heard(&self) -> bool {
        let before = self.calls.load(Ordering::Relaxed);
        self.stream.record().unwrap();
        self.calls.load(Ordering::Relaxed) > before
    }

    fn let_go(self) {
        self.let_go.send(()).unwrap();
        self.recording.join().unwrap();
    }
}

#[test]
fn ending_a_watch_waits_for_the_call_that_runs() {
    let (watch, held) = Held::new();
    let (ended, end) = mpsc::channel();
    let ending = thread::spawn(move || {
        let outcome = watch.end(LONG);
        ended.send(outcome.is_ok()).unwrap();
    });
    // Once nothing more is heard the end has begun.
    while held.is_heard() {}
    assert_eq!(end.recv_timeout(Duration::from_millis(20)), Err(mpsc::RecvTimeoutError::Timeout));
    held.let_go();
    assert_eq!(end.recv_timeout(LONG), Ok(true));
    ending.join().unwrap();
}

#[test]
fn ending_a_watch_gives_up_at_its_time_and_nothing_more_is_heard() {
    let (watch, held) = Held::new();
    let error = watch.end(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut);
    assert!(!held.is_heard());
    held.let_go();
}

#[test]
fn dropping_a_watch_waits_for_nobody() {
    let (watch, held) = Held::new();
    assert!(held.is_heard());
    drop(watch); // would never return if it waited
    assert!(!held.is_heard());
    held.let_go();
}

#[test]
fn a_panicking_observer_is_counted_and_hurts_neither_the_call_nor_other_observers() {
    let stream = stream();
    let before = observer_panics();
    let first = on_record(&stream, || std::panic::resume_unwind(Box::new("on purpose")));
    let ear = Ear::listen();
    let point = stream.record().unwrap();
    let told = Operation::PointRecorded {
        stream: stream.id(),
        value: point.value(),
        timed: false,
        event: None,
    };
    assert_eq!(ear.count(&told), 1);
    stream.record().unwrap();
    assert_eq!(ear.count(&told), 2, "it is called again after a panic");
    drop(first);
    assert!(observer_panics() >= before + 2);
    point.synchronize().unwrap();
}

#[test]
fn what_an_observer_does_itself_is_told_to_nobody() {
    let (stream, own) = (Arc::new(stream()), stream());
    let (own_id, used) = (own.id(), Arc::clone(&stream));
    let watch = on_record(&stream, move || {
        // The very stream that it is told of, and one of its own: no lock is held here.
        used.record().unwrap();
        used.enqueue(|| ()).unwrap();
        used.synchronize_timeout(LONG).unwrap();
        own.enqueue(|| ()).unwrap();
        own.wait_stream(&used).unwrap();
    });
    let ear = Ear::listen();
    stream.record().unwrap();
    drop(watch);
    let recorded =
        |value| Operation::PointRecorded { stream: stream.id(), value, timed: false, event: None };
    assert_eq!(ear.about(&[stream.id(), own_id])[..1], [recorded(0)]);
    assert_eq!(ear.about(&[stream.id()]).len(), 1);
}

#[test]
fn what_an_observer_drops_is_told_to_nobody() {
    let stream = stream();
    let (made, count) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let (own, ids, counter) = (stream.id(), Arc::clone(&made), Arc::clone(&count));
    let watch = observe(move |record: &Record| {
        let of_own = match &record.operation {
            Operation::PointRecorded { stream, .. } => *stream == own,
            Operation::EventDeleted { event } => ids.lock().unwrap().contains(event),
            _ => false,
        };
        if of_own && counter.fetch_add(1, Ordering::Relaxed) < 100 {
            let event = Event::new(EventOptions::new());
            ids.lock().unwrap().push(event.id());
            drop(event);
        }
    });
    let ear = Ear::listen();
    stream.record().unwrap();
    // The notifier tells of deletions in order: once this one is told, so were those before it.
    let last = Event::new(EventOptions::new());
    let deleted = Operation::EventDeleted { event: last.id() };
    drop(last);
    ear.wait_for(&deleted);
    drop(watch);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    assert!(ear.about(&made.lock().unwrap()).is_empty());
}

#[test]
fn an_observer_may_end_its_own_watch() {
    let stream = stream();
    let (slot, count) = (Arc::new(Mutex::new(None)), Arc::new(AtomicUsize::new(0)));
    let (own, counter) = (Arc::clone(&slot), Arc::clone(&count));
    let watch = on_record(&stream, move || {
        counter.fetch_add(1, Ordering::Relaxed);
        let watch: Option<Watch> = own.lock().unwrap().take();
        drop(watch);
    });
    *slot.lock().unwrap() = Some(watch);
    stream.record().unwrap();
    stream.record().unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 1);
}
