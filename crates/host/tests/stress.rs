//! Many host threads on few streams: nothing is lost, nothing runs twice, nothing hangs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use syncpoint::{Device, Gate, Point, Stream, Wait};

/// Long enough for the slowest machine; a lost wake-up would last for ever.
const DEADLINE: Duration = Duration::from_secs(60);

const STREAMS: usize = 7;
const THREADS: u64 = 4;
const STEPS: u64 = 5_000;

/// A small generator of our own: the test must not depend on one whose numbers change.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// What all threads share: each stream counts its items, which must run one at a time and in order.
struct Bed {
    streams: Vec<Stream>,
    running: Vec<AtomicU64>,
    ran: AtomicU64,
}

impl Bed {
    fn new(device: &Device) -> Arc<Self> {
        Arc::new(Self {
            streams: (0..STREAMS).map(|_| device.stream().unwrap()).collect(),
            running: (0..STREAMS).map(|_| AtomicU64::new(0)).collect(),
            ran: AtomicU64::new(0),
        })
    }

    fn enqueue(self: &Arc<Self>, index: usize) {
        let bed = Arc::clone(self);
        let work = move || {
            assert_eq!(
                bed.running[index].fetch_add(1, Ordering::AcqRel),
                0,
                "two items of one stream at once"
            );
            bed.ran.fetch_add(1, Ordering::Relaxed);
            assert_eq!(bed.running[index].fetch_sub(1, Ordering::AcqRel), 1);
        };
        self.streams[index].enqueue(work).unwrap();
    }
}

/// Random use of the streams; gives how many items it enqueued.
fn play(bed: &Arc<Bed>, seed: u64) -> u64 {
    let mut dice = Dice(seed | 1);
    let mut last: Option<Point> = None;
    let mut enqueued = 0;
    for _ in 0..STEPS {
        let index = dice.roll(STREAMS);
        let stream = &bed.streams[index];
        match dice.roll(12) {
            0..=4 => {
                bed.enqueue(index);
                enqueued += 1;
            }
            5 | 6 => last = Some(stream.record().unwrap()),
            7 => last = Some(stream.record_timed().unwrap().point().clone()),
            8 | 9 => {
                if let Some(point) = &last {
                    stream.wait(point).unwrap();
                }
            }
            10 => {
                let gate = Gate::new();
                stream.wait(&gate.point()).unwrap();
                gate.open().unwrap();
            }
            _ => wait(&mut dice, &stream.record().unwrap()),
        }
    }
    enqueued
}

fn wait(dice: &mut Dice, point: &Point) {
    match dice.roll(4) {
        0 => point.synchronize().unwrap(),
        1 => point.synchronize_timeout(DEADLINE).unwrap(),
        2 => point.synchronize_with(Wait::Block, Some(DEADLINE)).unwrap(),
        _ => point.synchronize_with(Wait::Yield, Some(DEADLINE)).unwrap(),
    }
}

#[test]
fn four_threads_on_seven_streams_lose_nothing() {
    let device = syncpoint::open("host:0").unwrap();
    for round in 0..20 {
        let bed = Bed::new(&device);
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let bed = Arc::clone(&bed);
                thread::spawn(move || play(&bed, 0x9E37_79B9 * (round * THREADS + thread + 1)))
            })
            .collect();
        let enqueued: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        for stream in &bed.streams {
            stream.synchronize_timeout(DEADLINE).unwrap();
        }
        assert_eq!(bed.ran.load(Ordering::Relaxed), enqueued);
    }
}
