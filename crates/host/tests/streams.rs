//! Misuse of streams that no law has a case for, and the memory of the host's device.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::mpsc::channel;
use std::time::Duration;

use syncpoint::{Device, Gate, Kind, Reason, Stream, StreamOptions};
use syncpoint_conformance::busy::Busy;
use syncpoint_conformance::patience::{
    PATIENCE, assert_held, failure_of, heard, refused, say, settle,
};

const OUT_OF_RANGE: Kind = Kind::Misuse(Reason::OutOfRange);

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

#[test]
fn a_device_that_does_not_exist_is_refused_by_name() {
    for name in
        ["host:-1", "host:1000000", "host:18446744073709551616", "host:", "host:x", "", "warp:0"]
    {
        let error = refused(syncpoint::open(name), OUT_OF_RANGE);
        assert!(error.to_string().contains(name), "{error} must name {name:?}");
    }
}

#[test]
fn a_priority_out_of_range_is_refused_and_clamped_on_request() {
    let range = host().priority_range();
    for priority in [range.least() + 1, range.greatest() - 1, i32::MAX, i32::MIN] {
        let error =
            refused(host().stream_with(StreamOptions::new().with_priority(priority)), OUT_OF_RANGE);
        assert!(error.to_string().contains(&range.to_string()), "{error} must say the range");
        let clamped = host().stream_with(StreamOptions::new().clamped_priority(priority)).unwrap();
        assert_eq!(clamped.priority(), range.clamp(priority));
    }
    for priority in range.greatest()..=range.least() {
        let stream = host().stream_with(StreamOptions::new().with_priority(priority)).unwrap();
        assert_eq!(stream.priority(), priority, "the priority in force is told");
    }
    assert_eq!(host().stream().unwrap().priority(), range.least());
}

/// A device of its own, to be shut down.
fn device() -> Device {
    syncpoint_host::open("host:shut down")
}

#[test]
fn streams_of_a_device_that_was_shut_down_refuse_work_and_their_points_settle() {
    let device = device();
    let (idle, held) = (device.stream().unwrap(), device.stream().unwrap());
    idle.enqueue(|| ()).unwrap();
    let done = idle.record().unwrap();
    settle(&done);
    let gate = Gate::new();
    held.wait(&gate.point()).unwrap();
    held.enqueue(|| ()).unwrap();
    let queued = held.record().unwrap();
    device.shutdown(PATIENCE).unwrap();
    let cause = failure_of(&queued);
    assert_eq!(cause.kind(), Kind::Failed);
    settle(&done);
    for stream in [&idle, &held] {
        refused(stream.enqueue(|| ()), Kind::Failed);
        refused(stream.record_timed(), Kind::Failed);
    }
    refused(device.stream(), Kind::Unavailable);
    gate.open().unwrap();
    assert!(failure_of(&queued).is_same(&cause));
    device.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_shutdown_lets_running_work_end_and_says_when_it_has_not() {
    let device = device();
    let stream = device.stream().unwrap();
    let busy = Busy::on(&stream).unwrap();
    let running = stream.record().unwrap();
    stream.enqueue(|| ()).unwrap();
    let queued = stream.record().unwrap();
    let (sender, receiver) = channel();
    queued.notify(move |outcome| say(&sender, outcome)).unwrap();
    refused(device.shutdown(Duration::from_millis(5)), Kind::TimedOut);
    assert_held(&running);
    busy.let_go();
    device.shutdown(PATIENCE).unwrap();
    settle(&running);
    failure_of(&queued);
    refused(heard(&receiver, "the callback of what was never begun"), Kind::Failed);
}

#[test]
fn work_that_fails_while_its_device_shuts_down_fails_its_own_point() {
    let device = device();
    let stream = device.stream().unwrap();
    let ((begun, wait), (sender, receiver)) = (channel(), channel::<()>());
    stream
        .enqueue(move || {
            say(&begun, ());
            receiver.recv().map_err(|_| "its own failure")
        })
        .unwrap();
    let running = stream.record().unwrap();
    stream.enqueue(|| ()).unwrap();
    let queued = stream.record().unwrap();
    heard(&wait, "the beginning of the work");
    refused(device.shutdown(Duration::ZERO), Kind::TimedOut);
    drop(sender);
    let failure = failure_of(&running);
    assert!(failure.to_string().contains("its own failure"), "{failure}");
    failure_of(&queued);
}

#[test]
fn a_stream_counts_what_is_queued_and_makes_no_driver_call() {
    let (stream, gate) = (host().stream().unwrap(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    for _ in 0..9 {
        stream.enqueue(|| ()).unwrap();
    }
    let statistics = stream.statistics();
    assert_eq!((statistics.queued, statistics.held, statistics.driver_calls), (10, 0, 0));
    gate.open().unwrap();
    settle(&stream.record().unwrap());
    assert_eq!(stream.statistics().queued, 0);
}

#[test]
fn fork_and_join_order_what_they_name() {
    let (main, sides) = (host().stream().unwrap(), [(); 3].map(|()| host().stream().unwrap()));
    let (gate, order) = (Gate::new(), channel());
    main.wait(&gate.point()).unwrap();
    let tell = |stream: &Stream, name: &'static str| {
        let sender = order.0.clone();
        stream.enqueue(move || say(&sender, name)).unwrap();
    };
    tell(&main, "fork");
    main.fork(&sides).unwrap();
    for side in &sides {
        tell(side, "side");
    }
    main.join(&sides).unwrap();
    tell(&main, "join");
    gate.open().unwrap();
    settle(&main.record().unwrap());
    assert_eq!(order.1.try_iter().collect::<Vec<_>>(), ["fork", "side", "side", "side", "join"]);
}

#[test]
fn memory_is_filled_and_copied_in_stream_order_and_read_back() {
    let (device, stream) = (host(), host().stream().unwrap());
    let (source, target) = (device.buffer(16).unwrap(), device.buffer(16).unwrap());
    assert_eq!(source.to_vec(0..16).unwrap(), [0; 16], "memory begins as zeros");
    stream.fill(&source, 0..8, 1).unwrap();
    stream.copy(&source, 4..12, &target, 0..8).unwrap();
    stream.fill(&source, 0..16, 9).unwrap();
    stream.copy(&target, 0..4, &target, 8..12).unwrap();
    stream.synchronize().unwrap();
    let expected = [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0];
    assert_eq!(target.to_vec(0..16).unwrap(), expected);
    assert_eq!(source.to_vec(0..16).unwrap(), [9; 16]);
}

#[test]
fn ranges_of_memory_are_checked_before_anything_is_enqueued() {
    let (device, stream) = (host(), host().stream().unwrap());
    let (small, large) = (device.buffer(8).unwrap(), device.buffer(16).unwrap());
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "a range the wrong way round is what is tried"
    )]
    let backwards = 6..2;
    for refusal in [
        stream.fill(&small, 0..9, 0),
        stream.fill(&small, 9..9, 0),
        stream.fill(&small, backwards, 0),
        stream.fill(&small, u64::MAX - 1..u64::MAX, 0),
        stream.copy(&small, 0..8, &large, 0..7),
        stream.copy(&small, 0..8, &large, 9..17),
        stream.copy(&large, 0..8, &large, 4..12),
        small.write(7, &[0; 2]),
        small.write(u64::MAX, &[0; 2]),
        small.to_vec(0..9).map(drop),
    ] {
        refused(refusal, OUT_OF_RANGE);
    }
    assert_eq!(stream.timeline().enqueued(), 0);
    stream.fill(&small, 8..8, 0).unwrap();
    stream.copy(&large, 3..3, &large, 3..3).unwrap();
    stream.copy(&large, 0..8, &large, 8..16).unwrap();
    let empty = device.buffer(0).unwrap();
    assert!(empty.is_empty() && empty.to_vec(0..0).unwrap().is_empty());
    settle(&stream.record().unwrap());
}

#[test]
fn memory_of_another_device_and_more_than_there_is_are_refused() {
    let (stream, other) = (host().stream().unwrap(), syncpoint_host::open("host:other"));
    let foreign = other.buffer(8).unwrap();
    refused(stream.fill(&foreign, 0..8, 1), Kind::Misuse(Reason::WrongDevice));
    refused(host().buffer(u64::MAX), Kind::Exhausted);
    refused(host().buffer(1 << 60), Kind::Exhausted);
}

#[test]
fn what_a_thread_made_outlives_the_thread() {
    let made = std::thread::spawn(|| {
        let (stream, gate) = (host().stream().unwrap(), Gate::new());
        stream.wait(&gate.point()).unwrap();
        stream.enqueue(|| ()).unwrap();
        let (event, end) = (host().event(), stream.record().unwrap());
        event.record(&stream).unwrap();
        (stream, gate, event, end)
    });
    let (stream, gate, event, end) = made.join().unwrap();
    gate.open().unwrap();
    settle(&end);
    assert!(event.query().unwrap());
    stream.enqueue(|| ()).unwrap();
    settle(&stream.record().unwrap());
}
