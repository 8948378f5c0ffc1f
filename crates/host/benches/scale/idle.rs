//! What a hundred thousand idle streams weigh, fresh and once each has worked, and what making one takes.

use syncpoint::Stream;
use tokio::sync::mpsc;

use crate::figures::{Begin, Figures, Weight};
use crate::ours::host;
use crate::rival::runtime;

const STREAMS: u32 = 100_000;

pub(crate) fn ours() -> Figures {
    let device = host();
    // What the device and its threads need is there before the first weight.
    let first = device.stream().expect("a stream");
    first.enqueue(|| ()).expect("room");
    device.synchronize().expect("no work fails");
    weigh(
        || device.stream().expect("a stream"),
        |streams: &mut Vec<Stream>| {
            for stream in &*streams {
                stream.enqueue(|| ()).expect("room");
            }
            device.synchronize().expect("no work fails");
        },
    )
}

/// A task that runs what comes through its channel, and one that counts what has come.
pub(crate) fn tokio() -> Figures {
    type Function = Box<dyn FnOnce() + Send>;
    let runtime = runtime();
    let make = || {
        let (sender, mut functions) = mpsc::unbounded_channel::<Function>();
        drop(runtime.spawn(async move {
            while let Some(function) = functions.recv().await {
                function();
            }
        }));
        sender
    };
    weigh(make, |senders| {
        let (ran, mut told) = mpsc::unbounded_channel();
        for sender in &*senders {
            let ran = ran.clone();
            let work = move || ran.send(()).expect("it listens");
            assert!(sender.send(Box::new(work)).is_ok(), "the task waits");
        }
        for _ in 0..STREAMS {
            told.blocking_recv().expect("a sender lives");
        }
    })
}

fn weigh<T>(make: impl Fn() -> T, use_once: impl FnOnce(&mut Vec<T>)) -> Figures {
    let mut figures = Figures::default();
    let mut made = Vec::with_capacity(STREAMS as usize);
    let weight = Weight::begin();
    let begin = Begin::now();
    made.extend((0..STREAMS).map(|_| make()));
    figures.time("make", &begin);
    figures.note("fresh", weight.live() / f64::from(STREAMS));
    use_once(&mut made);
    figures.note("used", weight.live() / f64::from(STREAMS));
    let begin = Begin::now();
    drop(made);
    figures.time("drop", &begin);
    figures.note("left", weight.live() / f64::from(STREAMS));
    figures
}
