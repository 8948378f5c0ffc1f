//! What happens to importers of another process's event: they fork, and they ask without time to wait.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::future::{Future, IntoFuture};
use std::io::{Read, Write};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use syncpoint::{Error, Event, EventState, Kind, Result};
use syncpoint_conformance::child::{self, Ended};
use syncpoint_conformance::patience::{PATIENCE, settle};
use syncpoint_conformance::peer::{exporter, host, record_held, until};

#[track_caller]
fn assert_kinds<const COUNT: usize>(outcomes: [(&str, Result<()>); COUNT], kind: Kind) {
    for (call, outcome) in outcomes {
        assert_eq!(outcome.as_ref().map_err(Error::kind), Err(kind), "{call}: {outcome:?}");
    }
}

/// In a child: every call says that the import stayed with the parent.
fn assert_stayed(event: &Event) {
    let device = host();
    let stream = device.stream().unwrap();
    let calls = [
        ("Event::query", event.query().map(drop)),
        ("Event::query_recorded", event.query_recorded().map(drop)),
        ("Event::synchronize", event.synchronize()),
        ("Event::synchronize_timeout", event.synchronize_timeout(Duration::ZERO)),
        ("Event::notify", event.notify(drop).map(drop)),
        ("Event::export", event.export().map(drop)),
        ("Event::record", event.record(&stream)),
        ("Stream::wait_event", stream.wait_event(event)),
        ("Event::await", polled_once(event)),
    ];
    assert_kinds(calls, Kind::Unavailable);
    let state = event.state();
    assert!(
        matches!(&state, EventState::Failed(error) if error.kind() == Kind::Unavailable),
        "{state:?}"
    );
    stream.synchronize_timeout(PATIENCE).unwrap();
}

fn polled_once(event: &Event) -> Result<()> {
    match pin!(event.into_future()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Ok(()),
    }
}

#[test]
fn a_child_of_an_importer_is_told_so_and_the_parent_goes_on() {
    let (mut opening, mut open) = child::pipe();
    let (_exporter, handle, mut cue) = exporter(|device, event| {
        let (_stream, gate) = record_held(device, &event).unwrap();
        opening.read_exact(&mut [0]).unwrap();
        gate.open().unwrap();
        event.synchronize().unwrap();
        Box::leak(Box::new(event));
    });
    let device = host();
    let import = || device.import_event(&handle).unwrap();
    let (event, dropped) = (import(), import());
    cue.write_all(b".").unwrap();
    until(&event, |state| matches!(state, EventState::Pending));
    // From here on a thread listens, which the child does not have.
    let stream = device.stream().unwrap();
    stream.wait_event(&event).unwrap();
    let end = stream.record().unwrap();

    let ended = child::forked(|| {
        assert_stayed(&event);
        drop(dropped);
        assert!(device.import_event(&handle).is_err(), "the device stayed with the parent");
        let anew = host().import_event(&handle).unwrap();
        assert!(matches!(anew.state(), EventState::Pending));
        assert_kinds(
            [("anew", anew.synchronize_timeout(Duration::from_millis(1)))],
            Kind::TimedOut,
        );
        0
    });
    assert_eq!(ended, Ended::silently(0));

    assert!(matches!(event.state(), EventState::Pending) && !end.query().unwrap());
    open.write_all(b".").unwrap();
    settle(&end);
    event.synchronize_timeout(PATIENCE).unwrap();
}

#[test]
fn a_wait_with_no_time_sees_a_failure_before_the_threads_that_listen_do() {
    for _ in 0..20 {
        let (mut failing, mut fail) = child::pipe();
        let (_exporter, handle, mut cue) = exporter(|device, event| {
            let (stream, gate) = record_held(device, &event).unwrap();
            failing.read_exact(&mut [0]).unwrap();
            gate.fail(Error::failed("on purpose")).unwrap();
            stream.synchronize().unwrap_err();
            Box::leak(Box::new(event));
        });
        let event = host().import_event(&handle).unwrap();
        cue.write_all(b".").unwrap();
        until(&event, |state| matches!(state, EventState::Pending));
        let others = event.notify(drop).unwrap();
        fail.write_all(b".").unwrap();
        until(&event, |state| !matches!(state, EventState::Pending));
        let outcome = event.synchronize_timeout(Duration::ZERO);
        assert_kinds([("a wait with no time", outcome)], Kind::Failed);
        drop(others);
    }
}

#[test]
fn a_wait_with_no_time_sees_that_the_exporter_was_killed() {
    for _ in 0..5 {
        let (exporter, handle, mut cue) = exporter(|device, event| {
            Box::leak(Box::new((record_held(device, &event).unwrap(), event)));
        });
        let event = host().import_event(&handle).unwrap();
        cue.write_all(b".").unwrap();
        until(&event, |state| matches!(state, EventState::Pending));
        let others = event.notify(drop).unwrap();
        exporter.kill();
        let outcome = event.synchronize_timeout(Duration::ZERO);
        assert_kinds([("a wait with no time", outcome)], Kind::Failed);
        drop(others);
    }
}
