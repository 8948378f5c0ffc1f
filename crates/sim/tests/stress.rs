//! Many threads use the streams of an automatic world at once, and whatever the interleaving, everything settles.
//!
//! Work runs at most once and in the order of its stream, and no two answers contradict each other.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use syncpoint::sim::Sim;
use syncpoint::{Gate, Kind, Point, State, Stream};

use common::Draws;

/// What the threads of one run share.
struct Shared {
    streams: Vec<Stream>,
    /// The order in which work of each stream was enqueued is held by this lock, so that the work can check it.
    turns: Vec<Mutex<u64>>,
    ran: Vec<Arc<AtomicU64>>,
    gates: Mutex<Vec<Gate>>,
    points: Mutex<Vec<Point>>,
}

impl Shared {
    fn new(seed: u64) -> Self {
        let sim = Sim::builder().seed(seed).devices(2).build();
        let stream = |index: u32| sim.device(index % 2).and_then(|device| device.stream());
        Self {
            streams: (0..6).map(|index| stream(index).unwrap()).collect(),
            turns: (0..6).map(|_| Mutex::new(0)).collect(),
            ran: (0..6).map(|_| Arc::default()).collect(),
            gates: Mutex::default(),
            points: Mutex::default(),
        }
    }

    /// Work that panics unless it runs after all work of its stream that was enqueued before it.
    fn enqueue_counted(&self, index: usize) {
        let mut turn = self.turns[index].lock().unwrap();
        let (expected, ran) = (*turn, Arc::clone(&self.ran[index]));
        let work = move || {
            let before = ran.swap(expected + 1, Ordering::Relaxed);
            assert!(before <= expected, "work {expected} ran after work {}", before - 1);
        };
        *turn += u64::from(self.streams[index].enqueue(work).is_ok());
    }

    /// One operation of one thread. A stream that has failed refuses, and that is fine.
    fn step(&self, draws: &mut Draws) {
        let index = draws.index(self.streams.len());
        let stream = &self.streams[index];
        match draws.below(12) {
            0..=2 => drop(stream.delay(Duration::from_nanos(draws.below(3000)))),
            3 | 4 => self.enqueue_counted(index),
            5 | 6 => drop(stream.wait_stream(&self.streams[draws.index(self.streams.len())])),
            7 => self.points.lock().unwrap().push(stream.record().unwrap()),
            8 => self.hold(stream),
            9 => drop(self.gates.lock().unwrap().pop().map(|gate| gate.open())),
            10 => drop(stream.enqueue(|| Err::<(), _>("on purpose"))),
            _ => drop(stream.recover()),
        }
        if let Ok(timed) = stream.record_timed() {
            drop(timed.query());
        }
    }

    fn hold(&self, stream: &Stream) {
        let gate = Gate::new();
        if stream.wait(&gate.point()).is_ok() {
            self.gates.lock().unwrap().push(gate);
        }
    }

    /// Opens what is closed, and looks at everything twice.
    fn settle(&self, seed: u64) {
        for gate in self.gates.lock().unwrap().drain(..) {
            gate.open().unwrap();
        }
        let mut points = self.points.lock().unwrap();
        points.extend(self.streams.iter().map(|stream| stream.record().unwrap()));
        for point in points.iter() {
            let late = point.synchronize_timeout(Duration::from_secs(20)).err();
            let late = late.filter(|error| error.kind() == Kind::TimedOut);
            assert!(late.is_none(), "seed {seed}: {late:?}");
        }
        let words = |point: &Point| match point.state() {
            State::Pending => panic!("seed {seed}: {point} has not settled"),
            state => format!("{state:?}"),
        };
        let first: Vec<String> = points.iter().map(words).collect();
        let second: Vec<String> = points.iter().map(words).collect();
        assert_eq!(first, second);
    }
}

#[test]
fn threads_that_share_streams_leave_nothing_behind() {
    for seed in 0..40 {
        let shared = Arc::new(Shared::new(seed));
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut draws = Draws::new(seed * 4 + number);
                    (0..150).for_each(|_| shared.step(&mut draws));
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no call panics");
        }
        shared.settle(seed);
    }
}

#[test]
fn a_lost_device_beside_threads_that_use_it_leaves_nobody_asleep() {
    for seed in 0..40 {
        let sim = Sim::builder().seed(seed).devices(2).build();
        let streams: Vec<Stream> =
            (0..4).map(|index| sim.device(index % 2).unwrap().stream().unwrap()).collect();
        let streams = Arc::new(streams);
        let user = Arc::clone(&streams);
        let thread = thread::spawn(move || {
            let mut draws = Draws::new(seed);
            for _ in 0..300 {
                let stream = &user[draws.index(user.len())];
                let _refused_once_lost = stream.delay(Duration::from_nanos(draws.below(2000)));
                let _refused_once_lost = stream.wait_stream(&user[draws.index(user.len())]);
                let _refused_once_lost = stream.enqueue(|| ());
            }
        });
        sim.lose(0).unwrap();
        thread.join().expect("no call panics");
        for (index, stream) in streams.iter().enumerate() {
            let outcome = stream.synchronize_timeout(Duration::from_secs(20));
            let kind = outcome.map_err(|error| error.kind());
            assert_ne!(kind, Err(Kind::TimedOut), "seed {seed}, stream {index}");
            assert!(index % 2 == 1 || kind == Err(Kind::DeviceLost), "seed {seed}: {kind:?}");
        }
    }
}
