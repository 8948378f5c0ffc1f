//! What streams of Vulkan cost beside calls of the driver by hand: `cargo bench -p syncpoint-vulkan`.
//!
//! Both sides take turns, each on a device of its own of the same driver. A turn is fifty operations onto an idle queue,
//! which is drained between turns and outside the time.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on fails, and prints"
)]

mod driver;

use std::hint::black_box;
use std::time::{Duration, Instant};

use syncpoint::{Buffer, Point, Stream};

use driver::Driver;

/// Operations in a turn.
const TURN: u32 = 50;

/// Turns of each side.
const TURNS: usize = 300;

/// Two streams of ours, and what they work on.
struct Ours {
    stream: Stream,
    other: Stream,
    buffer: Buffer,
}

impl Ours {
    fn new() -> Self {
        let device = syncpoint::vulkan::open(0).expect("a device");
        let stream = || device.stream().expect("a stream");
        let buffer = device.buffer(64).expect("a buffer");
        Self { stream: stream(), other: stream(), buffer }
    }

    fn fill(&self, stream: &Stream) {
        stream.fill(&self.buffer, 0..64, 1).expect("a fill");
    }

    fn point(&self) -> Point {
        self.other.record().expect("a record")
    }

    fn drain(&self) {
        self.stream.synchronize().expect("the end");
        self.other.synchronize().expect("the end");
    }
}

/// One case: its name, and what one operation is on either side.
type Case = (&'static str, fn(&Ours), fn(&mut Driver));

const CASES: [Case; 4] = [
    ("submit a fill", |ours| ours.fill(&ours.stream), |raw| raw.fill(0)),
    (
        "fill and record",
        |ours| {
            ours.fill(&ours.stream);
            black_box(ours.stream.record().expect("a record"));
        },
        |raw| raw.fill(0),
    ),
    (
        "fill, and wait for it on another stream",
        |ours| {
            ours.fill(&ours.other);
            ours.stream.wait(&ours.point()).expect("a wait");
        },
        |raw| {
            raw.fill(1);
            raw.wait();
        },
    ),
    (
        "fill and query",
        |ours| {
            ours.fill(&ours.stream);
            let point = ours.stream.record().expect("a record");
            black_box(point.query().expect("an answer"));
        },
        |raw| {
            raw.fill(0);
            black_box(raw.query());
        },
    ),
];

fn main() {
    let (ours, mut raw) = (Ours::new(), Driver::new());
    println!("{:40} {:>9} {:>9} {:>6}", "", "ours (ns)", "raw (ns)", "ratio");
    for (name, own, by_hand) in CASES {
        let (mut own_times, mut raw_times) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            own_times.push(turn(|| own(&ours)));
            ours.drain();
            raw_times.push(turn(|| by_hand(&mut raw)));
            raw.drain();
        }
        let (own, by_hand) = (median(own_times), median(raw_times));
        println!("{name:40} {own:9.0} {by_hand:9.0} {:6.2}", own / by_hand);
    }
}

fn turn(mut operation: impl FnMut()) -> Duration {
    let begin = Instant::now();
    for _ in 0..TURN {
        operation();
    }
    begin.elapsed()
}

/// Nanoseconds for one operation.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e9 / f64::from(TURN)
}
