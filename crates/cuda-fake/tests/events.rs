//! Events: what each answer is before, while and after what it names is done, and what each mistake is told.

mod fake;

use fake::*;

#[test]
fn an_event_that_was_never_recorded_is_complete() {
    let fake = Fake::ready("");
    let (event, stream) = (fake.event(0), fake.stream(0));
    assert_eq!(fake.cuEventQuery(event), 0);
    assert_eq!(fake.cuEventSynchronize(event), 0);
    assert_eq!(fake.cuStreamWaitEvent(stream, event, 0), 0);
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
}

#[test]
fn it_tells_which_events_were_made_for_threads_that_sleep() {
    const BLOCKING: u32 = 1;
    let fake = Fake::ready("");
    let (_spinning, blocking) = (fake.event(0), fake.event(BLOCKING));
    assert_eq!((fake.alive("blocking events"), fake.alive("events")), (1, 2));
    assert_eq!(fake.cuEventDestroy_v2(blocking), 0);
    assert_eq!((fake.alive("blocking events"), fake.alive("events")), (0, 1));
}

#[test]
fn an_event_names_its_latest_record() {
    let fake = Fake::ready("");
    let [first, second] = [(); 2].map(|()| fake.stream(NON_BLOCKING));
    let hold = fake.hold(first);
    let event = fake.recorded(first);
    assert_eq!(fake.cuEventQuery(event), NOT_READY);
    assert_eq!(fake.cuEventRecord(event, second), 0);
    assert_eq!(fake.cuEventSynchronize(event), 0);
    hold.end();
}

#[test]
fn an_event_may_be_destroyed_before_it_is_complete() {
    let fake = Fake::ready("");
    let [first, second] = [(); 2].map(|()| fake.stream(NON_BLOCKING));
    let hold = fake.hold(first);
    let event = fake.recorded(first);
    assert_eq!(fake.cuStreamWaitEvent(second, event, 0), 0);
    assert_eq!(fake.cuEventDestroy_v2(event), 0);
    assert_eq!(fake.cuEventQuery(event), INVALID_HANDLE);
    assert_eq!(fake.cuStreamQuery(second), NOT_READY);
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(second), 0);
}

#[test]
fn an_event_belongs_to_its_context_and_may_be_waited_for_elsewhere() {
    let fake = Fake::ready("devices=2");
    let here = fake.stream(NON_BLOCKING);
    let hold = fake.hold(here);
    let event = fake.recorded(here);
    assert_eq!(fake.cuCtxSetCurrent(fake.retain(1)), 0);
    let there = fake.stream(NON_BLOCKING);
    assert_eq!(fake.cuEventRecord(event, there), INVALID_HANDLE);
    assert_eq!(fake.cuStreamWaitEvent(there, event, 0), 0);
    assert_eq!(fake.cuStreamQuery(there), NOT_READY);
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(there), 0);
    let other = fake.event(0);
    assert_eq!(fake.cuEventRecord(other, there), 0);
    assert_eq!(fake.elapsed(event, other), Err(INVALID_HANDLE));
}

#[test]
fn time_passes_in_steps_between_two_events() {
    let fake = Fake::ready("step=1000");
    let stream = fake.stream(0);
    let (start, end) = (fake.event(0), fake.event(0));
    assert_eq!(fake.cuEventRecord(start, stream), 0);
    fake.run(stream, || {
        let begun = std::time::Instant::now();
        while begun.elapsed() < std::time::Duration::from_millis(2) {}
    });
    assert_eq!(fake.cuEventRecord(end, stream), 0);
    assert_eq!(fake.cuEventSynchronize(end), 0);
    let elapsed = fake.elapsed(start, end).unwrap();
    assert!(elapsed >= 1.999, "{elapsed}");
    let steps = f64::from(elapsed) * 1e6 / 1e3;
    assert!((steps - steps.round()).abs() < 1e-2, "{elapsed} ms are no whole steps");
    assert_eq!(fake.elapsed(end, start), Ok(-elapsed), "reversed it is negative");
    assert_eq!(fake.elapsed(start, start), Ok(0.0));
    let again: f32 = made(|room| fake.cuEventElapsedTime_v2(room, start, end));
    assert_eq!(again.to_bits(), elapsed.to_bits());
}

#[test]
fn each_mistake_in_timing_is_told() {
    let fake = Fake::ready("");
    let stream = fake.stream(0);
    let (timed, never, untimed) = (fake.event(0), fake.event(0), fake.recorded(stream));
    assert_eq!(fake.cuEventRecord(timed, stream), 0);
    assert_eq!(fake.elapsed(timed, never), Err(INVALID_HANDLE));
    assert_eq!(fake.elapsed(timed, untimed), Err(INVALID_HANDLE));
    assert_eq!(fake.elapsed(timed, 77), Err(INVALID_HANDLE));
    assert_eq!(fake.cuEventElapsedTime(std::ptr::null_mut(), timed, timed), INVALID_VALUE);
    let hold = fake.hold(stream);
    let end = fake.event(0);
    assert_eq!(fake.cuEventRecord(end, stream), 0);
    assert_eq!(fake.elapsed(timed, end), Err(NOT_READY));
    hold.end();
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    const INTERPROCESS: u32 = 4;
    let fake = Fake::ready("");
    for (flags, code) in [
        (0, 0),
        (1, 0),
        (3, 0),
        (INTERPROCESS | DISABLE_TIMING, 0),
        (INTERPROCESS, INVALID_VALUE),
        (8, INVALID_VALUE),
    ] {
        assert_eq!(fake.cuEventCreate(&mut 0, flags), code, "{flags}");
    }
    assert_eq!(fake.cuEventCreate(std::ptr::null_mut(), 0), INVALID_VALUE);
    let (stream, event) = (fake.stream(0), fake.event(0));
    assert_eq!(fake.cuEventRecordWithFlags(event, stream, 0), 0);
    assert_eq!(
        fake.cuEventRecordWithFlags(event, stream, 1),
        INVALID_VALUE,
        "external, no capture"
    );
    assert_eq!(fake.cuStreamWaitEvent(stream, event, 1), INVALID_VALUE);
    assert_eq!(fake.cuStreamWaitEvent(stream, 0, 0), INVALID_HANDLE);
}
