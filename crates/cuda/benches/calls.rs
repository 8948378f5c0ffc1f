//! What a record, a wait and a query take beside the driver's own calls, and how long a delay is by the device's clock.
//!
//! `cargo bench -p syncpoint-cuda --bench calls`, on the stand-in driver, or on the one that `SYNCPOINT_CUDA_LIBRARY` names,
//! `libcuda.so.1` say. In each row all rounds of the driver's own calls come first, then all of ours: some operations onto a stream
//! that is idle, then a pause until they are over. A record of ours is one behind a launch of nothing, since two records
//! without work between them are one; so the launch's own row is there too, which calls no driver. A query of ours asks a
//! point that is pending, and one of the driver's an event that has come.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench tells, and stops where it cannot"
)]

#[path = "../tests/fake/mod.rs"]
mod fake;

use std::hint::black_box;
use std::time::{Duration, Instant};

use syncpoint::{Device, Stream};

use fake::Fake;

/// Few enough that no queue of a device fills.
const TIMES: u32 = 200;
const ROUNDS: usize = 201;

fn main() {
    let fake = Fake::or_the_drivers();
    let device = syncpoint::open("cuda:0").expect("the driver has a device");
    fake.make_current(0);
    println!("{}, {TIMES} calls a round, the middle of {ROUNDS} rounds", device.clock());
    println!("{:>8} {:>12} {:>12} {:>7}", "", "driver's own", "ours", "ratio");
    let (ours, raw) = (Ours::new(&device), Raw::new(fake));
    let work = median(|| ours.work());
    println!("{:>8} {:>12} {work:>12.1?}", "launch", "");
    row("record", || raw.record(), || ours.record(), work);
    let record = median(|| ours.record());
    row("wait", || raw.wait(), || ours.record_and_wait(), record);
    row("query", || raw.query(), || ours.query(), Duration::ZERO);
    for micros in [10, 100, 1000, 100_000] {
        delay(&device, Duration::from_micros(micros));
    }
}

/// One operation on both sides; `less` is what ours does besides.
fn row(name: &str, raw: impl Fn() -> Duration, ours: impl Fn() -> Duration, less: Duration) {
    let (raw, ours) = (median(raw), median(ours).saturating_sub(less));
    let ratio = ours.as_secs_f64() / raw.as_secs_f64();
    println!("{name:>8} {raw:>12.1?} {ours:>12.1?} {ratio:>7.2}");
}

/// What one call takes.
fn median(round: impl Fn() -> Duration) -> Duration {
    let mut rounds: Vec<Duration> = (0..ROUNDS).map(|_| round() / TIMES).collect();
    rounds.sort_unstable();
    rounds[ROUNDS / 2]
}

fn timed(mut call: impl FnMut()) -> Duration {
    let begin = Instant::now();
    for _ in 0..TIMES {
        call();
    }
    begin.elapsed()
}

/// Two managed streams.
struct Ours {
    stream: Stream,
    other: Stream,
}

impl Ours {
    fn new(device: &Device) -> Self {
        let made = || device.stream().expect("a stream");
        Self { stream: made(), other: made() }
    }

    fn put(&self) {
        black_box(&self.stream).delay(Duration::ZERO).expect("room");
    }

    fn settle(&self, took: Duration) -> Duration {
        self.stream.synchronize().expect("no failure");
        self.other.synchronize().expect("no failure");
        took
    }

    fn work(&self) -> Duration {
        let took = timed(|| self.put());
        self.settle(took)
    }

    fn record(&self) -> Duration {
        let took = timed(|| {
            self.put();
            black_box(self.stream.record().expect("a point"));
        });
        self.settle(took)
    }

    /// A wait for what was recorded: `main` takes the record from the middle of many, since the difference of two rounds may
    /// be anything.
    fn record_and_wait(&self) -> Duration {
        let both = timed(|| {
            self.put();
            self.other.wait(&self.stream.record().expect("a point")).expect("a wait");
        });
        self.settle(both)
    }

    /// A query of what is pending.
    fn query(&self) -> Duration {
        self.stream.delay(Duration::from_millis(5)).expect("room");
        let point = self.stream.record().expect("a point");
        let took = timed(|| {
            black_box(point.query().expect("no failure"));
        });
        self.settle(took)
    }
}

/// The same by the driver's calls.
struct Raw {
    record: Box<dyn Fn(usize, usize) -> i32>,
    wait: Box<dyn Fn(usize, usize) -> i32>,
    query: Box<dyn Fn(usize, usize) -> i32>,
    idle: Box<dyn Fn(usize, usize) -> i32>,
    streams: [usize; 2],
    event: usize,
}

impl Raw {
    fn new(fake: &Fake) -> Self {
        const NON_BLOCKING: usize = 1;
        const NO_TIMING: usize = 2;
        let make = |function: &str, flags| {
            let mut made = 0_usize;
            let room = (&raw mut made).expose_provenance();
            assert_eq!(fake.call(function, room, flags), 0, "{function}");
            made
        };
        Self {
            record: Box::new(fake.function("cuEventRecord")),
            wait: Box::new(fake.function("cuStreamWaitEvent")),
            query: Box::new(fake.function("cuEventQuery")),
            idle: Box::new(fake.function("cuStreamQuery")),
            streams: [(); 2].map(|()| make("cuStreamCreate", NON_BLOCKING)),
            event: make("cuEventCreate", NO_TIMING),
        }
    }

    fn settle(&self, took: Duration) -> Duration {
        while self.streams.iter().any(|stream| (self.idle)(*stream, 0) != 0) {}
        took
    }

    fn record(&self) -> Duration {
        let took = timed(|| assert_eq!((self.record)(self.event, self.streams[0]), 0));
        self.settle(took)
    }

    /// As ours: beside a record, less the record.
    fn wait(&self) -> Duration {
        let both = timed(|| {
            assert_eq!((self.record)(self.event, self.streams[0]), 0);
            assert_eq!((self.wait)(self.streams[1], self.event), 0);
        });
        let both = self.settle(both);
        both.saturating_sub(self.record())
    }

    fn query(&self) -> Duration {
        timed(|| {
            black_box((self.query)(self.event, 0));
        })
    }
}

/// How long a delay was, by the device's clock.
fn delay(device: &Device, length: Duration) {
    let stream = device.stream().expect("a stream");
    let once = || {
        let start = stream.record_timed().expect("a point");
        stream.delay(length).expect("room");
        let end = stream.record_timed().expect("a point");
        end.synchronize().expect("no failure");
        end.elapsed_since(&start).expect("a time")
    };
    let mut lengths: Vec<Duration> = (0..11).map(|_| once()).collect();
    lengths.sort_unstable();
    println!("a delay of {length:?}: {:?}, {:?} at most", lengths[5], lengths[10]);
}
