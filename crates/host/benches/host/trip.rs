//! What it costs to enqueue, record and synchronize: in a loop, cold, and through a pipeline of streams.

use std::time::{Duration, Instant};

use syncpoint::Stream;

use crate::enqueue::host;
use crate::measure::{Named, Row, beside, time_each};
use crate::rival::ThreadStream;

pub(crate) fn rows() -> Vec<Named> {
    vec![
        ("trip, in a loop", Box::new(|| trip(Duration::ZERO, 2000))),
        ("trip, 50 us between", Box::new(|| trip(Duration::from_micros(50), 50))),
        ("trip, 1 ms between", Box::new(|| trip(Duration::from_millis(1), 8))),
        ("pipeline of 2", Box::new(|| pipeline(2))),
        ("pipeline of 8", Box::new(|| pipeline(8))),
        ("pipeline of 64", Box::new(|| pipeline(64))),
    ]
}

/// Sums the time of trips without the pauses between them.
fn trips(count: u32, pause: Duration, mut trip: impl FnMut()) -> f64 {
    let mut total = Duration::ZERO;
    for _ in 0..count {
        busy_pause(pause);
        let begin = Instant::now();
        trip();
        total += begin.elapsed();
    }
    total.as_secs_f64() * 1e9 / f64::from(count)
}

/// Lets time pass without giving up the core, as a program that computes between two trips does.
fn busy_pause(pause: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < pause {
        std::hint::spin_loop();
    }
}

fn trip(pause: Duration, count: u32) -> Row {
    let stream = host().stream().expect("a stream");
    let thread = ThreadStream::new();
    let ours = move || {
        let trip = || {
            stream.enqueue(|| ()).expect("room");
            stream.record().expect("a point").synchronize().expect("no work fails");
        };
        if pause.is_zero() {
            time_each(count, || (0..count).for_each(|_| trip()))
        } else {
            trips(count, pause, trip)
        }
    };
    let rival = move || {
        trips(count.min(50), pause, || {
            thread.enqueue(|| ());
            thread.record().wait();
        })
    };
    beside("thread a stream", ours, rival)
}

fn pipeline(stages: usize) -> Row {
    let streams: Vec<Stream> = (0..stages).map(|_| host().stream().expect("a stream")).collect();
    let threads: Vec<ThreadStream> = (0..stages).map(|_| ThreadStream::new()).collect();
    let ours = move || {
        trips(20, Duration::ZERO, || {
            let mut last = None;
            for stream in &streams {
                if let Some(point) = last.take() {
                    stream.wait(&point).expect("a wait");
                }
                stream.enqueue(|| ()).expect("room");
                last = Some(stream.record().expect("a point"));
            }
            last.expect("a stage").synchronize().expect("no work fails");
        })
    };
    let rival = move || {
        trips(5, Duration::ZERO, || {
            let mut last: Option<crate::rival::Flag> = None;
            for thread in &threads {
                if let Some(flag) = last.take() {
                    thread.wait(&flag);
                }
                thread.enqueue(|| ());
                last = Some(thread.record());
            }
            last.expect("a stage").wait();
        })
    };
    beside("thread a stream", ours, rival)
}
