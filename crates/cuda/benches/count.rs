//! One operation of a CUDA stream, many times, and the driver's own call beside it, for counting instructions.
//!
//! The driver is the stand-in, told to do nothing; what an operation costs more than the call is the difference of two
//! names: `cuda_record` holds `cuda_work`, `cuda_wait` holds `cuda_record`, and each the driver's call, which
//! `raw_record`, `raw_wait` and `raw_query` make by themselves.
#![expect(clippy::expect_used, reason = "a count that cannot run stops")]

#[path = "../tests/fake/mod.rs"]
mod fake;
#[path = "../../core/benches/one/mod.rs"]
mod one;

use std::hint::black_box;
use std::time::Duration;

use syncpoint::Stream;

use fake::Fake;
use one::Operation;

fn main() {
    one::run(&OPERATIONS);
    std::process::exit(0);
}

const OPERATIONS: [(&str, Operation); 7] = [
    ("cuda_work", work),
    ("cuda_record", record),
    ("cuda_wait", wait),
    ("cuda_query", query),
    ("raw_record", raw_record),
    ("raw_wait", raw_wait),
    ("raw_query", raw_query),
];

/// What the driver answers to who asks for an event.
const OVER: i32 = 0;
const PENDING: i32 = 600;

/// Streams of a device whose context is current on this thread. From now on the driver does nothing, and answers this
/// to every question.
fn streams<const N: usize>(answer: i32) -> [Stream; N] {
    let fake = Fake::used();
    let device = syncpoint::cuda::open(0).expect("a device");
    fake.make_current(0);
    let streams = [(); N].map(|()| device.stream().expect("a stream"));
    fake.script(&format!(
        "fail cuEventRecord * 0; fail cuStreamWaitEvent * 0; fail cuEventQuery * {answer}; \
         fail cuThreadExchangeStreamCaptureMode * 0"
    ));
    streams
}

/// Device work for which the driver is not called.
fn work(times: u32) {
    let [stream] = streams(OVER);
    for _ in 0..times {
        put(&stream);
    }
}

/// And a record of it.
fn record(times: u32) {
    let [stream] = streams(OVER);
    for _ in 0..times {
        put(&stream);
        black_box(stream.record().expect("a point"));
    }
}

/// And another stream's wait for that.
fn wait(times: u32) {
    let [stream, other] = streams(OVER);
    for _ in 0..times {
        put(&stream);
        black_box(&other).wait(&stream.record().expect("a point")).expect("a wait");
    }
}

/// A query of a point that is pending.
fn query(times: u32) {
    let [stream] = streams(PENDING);
    put(&stream);
    let point = stream.record().expect("a point");
    for _ in 0..times {
        black_box(black_box(&point).query().expect("no failure"));
    }
}

fn put(stream: &Stream) {
    black_box(stream).delay(black_box(Duration::ZERO)).expect("room");
}

fn raw_record(times: u32) {
    raw(times, "cuEventRecord");
}

fn raw_wait(times: u32) {
    raw(times, "cuStreamWaitEvent");
}

fn raw_query(times: u32) {
    raw(times, "cuEventQuery");
}

/// A function of the driver's, called as the backend calls it.
fn raw(times: u32, function: &str) {
    let [_stream] = streams(PENDING);
    let call = Fake::used().function(function);
    for _ in 0..times {
        black_box(call(black_box(1), black_box(1)));
    }
}
