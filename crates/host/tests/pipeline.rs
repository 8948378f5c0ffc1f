//! Streams in rings and pipelines: the order of their points, and the time of their delays.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use syncpoint::{Device, Stream};

/// Long enough for the slowest machine; a lost wake-up would last for ever.
const DEADLINE: Duration = Duration::from_secs(60);

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

#[test]
fn work_on_two_streams_runs_in_the_order_of_their_points() {
    let (a, b) = (host().stream().unwrap(), host().stream().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    for round in 0..1000_usize {
        for (own, other, expected) in [(&a, &b, 2 * round), (&b, &a, 2 * round + 1)] {
            let counter = Arc::clone(&count);
            own.enqueue(move || assert_eq!(counter.fetch_add(1, Ordering::Relaxed), expected))
                .unwrap();
            other.wait_stream(own).unwrap();
        }
    }
    a.synchronize().unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 2000);
}

/// Synchronized by a helping thread, and by one that leaves it to the workers.
#[test]
fn a_deep_pipeline_takes_no_less_than_the_delay_at_its_head() {
    let streams: Vec<Stream> = (0..64).map(|_| host().stream().unwrap()).collect();
    for helping in [true, false] {
        let start = streams[0].record_timed().unwrap();
        streams[0].delay(Duration::from_millis(2)).unwrap();
        for pair in streams.windows(2) {
            pair[1].wait_stream(&pair[0]).unwrap();
            pair[1].enqueue(|| ()).unwrap();
        }
        let end = streams[63].record_timed().unwrap();
        let waited = if helping { end.synchronize() } else { end.synchronize_timeout(DEADLINE) };
        waited.unwrap();
        assert!(end.elapsed_since(&start).unwrap() >= Duration::from_millis(2));
    }
}

/// A large fill is about to run on the stream that set another free: the other must not wait for its end.
#[test]
fn what_a_stream_sets_free_does_not_wait_for_the_fill_behind() {
    let (stream, freed) = (host().stream().unwrap(), host().stream().unwrap());
    let buffer = host().buffer(256 << 20).unwrap();
    let gate = syncpoint::Gate::new();
    stream.wait(&gate.point()).unwrap();
    freed.wait_stream(&stream).unwrap();
    let soon = freed.record_timed().unwrap();
    stream.fill(&buffer, 0..256 << 20, 7).unwrap();
    let filled = stream.record_timed().unwrap();
    gate.open().unwrap();
    filled.synchronize_timeout(DEADLINE).unwrap();
    soon.synchronize_timeout(DEADLINE).unwrap();
    let ahead = filled.signed_elapsed_since(&soon).unwrap();
    assert!(
        ahead.as_nanos() > 0,
        "the freed stream came {:?} after the end of the fill",
        ahead.abs()
    );
}
