//! One operation of the host, many times, for counting instructions.
#![expect(clippy::expect_used, reason = "a count that cannot run stops")]
#![expect(clippy::exit, reason = "what is held behind a gate is not run")]

#[path = "../../core/benches/one/mod.rs"]
mod one;

use std::hint::black_box;

use syncpoint::{Gate, Stream};

use one::Operation;

fn main() {
    one::run(&OPERATIONS);
}

const OPERATIONS: [(&str, Operation); 11] = [
    ("record_query", record_query),
    ("wait_complete", wait_complete),
    ("wait_own", wait_own),
    ("wait_again", wait_again),
    ("query", query),
    ("enqueue_empty", enqueue_empty),
    ("enqueue_word", enqueue_word),
    ("trip", trip),
    ("hop_enqueue", hop_enqueue),
    ("hop", hop),
    ("make_stream", make_stream),
];

fn stream() -> Stream {
    syncpoint::open("host:0").and_then(|device| device.stream()).expect("a stream")
}

fn record_query(times: u32) {
    let stream = stream();
    for _ in 0..times {
        black_box(stream.record().expect("a point").query().expect("no failure"));
    }
}

fn wait_complete(times: u32) {
    let (stream, point) = (stream(), stream().record().expect("a point"));
    for _ in 0..times {
        black_box(&stream).wait(black_box(&point)).expect("a wait");
    }
}

fn wait_own(times: u32) {
    let (stream, gate) = (stream(), Gate::new());
    stream.wait(&gate.point()).expect("a wait");
    let point = stream.record().expect("a point");
    for _ in 0..times {
        black_box(&stream).wait(black_box(&point)).expect("a wait");
    }
    std::process::exit(0);
}

/// For a point that an outstanding wait covers.
fn wait_again(times: u32) {
    let (stream, gate) = (stream(), Gate::new());
    let point = gate.point();
    stream.wait(&point).expect("a wait");
    for _ in 0..times {
        black_box(&stream).wait(black_box(&point)).expect("a wait");
    }
    std::process::exit(0);
}

fn query(times: u32) {
    let point = stream().record().expect("a point");
    for _ in 0..times {
        black_box(black_box(&point).query().expect("no failure"));
    }
}

/// Enqueues onto a stream that nothing will ever set free, so that only the enqueue is counted.
fn enqueue<F: FnOnce() + Send + 'static>(times: u32, make: impl Fn() -> F) {
    let (stream, gate) = (stream(), Gate::new());
    stream.wait(&gate.point()).expect("a wait");
    for _ in 0..times {
        stream.enqueue(make()).expect("room");
    }
    std::process::exit(0);
}

fn enqueue_empty(times: u32) {
    enqueue(times, || || ());
}

fn enqueue_word(times: u32) {
    enqueue(times, || {
        let word = black_box(7_u64);
        move || {
            black_box(word);
        }
    });
}

fn trip(times: u32) {
    let stream = stream();
    for _ in 0..times {
        stream.enqueue(|| ()).expect("room");
        stream.record().expect("a point").synchronize().expect("no work fails");
    }
}

fn chain(times: u32, gate: &Gate) -> syncpoint::Point {
    let streams = [stream(), stream()];
    let mut point = gate.point();
    for index in 0..times as usize {
        let stream = &streams[index % 2];
        stream.wait(&point).expect("a wait");
        point = stream.record().expect("a point");
    }
    point
}

fn hop_enqueue(times: u32) {
    let gate = Gate::new();
    black_box(chain(times, &gate));
    std::process::exit(0);
}

fn hop(times: u32) {
    let gate = Gate::new();
    let point = chain(times, &gate);
    gate.open().expect("once");
    point.synchronize().expect("no work fails");
}

fn make_stream(times: u32) {
    let device = syncpoint::open("host:0").expect("the host");
    for _ in 0..times {
        drop(black_box(device.stream().expect("a stream")));
    }
}
