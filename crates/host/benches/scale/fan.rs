//! One, then a thousand, then one: from the release of the first to the end of the last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use syncpoint::{Gate, Stream};
use tokio::runtime::Runtime;
use tokio::sync::SetOnce;

use crate::figures::{Figures, median, quantile};
use crate::ours::host;
use crate::rival::runtime;

const WIDTH: u32 = 1000;
const SAMPLES: u32 = 51;

/// The first samples warm up and count for nothing.
const WARM_UP: u32 = 5;

fn sample(mut once: impl FnMut() -> f64) -> Figures {
    for _ in 0..WARM_UP {
        once();
    }
    let samples: Vec<f64> = (0..SAMPLES).map(|_| once()).collect();
    let mut figures = Figures::default();
    figures.note("median", median(samples.clone()));
    figures.note("p90", quantile(samples, 0.9));
    figures
}

fn nanos_since(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e9
}

pub(crate) fn ours() -> Figures {
    let device = host();
    let stream = || device.stream().expect("a stream");
    let (first, last) = (stream(), stream());
    let middle: Vec<Stream> = (0..WIDTH).map(|_| stream()).collect();
    sample(|| {
        let gate = Gate::new();
        first.wait(&gate.point()).expect("a wait");
        first.enqueue(|| ()).expect("room");
        first.fork(&middle).expect("waits");
        for stream in &middle {
            stream.enqueue(|| ()).expect("room");
        }
        last.join(&middle).expect("waits");
        last.enqueue(|| ()).expect("room");
        let end = last.record().expect("a point");
        let begin = Instant::now();
        gate.open().expect("once");
        end.synchronize().expect("no work fails");
        nanos_since(begin)
    })
}

pub(crate) fn tokio() -> Figures {
    let runtime = runtime();
    sample(|| tokio_once(&runtime))
}

/// What the tasks of one sample share.
struct Shared {
    gate: SetOnce<()>,
    forked: SetOnce<()>,
    joined: SetOnce<()>,
    arrived: AtomicU32,
    left: AtomicU32,
}

/// The last of the tasks in the middle lets the last task go on: cheaper than to join a thousand handles.
fn tokio_once(runtime: &Runtime) -> f64 {
    let shared = Arc::new(Shared {
        gate: SetOnce::new(),
        forked: SetOnce::new(),
        joined: SetOnce::new(),
        arrived: AtomicU32::new(0),
        left: AtomicU32::new(WIDTH),
    });
    for _ in 0..WIDTH {
        drop(runtime.spawn(middle(Arc::clone(&shared))));
    }
    let first = Arc::clone(&shared);
    drop(runtime.spawn(async move {
        first.gate.wait().await;
        first.forked.set(()).expect("once");
    }));
    let last = Arc::clone(&shared);
    let last = runtime.spawn(async move {
        last.joined.wait().await;
    });
    while shared.arrived.load(Ordering::Acquire) < WIDTH {
        thread::yield_now();
    }
    let begin = Instant::now();
    shared.gate.set(()).expect("once");
    runtime.block_on(last).expect("no task fails");
    nanos_since(begin)
}

async fn middle(shared: Arc<Shared>) {
    shared.arrived.fetch_add(1, Ordering::Release);
    shared.forked.wait().await;
    if shared.left.fetch_sub(1, Ordering::AcqRel) == 1 {
        shared.joined.set(()).expect("once");
    }
}
