//! Measuring: what is measured is the work, and the stream is never left held.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use syncpoint::{Error, Kind, Measure, Reason, Stream};
use syncpoint_conformance::patience::assert_held;

fn stream() -> Stream {
    syncpoint::open("host:0").unwrap().stream().unwrap()
}

#[test]
fn a_delay_is_measured_as_long_as_it_is() {
    let stream = stream();
    let delay = Duration::from_millis(2);
    for measure in [Measure::new(), Measure::new().by_host_clock()] {
        let measured =
            measure.warm_up(1).repeats(9).run(&stream, |stream| stream.delay(delay)).unwrap();
        assert_eq!(measured.samples().len(), 9);
        assert!(measured.shortest() >= delay, "{measured}");
    }
}

/// While a round is enqueued nothing of it runs, so what the host does between its calls is in no time.
#[test]
fn pauses_of_the_host_while_it_enqueues_are_not_measured() {
    let (stream, pause) = (stream(), Duration::from_millis(20));
    for measure in [Measure::new(), Measure::new().by_host_clock()] {
        let measured = measure.warm_up(0).repeats(9).run(&stream, |stream| {
            stream.enqueue(|| ())?;
            let enqueued = Instant::now();
            // Longer than the pause at which the shortest round is judged.
            assert_held(&stream.record()?);
            assert!(enqueued.elapsed() >= pause);
            Ok(())
        });
        let shortest = measured.unwrap().shortest();
        assert!(shortest < pause, "{shortest:?} is a time with the host's pause in it");
    }
}

#[test]
fn rounds_to_warm_up_do_not_count() {
    let (stream, rounds) = (stream(), Cell::new(0));
    let measured = Measure::new().warm_up(4).repeats(3).run(&stream, |stream| {
        rounds.set(rounds.get() + 1);
        stream.enqueue(|| ())
    });
    assert_eq!((measured.unwrap().samples().len(), rounds.get()), (3, 7));
    let none = Measure::new().repeats(0).run(&stream, |_| Ok(())).unwrap_err();
    assert_eq!(none.kind(), Kind::Misuse(Reason::OutOfRange));
}

#[test]
fn a_round_that_fails_or_panics_leaves_the_stream_free() {
    let stream = stream();
    let refused = Measure::new().run(&stream, |_| Err(Error::failed("on purpose"))).unwrap_err();
    assert_eq!(refused.message(), "on purpose");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        drop(Measure::new().run(&stream, |_| std::panic::resume_unwind(Box::new("on purpose"))));
    }));
    assert!(panicked.is_err());
    stream.enqueue(|| ()).unwrap();
    stream.synchronize_timeout(Duration::from_secs(60)).unwrap();
}
