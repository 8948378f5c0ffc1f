//! What a hop from stream to stream costs: all of them enqueued behind a gate, then run.

use std::rc::Rc;
use std::time::Instant;

use syncpoint::{Gate, Stream};
use tokio::sync::Notify;

use crate::enqueue::host;
use crate::measure::{Named, Row, beside};
use crate::rival::{Flag, ThreadStream};

pub(crate) fn rows() -> Vec<Named> {
    vec![
        ("hop, enqueue and run, 2 streams", Box::new(|| against_threads(2, 20_000))),
        ("hop, enqueue and run, 16 streams", Box::new(|| against_threads(16, 20_000))),
        ("hop, enqueue and run, 1000 streams", Box::new(|| against_threads(1000, 20_000))),
        ("hop, run, 2 streams", Box::new(|| against_tokio(2, 20_000))),
        ("hop, run, 1000 streams", Box::new(|| against_tokio(1000, 20_000))),
    ]
}

/// Nanoseconds a hop: to enqueue and run, and to run alone.
fn hops(streams: &[Stream], count: u32) -> (f64, f64) {
    let gate = Gate::new();
    let begin = Instant::now();
    let mut point = gate.point();
    for index in 0..count as usize {
        let stream = &streams[index % streams.len()];
        stream.wait(&point).expect("a wait");
        point = stream.record().expect("a point");
    }
    let run = Instant::now();
    gate.open().expect("once");
    point.synchronize().expect("no work fails");
    (each(begin, count), each(run, count))
}

fn each(begin: Instant, count: u32) -> f64 {
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

fn make(count: usize) -> Vec<Stream> {
    (0..count).map(|_| host().stream().expect("a stream")).collect()
}

fn against_threads(width: usize, count: u32) -> Row {
    let streams = make(width);
    let threads: Vec<ThreadStream> = (0..width).map(|_| ThreadStream::new()).collect();
    let few = count / 10;
    let rival = move || {
        let begin = Instant::now();
        let gate = Flag::default();
        let mut flag = gate.clone();
        for index in 0..few as usize {
            let thread = &threads[index % threads.len()];
            thread.wait(&flag);
            flag = thread.record();
        }
        gate.raise();
        flag.wait();
        each(begin, few)
    };
    beside("thread a stream", move || hops(&streams, count).0, rival)
}

fn against_tokio(width: usize, count: u32) -> Row {
    let streams = make(width);
    beside(
        "tokio Notify, one thread",
        move || hops(&streams, count).1,
        move || notifies(width, count),
    )
}

/// The same ring of tasks on tokio's current-thread runtime: a task a stream, each told by the one before.
fn notifies(width: usize, count: u32) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let bells: Rc<Vec<Notify>> = Rc::new((0..width).map(|_| Notify::new()).collect());
        let tasks: Vec<_> = (0..width)
            .map(|own| {
                let bells = Rc::clone(&bells);
                tokio::task::spawn_local(async move {
                    for _ in 0..count as usize / width {
                        bells[own].notified().await;
                        bells[(own + 1) % width].notify_one();
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        let begin = Instant::now();
        bells[0].notify_one();
        for task in tasks {
            task.await.expect("no task panics");
        }
        each(begin, count)
    })
}
