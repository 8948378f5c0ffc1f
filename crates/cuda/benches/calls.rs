//! What a record, a wait and a query take beside the driver's own calls, and how long a delay is by the device's clock.
//!
//! `cargo bench -p syncpoint-cuda --bench calls`, on the stand-in driver, or on the one that `SYNCPOINT_CUDA_LIBRARY` names,
//! `libcuda.so.1` say. A round is some operations onto a stream that is idle, then a pause until they are over; the rounds of
//! a row are taken in turns, one of the driver's own calls and one of ours. A record of ours is one behind a launch of nothing,
//! since two records without work between them are one; so rounds of launches alone, which call no driver, stand between, and
//! are taken off. A wait is one behind a record on both sides, less rounds of records. Queries are asked of what is
//! pending on both sides, of one delay and through it, and of what is complete on both: that ours know by themselves.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench tells, and stops where it cannot"
)]

#[path = "../tests/fake/mod.rs"]
mod fake;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint::cuda::RawStream;
use syncpoint::{Device, Point, Stream};

use fake::Fake;

/// Few enough that no queue of a device fills.
const TIMES: u32 = 200;
const ROUNDS: usize = 201;

/// Long beside the queries of a round.
const DELAY: Duration = Duration::from_millis(5);
/// What the driver says of an event that has not come.
const NOT_READY: i32 = 600;

fn main() {
    let fake = Fake::or_the_drivers();
    let device = syncpoint::open("cuda:0").expect("the driver has a device");
    fake.make_current(0);
    println!("{}, {TIMES} calls a round, the middle of {ROUNDS} rounds", device.clock());
    println!("{:>16} {:>12} {:>12} {:>7}", "", "driver's own", "ours", "ratio");
    let (ours, raw) = (Ours::new(&device), Raw::new(fake));
    let nothing = || Duration::ZERO;
    row("record", [&|| raw.record(), &nothing], [&|| ours.record(), &|| ours.work()]);
    let records: Side<'_> = [&|| raw.record_and_wait(), &|| raw.record()];
    row("wait", records, [&|| ours.record_and_wait(), &|| ours.record()]);
    let pending = Pending { ours: &ours, raw: &raw };
    row("query, pending", [&|| pending.raw(), &nothing], [&|| pending.ours(), &nothing]);
    row("query, complete", [&|| raw.query(), &nothing], [&|| ours.query(), &nothing]);
    for micros in [10, 100, 1000, 100_000] {
        delay(&device, Duration::from_micros(micros));
    }
}

/// A round of operations, and one of what they do besides.
type Side<'a> = [&'a dyn Fn() -> Duration; 2];

/// One operation on both sides, in turns.
fn row(name: &str, raw: Side<'_>, ours: Side<'_>) {
    let sides = [raw[0], raw[1], ours[0], ours[1]];
    let mut took = [(); 4].map(|()| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (took, round) in took.iter_mut().zip(sides) {
            took.push(round() / TIMES);
        }
    }
    let [raw, besides_raw, ours, besides_ours] = took.map(median);
    let (raw, ours) = (raw.saturating_sub(besides_raw), ours.saturating_sub(besides_ours));
    let ratio = ours.as_secs_f64() / raw.as_secs_f64();
    println!("{name:>16} {raw:>12.1?} {ours:>12.1?} {ratio:>7.2}");
}

/// The middle of some rounds.
fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds[rounds.len() / 2]
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

    /// A record, and another stream's wait for it.
    fn record_and_wait(&self) -> Duration {
        let both = timed(|| {
            self.put();
            self.other.wait(&self.stream.record().expect("a point")).expect("a wait");
        });
        self.settle(both)
    }

    /// A query of what is known to be complete, for which no driver is called.
    fn query(&self) -> Duration {
        self.put();
        let point = self.stream.record().expect("a point");
        point.synchronize().expect("no failure");
        timed(|| {
            black_box(point.query().expect("no failure"));
        })
    }
}

/// A function of the driver's.
type Call = Arc<dyn Fn(usize, usize) -> i32 + Send + Sync>;

/// The same by the driver's calls.
struct Raw {
    record: Call,
    wait: Call,
    query: Call,
    idle: Call,
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
            record: Arc::new(fake.function("cuEventRecord")),
            wait: Arc::new(fake.function("cuStreamWaitEvent")),
            query: Arc::new(fake.function("cuEventQuery")),
            idle: Arc::new(fake.function("cuStreamQuery")),
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

    /// A record, and another stream's wait for it.
    fn record_and_wait(&self) -> Duration {
        let both = timed(|| {
            assert_eq!((self.record)(self.event, self.streams[0]), 0);
            assert_eq!((self.wait)(self.streams[1], self.event), 0);
        });
        self.settle(both)
    }

    /// A query of an event that has come.
    fn query(&self) -> Duration {
        assert_eq!((self.record)(self.event, self.streams[0]), 0);
        self.settle(Duration::ZERO);
        timed(|| {
            black_box((self.query)(self.event, 0));
        })
    }
}

/// Queries of what a delay on a stream of ours holds back. A round at whose end the delay is over, because the machine gave
/// the time to others, is taken anew.
struct Pending<'a> {
    ours: &'a Ours,
    raw: &'a Raw,
}

impl Pending<'_> {
    fn ours(&self) -> Duration {
        self.round(|point| {
            let took = timed(|| {
                black_box(point.query().expect("no failure"));
            });
            (!point.query().expect("no failure")).then_some(took)
        })
    }

    /// The same of an event of the driver's behind the delay.
    fn raw(&self) -> Duration {
        self.round(|_| {
            self.record_behind();
            let query = || (self.raw.query)(self.raw.event, 0);
            let took = timed(|| {
                black_box(query());
            });
            (query() == NOT_READY).then_some(took)
        })
    }

    fn round(&self, round: impl Fn(&Point) -> Option<Duration>) -> Duration {
        for _ in 0..ROUNDS {
            self.ours.stream.delay(DELAY).expect("room");
            let took = round(&self.ours.stream.record().expect("a point"));
            let took = took.map(|took| self.ours.settle(took));
            match took {
                Some(took) => return took,
                None => drop(self.ours.settle(Duration::ZERO)),
            }
        }
        panic!("{TIMES} queries take longer here than the {DELAY:?} that they are to see pending")
    }

    fn record_behind(&self) {
        let event = self.raw.event;
        let record = Arc::clone(&self.raw.record);
        let submitted = self.ours.stream.submit(move |submission| {
            let stream = submission.native::<RawStream>().expect("a handle is lent");
            assert_eq!(record(event, stream.as_ptr().addr()), 0);
        });
        submitted.expect("the stream takes it");
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
