//! Captures: what is kept, who joins, what breaks them, and what their graphs do.

mod fake;

use std::sync::mpsc::channel;
use std::thread;

use fake::*;

const GLOBAL: i32 = 0;
const THREAD_LOCAL: i32 = 1;
const RELAXED: i32 = 2;

const NONE: i32 = 0;
const ACTIVE: i32 = 1;
const INVALIDATED: i32 = 2;

impl Fake {
    /// A stream that captures.
    fn capturing(&self, mode: i32) -> u64 {
        let stream = self.stream(NON_BLOCKING);
        assert_eq!(self.cuStreamBeginCapture_v2(stream, mode), 0);
        stream
    }

    fn status(&self, stream: u64) -> i32 {
        made(|room| self.cuStreamIsCapturing(stream, room))
    }

    /// The executable graph of a stream that captures.
    fn ended(&self, stream: u64) -> u64 {
        let graph = made(|room| self.cuStreamEndCapture(stream, room));
        let executable = made(|room| self.cuGraphInstantiateWithFlags(room, graph, 0));
        assert_eq!(self.cuGraphDestroy(graph), 0);
        executable
    }

    fn end_refused(&self, stream: u64) -> i32 {
        let mut graph = 77;
        let code = self.cuStreamEndCapture(stream, &raw mut graph);
        assert_eq!(graph, 0, "there is no graph");
        assert_eq!(self.status(stream), NONE);
        code
    }
}

#[test]
fn what_is_captured_is_done_with_each_launch_and_not_before() {
    let fake = Fake::ready("");
    let memory = fake.memory(4);
    let stream = fake.capturing(GLOBAL);
    assert_eq!(fake.cuMemsetD8Async(memory, 1, 2, stream), 0);
    assert_eq!(fake.cuMemcpyDtoDAsync_v2(memory + 2, memory, 2, stream), 0);
    let executable = fake.ended(stream);
    assert_eq!((fake.status(stream), fake.alive("graphs")), (NONE, 1));
    assert_eq!(fake.read(memory, 4), [0; 4]);
    for _ in 0..2 {
        assert_eq!(fake.cuGraphLaunch(executable, stream), 0);
        assert_eq!(fake.cuStreamSynchronize(stream), 0);
        assert_eq!(fake.read(memory, 4), [1; 4]);
        assert_eq!(fake.cuMemsetD8Async(memory, 0, 4, stream), 0);
    }
    assert_eq!(fake.cuGraphExecDestroy(executable), 0);
    assert_eq!(fake.alive("graphs"), 0);
}

#[test]
fn a_stream_joins_by_a_wait_and_has_to_be_joined_again() {
    let fake = Fake::ready("");
    let (told, heard) = channel();
    let capture = |join: bool| {
        let (stream, other) = (fake.capturing(RELAXED), fake.stream(NON_BLOCKING));
        assert_eq!(fake.cuStreamWaitEvent(other, fake.recorded(stream), 0), 0);
        assert_eq!(fake.status(other), ACTIVE);
        let told = told.clone();
        fake.run(other, move || told.send(()).unwrap());
        if join {
            assert_eq!(fake.cuStreamWaitEvent(stream, fake.recorded(other), 0), 0);
        }
        (stream, other)
    };
    let (stream, other) = capture(false);
    assert_eq!(fake.cuStreamEndCapture(other, &mut 0), CAPTURE_UNMATCHED);
    assert_eq!(fake.end_refused(stream), CAPTURE_UNJOINED);
    let (stream, other) = capture(true);
    let executable = fake.ended(stream);
    assert_eq!(fake.status(other), NONE);
    assert_eq!(heard.try_iter().count(), 0);
    assert_eq!(fake.cuGraphLaunch(executable, other), 0);
    assert_eq!(fake.cuStreamSynchronize(other), 0);
    assert_eq!(heard.try_iter().count(), 1);
}

#[test]
fn an_event_recorded_in_a_capture_cannot_be_asked_until_it_is_recorded_outside() {
    let fake = Fake::ready("");
    for ask in [Fake::cuEventQuery, Fake::cuEventSynchronize] {
        let stream = fake.capturing(RELAXED);
        let event = fake.recorded(stream);
        assert_eq!(ask(&fake, event), CAPTURED_EVENT);
        assert_eq!(fake.status(stream), INVALIDATED);
        assert_eq!(fake.cuEventRecord(event, stream), CAPTURE_INVALIDATED);
        assert_eq!(fake.end_refused(stream), CAPTURE_INVALIDATED);
        assert_eq!(ask(&fake, event), INVALID_VALUE);
        assert_eq!(fake.cuEventRecord(event, stream), 0);
        assert_eq!(fake.cuEventSynchronize(event), 0);
    }
}

#[test]
fn external_records_and_waits_are_done_with_each_launch() {
    let fake = Fake::ready("");
    let event = fake.event(0);
    let stream = fake.capturing(RELAXED);
    assert_eq!(fake.cuEventRecordWithFlags(event, stream, 1), 0);
    assert_eq!(fake.cuEventQuery(event), 0, "it was never recorded");
    let recording = fake.ended(stream);
    let waiting = fake.stream(NON_BLOCKING);
    assert_eq!(fake.cuStreamBeginCapture_v2(waiting, RELAXED), 0);
    assert_eq!(fake.cuStreamWaitEvent(waiting, event, 1), 0);
    let wait = fake.ended(waiting);
    let hold = fake.hold(stream);
    assert_eq!(fake.cuGraphLaunch(recording, stream), 0);
    assert_eq!(fake.cuEventQuery(event), NOT_READY);
    assert_eq!(fake.cuGraphLaunch(wait, waiting), 0);
    assert_eq!(fake.cuStreamQuery(waiting), NOT_READY);
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(waiting), 0);
}

#[test]
fn a_wait_for_what_lies_outside_the_capture_breaks_it() {
    let fake = Fake::ready("");
    let (outside, another) = (fake.stream(NON_BLOCKING), fake.capturing(RELAXED));
    for (event, code) in
        [(fake.recorded(outside), CAPTURE_ISOLATION), (fake.recorded(another), CAPTURE_MERGE)]
    {
        let stream = fake.capturing(RELAXED);
        assert_eq!(fake.cuStreamWaitEvent(stream, event, 0), code);
        assert_eq!(fake.status(stream), INVALIDATED);
    }
    assert_eq!(fake.status(another), ACTIVE);
}

#[test]
fn what_waits_for_a_stream_that_captures_breaks_the_capture() {
    let fake = Fake::ready("");
    for ask in [Fake::cuStreamQuery, Fake::cuStreamSynchronize] {
        let stream = fake.capturing(RELAXED);
        assert_eq!(ask(&fake, stream), CAPTURE_UNSUPPORTED);
        assert_eq!(fake.status(stream), INVALIDATED);
        assert_eq!(fake.end_refused(stream), CAPTURE_INVALIDATED);
    }
    let stream = fake.capturing(RELAXED);
    assert_eq!(fake.cuCtxSynchronize(), CAPTURE_UNSUPPORTED);
    assert_eq!(fake.status(stream), INVALIDATED);
}

#[test]
fn what_could_be_unsafe_is_forbidden_to_those_whom_the_modes_restrict() {
    let fake = Fake::ready("");
    let context = fake.context();
    let event = fake.recorded(LEGACY);
    let here = |mode| {
        let mut mode = mode;
        assert_eq!(fake.cuThreadExchangeStreamCaptureMode(&raw mut mode), 0);
        let code = fake.cuEventQuery(event);
        assert_eq!(fake.cuMemAlloc_v2(&mut 0, 8), code);
        assert_eq!(fake.cuThreadExchangeStreamCaptureMode(&raw mut mode), 0);
        code
    };
    let there = |mode| {
        thread::scope(|scope| {
            let asked = scope.spawn(|| {
                assert_eq!(fake.cuCtxSetCurrent(context), 0);
                here(mode)
            });
            asked.join().unwrap()
        })
    };
    for (capture, mode, own, other) in [
        (GLOBAL, GLOBAL, CAPTURE_UNSUPPORTED, CAPTURE_UNSUPPORTED),
        (GLOBAL, THREAD_LOCAL, CAPTURE_UNSUPPORTED, 0),
        (GLOBAL, RELAXED, 0, 0),
        (THREAD_LOCAL, GLOBAL, CAPTURE_UNSUPPORTED, 0),
        (RELAXED, GLOBAL, 0, 0),
    ] {
        for (is_here, code) in [(true, own), (false, other)] {
            let stream = fake.capturing(capture);
            let said = if is_here { here(mode) } else { there(mode) };
            assert_eq!(said, code, "{capture} {mode}");
            let expected = if code == 0 { ACTIVE } else { INVALIDATED };
            assert_eq!(fake.status(stream), expected);
            fake.cuStreamEndCapture(stream, &mut 0);
        }
    }
}

#[test]
fn the_legacy_stream_cannot_be_used_while_a_blocking_stream_captures() {
    let fake = Fake::ready("");
    assert_eq!(fake.cuStreamBeginCapture_v2(LEGACY, RELAXED), CAPTURE_UNSUPPORTED);
    let (stream, event) = (fake.stream(0), fake.event(0));
    assert_eq!(fake.cuStreamBeginCapture_v2(stream, RELAXED), 0);
    assert_eq!(fake.cuStreamIsCapturing(LEGACY, &mut 0), CAPTURE_IMPLICIT);
    assert_eq!(fake.status(stream), ACTIVE);
    assert_eq!(fake.cuEventRecord(event, LEGACY), CAPTURE_IMPLICIT);
    assert_eq!(fake.end_refused(stream), CAPTURE_INVALIDATED);
    assert_eq!(fake.cuEventRecord(event, LEGACY), 0);
}

#[test]
fn a_capture_is_ended_once_and_by_the_thread_that_began_it() {
    let fake = Fake::ready("");
    let context = fake.context();
    assert_eq!(fake.cuStreamEndCapture(fake.stream(0), &mut 0), ILLEGAL_STATE);
    for (mode, code) in [(THREAD_LOCAL, CAPTURE_WRONG_THREAD), (RELAXED, 0)] {
        let stream = fake.capturing(mode);
        assert_eq!(fake.cuStreamBeginCapture_v2(stream, mode), ILLEGAL_STATE);
        thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(fake.cuCtxSetCurrent(context), 0);
                assert_eq!(fake.cuStreamEndCapture(stream, &mut 0), code);
            });
        });
    }
}

#[test]
fn a_capture_has_an_id_of_its_own() {
    let fake = Fake::ready("");
    let id = |stream| {
        let (mut status, mut id) = (0, 0);
        assert_eq!(fake.cuStreamGetCaptureInfo(stream, &raw mut status, &raw mut id), 0);
        (status, id)
    };
    let (first, second) = (fake.capturing(RELAXED), fake.capturing(RELAXED));
    assert_eq!(id(first).0, ACTIVE);
    assert_ne!(id(first).1, id(second).1);
    assert_eq!(id(first), id(first));
    assert_eq!(id(fake.stream(0)).0, NONE);
}

#[test]
fn the_branches_of_a_graph_run_side_by_side_and_are_joined() {
    let fake = Fake::ready("");
    let (word, result) = (fake.memory(4), fake.memory(4));
    let (stream, other) = (fake.capturing(RELAXED), fake.stream(NON_BLOCKING));
    assert_eq!(fake.cuMemsetD32Async(word, 0, 1, stream), 0);
    assert_eq!(fake.cuStreamWaitEvent(other, fake.recorded(stream), 0), 0);
    // One branch waits for what the other writes, which was captured later.
    assert_eq!(fake.cuStreamWaitValue32_v2(stream, word, 5, 1), 0);
    assert_eq!(fake.cuStreamWriteValue32_v2(other, word, 5, 0), 0);
    assert_eq!(fake.cuStreamWaitEvent(stream, fake.recorded(other), 0), 0);
    assert_eq!(fake.cuMemcpyDtoDAsync_v2(result, word, 4, stream), 0);
    let executable = fake.ended(stream);
    for _ in 0..2 {
        assert_eq!(fake.cuGraphLaunch(executable, stream), 0);
        assert_eq!(fake.cuStreamSynchronize(stream), 0);
        assert_eq!(fake.read(result, 4), 5_u32.to_ne_bytes());
        assert_eq!(fake.cuMemsetD32Async(result, 0, 1, stream), 0);
    }
}

#[test]
fn a_launch_comes_after_its_stream_and_after_the_launch_before() {
    let fake = Fake::ready("");
    let (first, second) = (fake.capturing(RELAXED), fake.stream(NON_BLOCKING));
    let (told, heard) = channel();
    for number in 0..3 {
        let told = told.clone();
        fake.run_each_time(first, move || told.send(number).unwrap());
    }
    let executable = fake.ended(first);
    let hold = fake.hold(first);
    assert_eq!(fake.cuGraphLaunch(executable, first), 0);
    assert_eq!(fake.cuGraphLaunch(executable, second), 0);
    assert!(stays(|| fake.cuStreamQuery(second) == NOT_READY));
    assert!(heard.try_recv().is_err());
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(second), 0);
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
}

#[test]
fn a_graph_says_how_many_nodes_it_has() {
    let fake = Fake::ready("");
    let stream = fake.capturing(RELAXED);
    for _ in 0..3 {
        fake.run(stream, || ());
    }
    let graph = made(|room| fake.cuStreamEndCapture(stream, room));
    assert_eq!(made(|room| fake.cuGraphGetNodes(graph, std::ptr::null_mut(), room)), 3);
    assert_eq!(fake.cuGraphLaunch(graph, stream), INVALID_VALUE, "it is not executable");
}
