//! What it costs to put work on a stream that is busy.

use std::hint::black_box;

use syncpoint::{Device, Gate, Stream};

use crate::measure::{Named, beside, time_each};

const DEPTH: u32 = 1000;

pub(crate) fn rows() -> Vec<Named> {
    vec![
        ("enqueue, busy, empty closure", Box::new(|| busy(|| || ()))),
        ("enqueue, busy, 8 bytes captured", Box::new(|| busy(|| word_closure(black_box(7))))),
        (
            "enqueue, busy, 64 bytes captured",
            Box::new(|| busy(|| block_closure(black_box([7; 8])))),
        ),
        ("enqueue to done, worker running beside", Box::new(running)),
    ]
}

fn word_closure(word: u64) -> impl FnOnce() + Send + 'static {
    move || {
        black_box(word);
    }
}

fn block_closure(block: [u64; 8]) -> impl FnOnce() + Send + 'static {
    move || {
        black_box(block);
    }
}

/// Both queues are filled while nobody takes anything off, and emptied outside the measurement.
fn busy<F: FnOnce() + Send + 'static>(make: impl Fn() -> F + Copy) -> crate::measure::Row {
    let stream = host().stream().expect("a stream");
    let (sender, receiver) = crossbeam_channel::unbounded::<Box<dyn FnOnce() + Send>>();
    let ours = move || held(&stream, |stream| time_each(DEPTH, || fill(stream, make)));
    let rival = move || {
        let nanos = time_each(DEPTH, || send_all(&sender, make));
        receiver.try_iter().for_each(|job| job());
        nanos
    };
    beside("crossbeam-channel, boxed", ours, rival)
}

fn send_all<F: FnOnce() + Send + 'static>(
    sender: &crossbeam_channel::Sender<Box<dyn FnOnce() + Send>>,
    make: impl Fn() -> F,
) {
    for _ in 0..DEPTH {
        sender.send(Box::new(make())).expect("open");
    }
}

fn fill<F: FnOnce() + Send + 'static>(stream: &Stream, make: impl Fn() -> F) {
    (0..DEPTH).for_each(|_| stream.enqueue(make()).expect("room"));
}

/// Holds a stream with a gate while `measure` runs.
pub(crate) fn held<T>(stream: &Stream, measure: impl FnOnce(&Stream) -> T) -> T {
    let gate = Gate::new();
    stream.wait(&gate.point()).expect("a wait");
    let measured = measure(stream);
    gate.open().expect("once");
    stream.synchronize().expect("no work fails");
    measured
}

const RUNNING: u32 = 20_000;

fn running() -> crate::measure::Row {
    let stream = host().stream().expect("a stream");
    let (sender, receiver) = crossbeam_channel::unbounded::<Option<Box<dyn FnOnce() + Send>>>();
    let (done, ended) = crossbeam_channel::unbounded();
    std::thread::spawn(move || {
        for job in receiver {
            job.map_or_else(|| done.send(()).expect("open"), |job| job());
        }
    });
    let ours = move || {
        time_each(RUNNING, || {
            (0..u64::from(RUNNING))
                .for_each(|word| stream.enqueue(word_closure(word)).expect("room"));
            let point = stream.record().expect("a point");
            point.synchronize_with(syncpoint::Wait::NoHelp, None).expect("no work fails");
        })
    };
    let rival = move || {
        time_each(RUNNING, || {
            (0..u64::from(RUNNING))
                .for_each(|word| sender.send(Some(Box::new(word_closure(word)))).expect("open"));
            sender.send(None).expect("open");
            ended.recv().expect("open");
        })
    };
    beside("crossbeam-channel, boxed", ours, rival)
}

pub(crate) fn host() -> Device {
    syncpoint::open("host:0").expect("the host")
}
