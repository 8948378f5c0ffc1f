//! The rules of the host's scheduler, one test or more for each that can be seen from outside.
//!
//! The documentation of the crate lists them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use syncpoint::{Device, Error, Gate, Point, State, Stream, StreamOptions};
use syncpoint_conformance::busy::Busy;
use syncpoint_conformance::journal::Journal;
use syncpoint_conformance::patience::{PATIENCE, heard, say, settle};

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

fn stream() -> Stream {
    host().stream().unwrap()
}

fn usual_on(device: &Device) -> Stream {
    device.stream().unwrap()
}

fn urgent_on(device: &Device) -> Stream {
    let options = StreamOptions::new().with_priority(device.priority_range().greatest());
    device.stream_with(options).unwrap()
}

/// A device without workers, made for one attempt: those that earlier attempts brought would not wait for others.
fn fresh() -> Device {
    syncpoint_host::open("host:fresh")
}

/// Keeps all workers that are there without being asked for busy, in a way that nobody can see.
fn occupy(device: &Device) -> Vec<(Stream, Busy)> {
    let count = thread::available_parallelism().unwrap().get();
    (0..count)
        .map(|_| {
            let stream = device.stream().unwrap();
            let busy = Busy::on(&stream).unwrap();
            (stream, busy)
        })
        .collect()
}

// Rule 2: opening, failing and enqueueing only make streams runnable.

#[test]
fn opening_a_gate_runs_nothing_on_the_thread_that_opens_it() {
    for _ in 0..100 {
        let (stream, gate, (sender, receiver)) = (stream(), Gate::new(), channel());
        stream.wait(&gate.point()).unwrap();
        stream.enqueue(move || say(&sender, thread::current().id())).unwrap();
        gate.open().unwrap();
        assert_ne!(heard(&receiver, "the work behind the gate"), thread::current().id());
    }
}

#[test]
fn an_enqueue_runs_nothing_on_its_thread() {
    for _ in 0..100 {
        let (stream, (sender, receiver)) = (stream(), channel());
        stream.enqueue(move || say(&sender, thread::current().id())).unwrap();
        assert_ne!(heard(&receiver, "the work"), thread::current().id());
    }
}

/// Says on which thread it is dropped.
struct DropTold(Sender<ThreadId>);

impl Drop for DropTold {
    fn drop(&mut self) {
        say(&self.0, thread::current().id());
    }
}

#[test]
fn failing_a_gate_runs_and_drops_nothing_on_the_thread_that_fails_it() {
    for _ in 0..100 {
        let (stream, gate, (sender, receiver)) = (stream(), Gate::new(), channel());
        stream.wait(&gate.point()).unwrap();
        let (dropped, called) = (DropTold(sender.clone()), sender);
        stream.enqueue(move || drop(dropped)).unwrap();
        let notified = stream.record().unwrap();
        notified.notify(move |_| say(&called, thread::current().id())).unwrap();
        gate.fail(Error::failed("on purpose")).unwrap();
        for what in ["one of the capture and the callback", "the other"] {
            assert_ne!(heard(&receiver, what), thread::current().id());
        }
    }
}

// Rule 3: what a stream sets free is published before the next function of the user's runs.

#[test]
fn work_that_blocks_does_not_strand_what_its_stream_set_free_before() {
    for _ in 0..20 {
        let ([opener, freed], promised) = ([stream(), stream()], Gate::new());
        let (begin, journal) = (Gate::new(), Journal::default());
        freed.wait(&promised.point()).unwrap();
        journal.work(&freed, "freed").unwrap();
        let end = freed.record().unwrap();
        opener.wait(&begin.point()).unwrap();
        opener.open(&promised).unwrap();
        let inside = end.clone();
        // The blocking work waits, in its way, for what was set free just before it.
        opener
            .enqueue(move || {
                let deadline = Instant::now() + PATIENCE / 2;
                while !inside.query().unwrap() && Instant::now() < deadline {
                    thread::yield_now();
                }
                inside.query().unwrap().then_some(()).ok_or("what was set free is stranded")
            })
            .unwrap();
        begin.open().unwrap();
        settle(&end);
        settle(&opener.record().unwrap());
    }
}

/// Says, when it is dropped, whether a point settles meanwhile.
struct Asks(Point, Sender<bool>);

impl Drop for Asks {
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE / 2;
        let is_pending = || matches!(self.0.state(), State::Pending);
        while is_pending() && Instant::now() < deadline {
            thread::yield_now();
        }
        say(&self.1, !is_pending());
    }
}

/// A stream fails, and drops a capture that asks, while it is dropped, what has become of who waited for the stream.
fn a_capture_is_dropped_that_asks_who_waited_for(what: fn(&Stream) -> Point) {
    let device = fresh();
    drop(occupy(&device));
    for _ in 0..20 {
        // Until the workers sleep: then they come only when they are called.
        Gate::new().point().synchronize_timeout(Duration::from_millis(5)).unwrap_err();
        let (gate, (sender, receiver)) = (Gate::new(), channel());
        let [failing, waiting] = [usual_on(&device), usual_on(&device)];
        failing.wait(&gate.point()).unwrap();
        failing.enqueue(|| Err::<(), _>("on purpose")).unwrap();
        waiting.wait(&what(&failing)).unwrap();
        let asks = Asks(waiting.record().unwrap(), sender);
        failing.enqueue(move || drop(asks)).unwrap();
        gate.open().unwrap();
        assert!(heard(&receiver, "the drop of the capture"), "what was set free is stranded");
    }
}

#[test]
fn captures_that_a_failure_drops_do_not_strand_what_it_set_free() {
    a_capture_is_dropped_that_asks_who_waited_for(|failing| failing.record().unwrap());
}

#[test]
fn captures_that_a_failure_drops_do_not_strand_what_waited_for_a_gate_that_failed_with_it() {
    a_capture_is_dropped_that_asks_who_waited_for(|failing| {
        let promised = Gate::new();
        failing.open(&promised).unwrap();
        promised.point()
    });
}

// Rule 4: fairness and priority.

/// What streams that feed themselves share: how much they ran, until it is to end.
#[derive(Default)]
struct Fed {
    items: AtomicUsize,
    ends: AtomicBool,
}

/// A stream that feeds itself until it is to end.
fn feed(stream: &Arc<Stream>, fed: &Arc<Fed>) {
    let (own, shared) = (Arc::clone(stream), Arc::clone(fed));
    let enqueued = stream.enqueue(move || {
        shared.items.fetch_add(1, Ordering::Relaxed);
        if !shared.ends.load(Ordering::Relaxed) {
            feed(&own, &shared);
        }
    });
    enqueued.unwrap();
}

/// So many streams more than there are workers feed themselves for ever beside others.
const READY: usize = 4;

/// Runs while streams of this kind feed themselves for ever, more of them than there are workers.
fn beside_streams_that_never_end(
    make: fn(&Device) -> Stream,
    code: impl FnOnce(&Device, &Arc<Fed>),
) {
    // Workers that other tests brought would serve them all.
    let (device, fed) = (fresh(), Arc::new(Fed::default()));
    let count = thread::available_parallelism().unwrap().get() + READY;
    let streams: Vec<_> = (0..count).map(|_| Arc::new(make(&device))).collect();
    for stream in &streams {
        feed(stream, &fed);
    }
    code(&device, &fed);
    fed.ends.store(true, Ordering::Relaxed);
    for stream in &streams {
        stream.synchronize_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn streams_that_never_end_starve_none_of_their_own_priority() {
    beside_streams_that_never_end(usual_on, |device, _| {
        for _ in 0..20 {
            let other = usual_on(device);
            other.enqueue(|| ()).unwrap();
            settle(&other.record().unwrap());
        }
    });
}

#[test]
fn urgent_streams_that_never_end_do_not_starve_what_their_workers_set_free() {
    beside_streams_that_never_end(urgent_on, |device, _| {
        for _ in 0..20 {
            let (least, urgent) = (usual_on(device), urgent_on(device));
            let gate = Gate::new();
            urgent.wait(&gate.point()).unwrap();
            urgent.enqueue(|| ()).unwrap();
            least.wait(&urgent.record().unwrap()).unwrap();
            gate.open().unwrap();
            settle(&least.record().unwrap());
        }
    });
}

#[test]
fn beside_streams_that_never_end_work_may_wait_for_what_its_own_worker_set_free() {
    beside_streams_that_never_end(usual_on, |device, _| {
        for _ in 0..20 {
            let (first, freed, gate) = (usual_on(device), usual_on(device), Gate::new());
            first.wait(&gate.point()).unwrap();
            first.enqueue(|| ()).unwrap();
            freed.wait(&first.record().unwrap()).unwrap();
            freed.enqueue(|| ()).unwrap();
            let end = freed.record().unwrap();
            first.enqueue(move || end.synchronize_timeout(PATIENCE)).unwrap();
            gate.open().unwrap();
            settle(&first.record().unwrap());
        }
    });
}

#[test]
fn urgent_streams_that_never_end_make_the_least_urgent_late_and_do_not_starve_it() {
    // Each time on a device of its own: on a busy machine a worker may be taken for a blocked one, and with as many more
    // as there are streams nothing waits for its turn.
    let is_late = || {
        let mut is_late = false;
        beside_streams_that_never_end(urgent_on, |device, fed| {
            is_late = is_later_than_its_turn(device, fed);
        });
        is_late
    };
    assert!(in_one_of_a_few_attempts(is_late), "it was never later than its turn");
}

/// Whether work of a least urgent stream begins later than in the order of arrival, in which a turn of each ready stream
/// would come before it; as it is, some thirty turns do, each of 64 items where the machine lets it be.
fn is_later_than_its_turn(device: &Device, fed: &Arc<Fed>) -> bool {
    const TIMES: usize = 20;
    let least = usual_on(device);
    assert!(least.priority() > urgent_on(device).priority());
    let late = |_| {
        let (fed, (sender, receiver)) = (Arc::clone(fed), channel());
        let before = fed.items.load(Ordering::Relaxed);
        least.enqueue(move || say(&sender, fed.items.load(Ordering::Relaxed))).unwrap();
        heard(&receiver, "the work of the least urgent") - before
    };
    (0..TIMES).map(late).sum::<usize>() / TIMES > 2 * 64 * READY
}

/// Many streams with many items of some length each, all held by one gate; which stream ran, and on which thread, item
/// by item.
fn crowd(
    device: &Device,
    streams: &[Stream],
    items: usize,
    length: Duration,
) -> Vec<(ThreadId, usize)> {
    let (gate, log) = (Gate::new(), Arc::new(Mutex::new(Vec::new())));
    for (index, stream) in streams.iter().enumerate() {
        stream.wait(&gate.point()).unwrap();
        for _ in 0..items {
            let log = Arc::clone(&log);
            let write = move || {
                log.lock().unwrap().push((thread::current().id(), index));
                let begin = Instant::now();
                while begin.elapsed() < length {}
            };
            stream.enqueue(write).unwrap();
        }
    }
    let others = occupy(device);
    gate.open().unwrap();
    drop(others);
    for stream in streams {
        settle(&stream.record().unwrap());
    }
    Arc::into_inner(log).unwrap().into_inner().unwrap()
}

/// Whether something is so in one of a few attempts: a machine that pauses may let workers begin before all is ready.
fn in_one_of_a_few_attempts(attempt: impl Fn() -> bool) -> bool {
    (0..10).any(|_| attempt())
}

#[test]
fn a_stream_gives_way_after_sixty_four_items_while_others_are_ready() {
    let gives_way = in_one_of_a_few_attempts(|| {
        let device = fresh();
        let streams: Vec<_> = (0..100).map(|_| device.stream().unwrap()).collect();
        let log = crowd(&device, &streams, 400, Duration::ZERO);
        // Towards the end a stream may be the only one left, and go on.
        longest_turn(&log[..log.len() / 2]) == 64
    });
    assert!(gives_way, "streams run on beside ninety-nine others, or stop short");
}

#[test]
fn a_stream_whose_items_are_long_gives_way_after_each() {
    let gives_way = in_one_of_a_few_attempts(|| {
        let device = fresh();
        let streams: Vec<_> = (0..20).map(|_| device.stream().unwrap()).collect();
        // Longer than the 200 us of a share.
        let log = crowd(&device, &streams, 10, Duration::from_micros(250));
        longest_turn(&log[..log.len() / 2]) == 1
    });
    assert!(gives_way, "streams run on beyond their share of time");
}

/// The most items that one thread ran of one stream in a row.
fn longest_turn(log: &[(ThreadId, usize)]) -> usize {
    let (mut turns, mut longest) = (HashMap::new(), 0);
    for (thread, index) in log {
        let (present, length) = turns.entry(*thread).or_insert((*index, 0));
        *length = if present == index { *length + 1 } else { 1 };
        *present = *index;
        longest = longest.max(*length);
    }
    longest
}

#[test]
fn the_least_urgent_stream_is_late_and_not_last() {
    let begins = |_| {
        let (device, least) = (fresh(), 16);
        let mut streams: Vec<_> = (0..100).map(|_| urgent_on(&device)).collect();
        streams[least] = device.stream().unwrap();
        let log = crowd(&device, &streams, 400, Duration::ZERO);
        let begin = log.iter().position(|(_, index)| *index == least).unwrap();
        begin < log.len() / 4
    };
    // One attempt proves nothing: a worker may come while the gate opens, when hardly anything is ready.
    let early = (0..7).map(begins).filter(|early| *early).count();
    assert!(
        early > 3,
        "in {early} of 7 attempts it began before a quarter of what was more urgent"
    );
}

#[test]
fn urgent_streams_are_served_first() {
    // In order of arrival the least urgent would always come first.
    let served_in_order = in_one_of_a_few_attempts(|| {
        let (device, journal) = (fresh(), Journal::default());
        let others = occupy(&device);
        let [first, second] = [device.stream().unwrap(), device.stream().unwrap()];
        let last = urgent_on(&device);
        for (stream, name) in [(&first, "least"), (&second, "least"), (&last, "most")] {
            journal.work(stream, name).unwrap();
        }
        for stream in [&first, &second, &last] {
            settle(&stream.record().unwrap());
        }
        drop(others);
        journal.lines()[0] == "most"
    });
    assert!(served_in_order, "the most urgent stream was never served first");
}

// Rule 5: blocking work.

#[test]
fn work_that_blocks_unseen_delays_its_neighbours_a_little() {
    let streams: Vec<_> = (0..40).map(|_| stream()).collect();
    let busy: Vec<_> = streams.iter().map(|stream| Busy::on(stream).unwrap()).collect();
    let delay = |_| {
        let (free, begin) = (stream(), Instant::now());
        free.enqueue(|| ()).unwrap();
        settle(&free.record().unwrap());
        begin.elapsed()
    };
    let soonest = (0..20).map(delay).min().unwrap();
    assert!(
        soonest < Duration::from_millis(10),
        "at best {soonest:?} behind forty blocked streams"
    );
    drop(busy);
}

#[test]
fn work_that_waits_inside_the_library_is_replaced() {
    let (gate, device) = (Gate::new(), host());
    let waiting: Vec<_> = (0..64)
        .map(|_| {
            let (stream, point) = (device.stream().unwrap(), gate.point());
            stream.enqueue(move || point.synchronize_timeout(PATIENCE)).unwrap();
            stream
        })
        .collect();
    let opener = device.stream().unwrap();
    opener.enqueue(move || gate.open()).unwrap();
    for stream in waiting.iter().chain([&opener]) {
        settle(&stream.record().unwrap());
    }
}

#[test]
fn at_most_five_hundred_and_twelve_workers_live_and_what_is_beyond_waits() {
    let device = syncpoint_host::open("host:crowd");
    let (gate, begun) = (Gate::new(), Arc::new(AtomicUsize::new(0)));
    let (sender, receiver) = channel();
    let streams: Vec<_> = (0..600).map(|_| device.stream().unwrap()).collect();
    for stream in &streams {
        let (begun, sender, point) = (Arc::clone(&begun), sender.clone(), gate.point());
        stream
            .enqueue(move || {
                begun.fetch_add(1, Ordering::Relaxed);
                say(&sender, ());
                point.synchronize_timeout(6 * PATIENCE)
            })
            .unwrap();
    }
    for _ in 0..512 {
        heard(&receiver, "the five hundred and twelve that can begin");
    }
    assert!(receiver.recv_timeout(Duration::from_millis(100)).is_err(), "one worker too many");
    assert_eq!(begun.load(Ordering::Relaxed), 512);
    gate.open().unwrap();
    for stream in &streams {
        settle(&stream.record().unwrap());
    }
}

// Rules 6 and 7, helping: in helping.rs.

// Rule 8: naps.

#[test]
fn work_that_nobody_synchronizes_runs_soon_after_work_that_helpers_did() {
    let device = fresh();
    let late = |round| {
        let stream = device.stream().unwrap();
        for _ in 0..200 {
            stream.enqueue(|| ()).unwrap();
            stream.synchronize().unwrap();
        }
        if round % 4 == 0 {
            // Until workers have napped for long enough, and sleep.
            Gate::new().point().synchronize_timeout(Duration::from_millis(60)).unwrap_err();
        }
        let ((sender, receiver), begin) = (channel(), Instant::now());
        device.stream().unwrap().enqueue(move || say(&sender, begin.elapsed())).unwrap();
        heard(&receiver, "the work that nobody synchronizes")
    };
    let is_soon = || {
        let mut late: Vec<_> = (0..21).map(late).collect();
        late.sort_unstable();
        // A nap has 200 us.
        late[late.len() / 2] < Duration::from_millis(5)
    };
    assert!(in_one_of_a_few_attempts(is_soon), "it is late by more than a nap, again and again");
}

// The order in which ready streams are picked, the 61st pick included, is in core's `work/ready.rs`. That nothing that
// runs is interrupted needs no test: there is nothing in this library that could. Rule 5's figures, its 10 s and its
// count of cores are in blocking.rs, surplus.rs and cores.rs. Rule 8: whom an enqueue wakes is in core's `work/tests.rs`;
// slices and spins are in policies.rs; how long naps are and when they end is not tested, for only figures show it. Rule
// 9: panics are in inside_work.rs; rule 10, the bound, in bounds.rs; rule 3's stack there too. Rule 1's states and the
// wake between the look and the sleep are in the models of core, in deadlines.rs and in programs.rs. Rule 11 cannot be
// seen from outside.
