//! Streams: their order, their identity, and what the legacy stream and the others owe each other.

mod fake;

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use fake::*;

#[test]
fn work_of_a_stream_runs_in_order_and_a_query_tells_when_it_is_over() {
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    assert_eq!(fake.cuStreamQuery(stream), 0);
    let hold = fake.hold(stream);
    let (told, heard) = channel();
    for number in 0..3 {
        let told = told.clone();
        fake.run(stream, move || told.send(number).unwrap());
    }
    assert_eq!(fake.cuStreamQuery(stream), NOT_READY);
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(fake.cuStreamQuery(stream), 0);
}

#[test]
fn a_wait_holds_back_the_waiting_stream_alone_and_is_pinned_to_its_record() {
    let fake = Fake::ready("");
    let [first, second, third] = [(); 3].map(|()| fake.stream(NON_BLOCKING));
    let hold = fake.hold(first);
    let event = fake.recorded(first);
    let later = fake.hold(first);
    assert_eq!(fake.cuStreamWaitEvent(second, event, 0), 0);
    assert_eq!(fake.cuEventRecord(event, first), 0);
    assert_eq!(fake.cuStreamQuery(second), NOT_READY);
    assert_eq!(fake.cuStreamSynchronize(third), 0);
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(second), 0, "the later record is not waited for");
    assert_eq!(fake.cuEventQuery(event), NOT_READY);
    later.end();
    assert_eq!(fake.cuEventSynchronize(event), 0);
}

#[test]
fn a_blocking_stream_comes_after_the_legacy_stream_and_a_non_blocking_one_does_not() {
    let fake = Fake::ready("");
    let (blocking, free) = (fake.stream(0), fake.stream(NON_BLOCKING));
    for legacy in [0, LEGACY] {
        let hold = fake.hold(legacy);
        let (after, beside) = (fake.recorded(blocking), fake.recorded(free));
        let own = fake.recorded(PER_THREAD);
        assert_eq!(fake.cuEventSynchronize(beside), 0);
        assert_eq!(fake.cuEventQuery(after), NOT_READY);
        assert_eq!(fake.cuEventQuery(own), NOT_READY);
        hold.end();
        assert_eq!(fake.cuEventSynchronize(after), 0);
        assert_eq!(fake.cuEventSynchronize(own), 0);
    }
}

#[test]
fn the_legacy_stream_comes_after_blocking_streams_also_after_destroyed_ones() {
    let fake = Fake::ready("");
    let (blocking, gone, free) = (fake.stream(0), fake.stream(0), fake.stream(NON_BLOCKING));
    let holds = [fake.hold(blocking), fake.hold(PER_THREAD), fake.hold(gone)];
    let beside = fake.hold(free);
    assert_eq!(fake.cuStreamDestroy_v2(gone), 0);
    let event = fake.recorded(LEGACY);
    for hold in holds {
        assert!(stays(|| fake.cuEventQuery(event) == NOT_READY));
        assert_eq!(fake.cuStreamQuery(LEGACY), NOT_READY);
        hold.end();
    }
    assert_eq!(fake.cuEventSynchronize(event), 0);
    assert_eq!(fake.cuStreamSynchronize(0), 0);
    beside.end();
}

#[test]
fn streams_of_two_contexts_owe_each_other_nothing() {
    let fake = Fake::ready("devices=2");
    let hold = fake.hold(LEGACY);
    assert_eq!(fake.cuCtxSetCurrent(fake.retain(1)), 0);
    assert_eq!(fake.cuStreamSynchronize(LEGACY), 0);
    assert_eq!(fake.cuCtxSynchronize(), 0);
    hold.end();
}

#[test]
fn a_context_waits_for_all_of_its_streams() {
    let fake = Fake::ready("");
    let (kept, gone) = (fake.stream(NON_BLOCKING), fake.stream(NON_BLOCKING));
    let (told, heard) = channel();
    for stream in [kept, gone, PER_THREAD, LEGACY] {
        let told = told.clone();
        fake.run(stream, move || told.send(stream).unwrap());
    }
    assert_eq!(fake.cuStreamDestroy_v2(gone), 0);
    assert_eq!(fake.cuCtxSynchronize(), 0);
    assert_eq!(heard.try_iter().count(), 4);
}

#[test]
fn each_thread_has_a_default_stream_of_its_own() {
    let fake = Fake::ready("");
    let context = fake.context();
    let id = || made(|room| fake.cuStreamGetId(PER_THREAD, room));
    let here: u64 = id();
    let there = thread::scope(|scope| {
        let there = scope.spawn(|| {
            assert_eq!(fake.cuCtxSetCurrent(context), 0);
            id()
        });
        there.join().unwrap()
    });
    assert_eq!(here, id());
    assert_ne!(here, there);
    assert_eq!(here, made(|room| fake.cuStreamGetId_ptsz(0, room)), "so it is by another name");
    assert_ne!(here, made(|room| fake.cuStreamGetId(0, room)));
}

#[test]
fn a_stream_says_what_it_is() {
    let fake = Fake::ready("");
    let (mut least, mut greatest) = (9, 9);
    assert_eq!(fake.cuCtxGetStreamPriorityRange(&raw mut least, &raw mut greatest), 0);
    assert!(greatest < least);
    let made_with =
        |flags, priority| made(|room| fake.cuStreamCreateWithPriority(room, flags, priority));
    for (asked, given) in
        [(least, least), (greatest, greatest), (least + 5, least), (-100, greatest)]
    {
        let stream = made_with(NON_BLOCKING, asked);
        assert_eq!(made(|room| fake.cuStreamGetPriority(stream, room)), given);
        assert_eq!(made(|room| fake.cuStreamGetFlags(stream, room)), NON_BLOCKING);
    }
    let stream = made_with(0, least);
    assert_eq!(made(|room| fake.cuStreamGetFlags(stream, room)), 0);
    assert_eq!(made(|room| fake.cuStreamGetCtx(stream, room)), fake.context());
    assert_eq!(made(|room| fake.cuStreamGetDevice(stream, room)), 0);
    assert_eq!(fake.cuStreamCreate(&mut 0, 8), INVALID_VALUE);
}

#[test]
fn handles_and_ids_are_never_used_again_and_a_stale_one_is_refused() {
    let fake = Fake::ready("");
    let stream = fake.stream(0);
    let id: u64 = made(|room| fake.cuStreamGetId(stream, room));
    assert_eq!(fake.cuStreamDestroy_v2(stream), 0);
    assert_eq!(fake.cuStreamDestroy_v2(stream), INVALID_HANDLE);
    assert_eq!(fake.cuStreamQuery(stream), INVALID_HANDLE);
    let next = fake.stream(0);
    assert_ne!(next, stream);
    assert_ne!(id, made(|room| fake.cuStreamGetId(next, room)));
    assert_eq!(fake.cuStreamQuery(fake.event(0)), INVALID_HANDLE, "an event is no stream");
}

#[test]
fn a_script_may_have_handles_used_again_and_ids_are_not() {
    let fake = Fake::ready("reuse");
    let stream = fake.stream(0);
    let id: u64 = made(|room| fake.cuStreamGetId(stream, room));
    assert_eq!(fake.cuStreamDestroy_v2(stream), 0);
    assert_eq!(fake.stream(0), stream);
    assert_ne!(id, made(|room| fake.cuStreamGetId(stream, room)));
}

#[test]
fn default_streams_cannot_be_destroyed() {
    let fake = Fake::ready("");
    for stream in [0, LEGACY, PER_THREAD] {
        assert_eq!(fake.cuStreamDestroy_v2(stream), INVALID_HANDLE);
    }
}

#[test]
fn a_destroyed_stream_finishes_its_work() {
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    let hold = fake.hold(stream);
    let (told, heard) = channel();
    fake.run(stream, move || told.send(()).unwrap());
    assert_eq!(fake.cuStreamDestroy_v2(stream), 0);
    hold.end();
    heard.recv().unwrap();
}

#[test]
fn a_thread_without_a_current_context_is_told_so() {
    let fake = Fake::ready("");
    let (stream, event) = (fake.stream(0), fake.event(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(fake.cuStreamQuery(stream), 0, "a handle is enough");
            assert_eq!(fake.cuEventRecord(event, stream), 0);
            assert_eq!(fake.cuStreamQuery(LEGACY), INVALID_CONTEXT);
            assert_eq!(fake.script("strict"), 0);
            assert_eq!(fake.cuStreamQuery(stream), INVALID_CONTEXT);
            assert_eq!(fake.cuEventRecord(event, stream), INVALID_CONTEXT);
            assert_eq!(fake.cuStreamCreate(&mut 0, 0), INVALID_CONTEXT);
            assert_eq!(fake.cuStreamGetId(LEGACY, &mut 0), INVALID_CONTEXT);
            assert_eq!(fake.cuEventQuery(event), 0, "an event is asked without one");
            assert_ne!(made(|room| fake.cuStreamGetId(stream, room)), 0);
        });
    });
}

#[test]
fn a_callback_must_not_call_the_driver() {
    let fake = Arc::new(Fake::ready(""));
    let (told, heard) = channel();
    let inside = Arc::clone(&fake);
    fake.run(LEGACY, move || told.send(inside.cuCtxSynchronize()).unwrap());
    assert_eq!(fake.cuStreamSynchronize(LEGACY), 0);
    assert_eq!(heard.recv(), Ok(NOT_PERMITTED));
}

static CALLED_WITH: AtomicI32 = AtomicI32::new(-1);

extern "C" fn note(_stream: u64, code: i32, _data: *mut c_void) {
    CALLED_WITH.store(code, Ordering::Relaxed);
}

#[test]
fn a_stream_callback_is_told_how_the_stream_fares() {
    let fake = Fake::ready("");
    let data = std::ptr::null_mut();
    assert_eq!(fake.cuStreamAddCallback(LEGACY, Some(note), data, 1), INVALID_VALUE);
    assert_eq!(fake.cuStreamAddCallback(LEGACY, None, data, 0), INVALID_VALUE);
    assert_eq!(fake.cuStreamAddCallback(LEGACY, Some(note), data, 0), 0);
    assert_eq!(fake.cuStreamSynchronize(LEGACY), 0);
    assert_eq!(CALLED_WITH.load(Ordering::Relaxed), 0);
}

#[test]
fn the_capture_mode_of_a_thread_is_exchanged() {
    let fake = Fake::ready("");
    let mut mode = 2;
    assert_eq!(fake.cuThreadExchangeStreamCaptureMode(&raw mut mode), 0);
    assert_eq!(mode, 0);
    assert_eq!(fake.cuThreadExchangeStreamCaptureMode(&raw mut mode), 0);
    assert_eq!(mode, 2);
    assert_eq!(fake.cuThreadExchangeStreamCaptureMode(&mut 3), INVALID_VALUE);
}
