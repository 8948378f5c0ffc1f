//! Records by many threads at once, each on a stream of its own and all on one.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use syncpoint::Stream;

use crate::figures::{Figures, median};
use crate::ours::host;

/// Records are timed in batches, whose median leaves out those in which the thread lost its core.
const BATCH: u32 = 1000;
const BATCHES: u32 = 2000;

pub(crate) fn each_its_own(threads: &[usize]) -> Figures {
    let streams = (0..threads[0]).map(|_| Arc::new(host().stream().expect("a stream")));
    measure(streams.collect())
}

pub(crate) fn all_on_one(threads: &[usize]) -> Figures {
    let stream = Arc::new(host().stream().expect("a stream"));
    measure(vec![stream; threads[0]])
}

fn measure(streams: Vec<Arc<Stream>>) -> Figures {
    let threads = streams.len();
    let barrier = Arc::new(Barrier::new(threads + 1));
    let spawn = |stream: Arc<Stream>| {
        let barrier = Arc::clone(&barrier);
        thread::spawn(move || {
            barrier.wait();
            median((0..BATCHES).map(|_| batch(&stream)).collect())
        })
    };
    let running: Vec<_> = streams.into_iter().map(spawn).collect();
    barrier.wait();
    let begin = Instant::now();
    let medians: Vec<f64> =
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    let wall = begin.elapsed().as_secs_f64() * 1e9;

    let mut figures = Figures::default();
    figures.note("wall", wall / (threads as f64 * f64::from(BATCH * BATCHES)));
    figures.note("mean", medians.iter().sum::<f64>() / threads as f64);
    figures.note("least", medians.iter().copied().fold(f64::INFINITY, f64::min));
    figures.note("most", medians.iter().copied().fold(0.0, f64::max));
    figures
}

/// Nanoseconds a record.
fn batch(stream: &Stream) -> f64 {
    let begin = Instant::now();
    for _ in 0..BATCH {
        drop(black_box(stream.record().expect("a point")));
    }
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH)
}
