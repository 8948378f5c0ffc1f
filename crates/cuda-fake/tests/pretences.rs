//! What a script makes of the driver: failures, broken contexts, blocks, stalls, absences and counts.

mod fake;

use std::env;
use std::ffi::c_void;
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use fake::*;

const ILLEGAL_ADDRESS: i32 = 700;
const LAUNCH_FAILED: i32 = 719;

/// What the environment has the library pretend.
const SCRIPT: &str = "SYNCPOINT_CUDA_FAKE";

#[test]
fn a_function_fails_on_the_calls_that_a_script_names() {
    let fake = Fake::ready("fail cuEventRecord 2 719; fail cuStreamQuery 2..3 1");
    let (stream, event) = (fake.stream(0), fake.event(0));
    let records = [(); 3].map(|()| fake.cuEventRecord(event, stream));
    assert_eq!(records, [0, LAUNCH_FAILED, 0]);
    let queries = [(); 4].map(|()| fake.cuStreamQuery(stream));
    assert_eq!(queries, [0, INVALID_VALUE, INVALID_VALUE, 0]);
}

#[test]
fn a_question_that_is_pending_fails_late_too() {
    let fake = Fake::ready("stall 1; late cuStreamQuery 1 719");
    let stream = fake.stream(0);
    assert_eq!(fake.cuEventRecord(fake.event(0), stream), 0);
    let queries = [(); 2].map(|()| fake.cuStreamQuery(stream));
    assert_eq!(queries, [LAUNCH_FAILED, NOT_READY]);
    assert_eq!(fake.script("release"), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn who_has_met_with_a_script_is_told_by_the_name_of_its_thread() {
    let fake = Fake::ready("block cuStreamQuery 3 1; fail cuStreamQuery 1..2 719");
    let stream = fake.stream(0);
    let named = thread::Builder::new().name("somebody".to_owned());
    thread::scope(|scope| {
        named.spawn_scoped(scope, || fake.cuStreamQuery(stream)).expect("a thread");
    });
    assert_eq!(fake.cuStreamQuery(stream), LAUNCH_FAILED);
    assert_eq!(["somebody", "nobody", "*"].map(|name| fake.held(name)), [0, 0, 0]);
    assert_eq!(fake.cuStreamQuery(stream), 0);
    assert_eq!(["somebody", "nobody", "*"].map(|name| fake.held(name)), [0, 0, 1]);
    assert_eq!(["somebody", "nobody", "*"].map(|name| fake.struck(name)), [1, 0, 2]);
}

#[test]
fn a_script_without_sense_in_the_environment_fails_every_call_and_says_why() {
    const NAME: &str = "a_script_without_sense_in_the_environment_fails_every_call_and_says_why";
    const SENSELESS: &str = "devices=2; fial cuInit 1 719";
    if env::var_os(SCRIPT).is_some_and(|script| script == SENSELESS) {
        let fake = Fake::load();
        let codes = [fake.cuInit(0), fake.cuInit(0), fake.cuStreamQuery(0)];
        assert_eq!(codes, [INVALID_VALUE; 3]);
        return;
    }
    let mut alone = Command::new(env::current_exe().unwrap());
    let output = alone.args(["--exact", NAME, "--nocapture"]).env(SCRIPT, SENSELESS).output();
    let output = output.unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
    let line = "syncpoint-cuda-fake: `fial cuInit 1 719`: ";
    assert!(complained.contains(line), "{complained}");
}

#[test]
fn calls_are_counted_from_when_the_rule_is_given() {
    let fake = Fake::ready("");
    let stream = fake.stream(0);
    assert_eq!(fake.cuStreamQuery(stream), 0);
    assert_eq!(fake.script("fail cuStreamQuery 1 2"), 0);
    assert_eq!(fake.cuStreamQuery(stream), OUT_OF_MEMORY);
    assert_eq!(fake.cuStreamQuery(stream), 0);
}

#[test]
fn a_call_that_fails_does_nothing_and_one_that_fails_late_has_done_its_work() {
    let fake = Fake::ready("fail cuEventDestroy_v2 1 719; late cuEventDestroy_v2 2 719");
    let event = fake.event(0);
    assert_eq!(fake.cuEventDestroy_v2(event), LAUNCH_FAILED);
    assert_eq!(fake.alive("events"), 1);
    assert_eq!(fake.cuEventDestroy_v2(event), LAUNCH_FAILED);
    assert_eq!(fake.alive("events"), 0);
}

#[test]
fn a_broken_context_stays_broken_and_its_device_does_nothing_more() {
    let fake = Fake::ready("devices=2; break cuStreamQuery 1 700");
    let (stream, memory) = (fake.stream(0), fake.memory(4));
    let hold = fake.hold(stream);
    let event = fake.recorded(stream);
    assert_eq!(fake.cuMemsetD8Async(memory, 1, 4, stream), 0);
    assert_eq!(fake.cuStreamQuery(stream), ILLEGAL_ADDRESS);
    hold.end();
    assert_eq!(fake.cuStreamQuery(stream), ILLEGAL_ADDRESS);
    assert_eq!(fake.cuEventQuery(event), ILLEGAL_ADDRESS);
    assert_eq!(fake.cuCtxSynchronize(), ILLEGAL_ADDRESS);
    assert_eq!(fake.cuStreamCreate(&mut 0, 0), ILLEGAL_ADDRESS);
    assert_eq!(fake.cuEventDestroy_v2(event), ILLEGAL_ADDRESS);
    assert_eq!(fake.cuStreamDestroy_v2(stream), ILLEGAL_ADDRESS);
    assert_eq!((fake.alive("events"), fake.alive("streams")), (0, 0));
    assert_eq!(fake.cuCtxSetCurrent(fake.retain(1)), 0);
    assert_eq!(fake.cuCtxSynchronize(), 0, "another device is whole");
    assert_eq!(fake.cuDevicePrimaryCtxReset_v2(0), 0);
    assert_eq!(fake.cuCtxSetCurrent(fake.retain(0)), 0);
    assert_eq!(fake.cuCtxSynchronize(), 0, "a reset makes it whole");
}

#[test]
fn an_operation_breaks_its_context_when_its_stream_comes_to_it() {
    let fake = Fake::ready("fault 2 719");
    let (stream, memory) = (fake.stream(NON_BLOCKING), fake.memory(4));
    assert_eq!(fake.cuMemsetD8Async(memory, 1, 4, stream), 0);
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
    let event = fake.event(0);
    assert_eq!(fake.cuEventRecord(event, stream), 0, "a record is none");
    assert_eq!(fake.cuMemsetD8Async(memory, 2, 4, stream), 0);
    while fake.cuEventQuery(event) == 0 {
        thread::yield_now();
    }
    assert_eq!(fake.cuStreamSynchronize(stream), LAUNCH_FAILED);
}

#[test]
fn the_time_between_two_events_is_what_a_script_says() {
    let fake = Fake::ready("elapsed 1 -2.5; elapsed 2 NaN");
    let event = fake.event(0);
    assert_eq!(fake.cuEventRecord(event, LEGACY), 0);
    assert_eq!(fake.cuEventSynchronize(event), 0);
    assert_eq!(fake.elapsed(event, event), Ok(-2.5));
    assert!(fake.elapsed(event, event).unwrap().is_nan());
    assert_eq!(fake.elapsed(event, event), Ok(0.0));
}

#[test]
fn an_event_is_not_ready_for_as_many_queries_as_a_script_says() {
    let fake = Fake::ready("not_ready cuEventQuery 2");
    let event = fake.recorded(LEGACY);
    assert_eq!(fake.cuEventSynchronize(event), 0);
    let queries = [(); 3].map(|()| fake.cuEventQuery(event));
    assert_eq!(queries, [NOT_READY, NOT_READY, 0]);
}

#[test]
fn a_call_blocks_until_it_is_released() {
    let fake =
        Fake::ready("block cuCtxGetDevice 1; block cuCtxGetDevice 2 1; block cuCtxGetDevice 3");
    let context = fake.context();
    thread::scope(|scope| {
        let blocked = scope.spawn(|| {
            assert_eq!(fake.cuCtxSetCurrent(context), 0);
            fake.cuCtxGetDevice(&mut 0)
        });
        while fake.count("cuCtxGetDevice") == 0 {
            thread::yield_now();
        }
        assert_eq!(fake.cuCtxGetDevice(&mut 0), 0, "this one blocks for a millisecond");
        assert!(stays(|| !blocked.is_finished()));
        assert_eq!(fake.script("release"), 0);
        assert_eq!(blocked.join().unwrap(), 0);
    });
    assert_eq!(fake.cuCtxGetDevice(&mut 0), 0, "a call to come is released too");
}

#[test]
fn a_stream_that_stalls_never_finishes_until_it_is_released() {
    let fake = Fake::ready("stall 2");
    let [first, second] = [(); 2].map(|()| fake.stream(NON_BLOCKING));
    let event = fake.recorded(second);
    assert_eq!(fake.cuStreamSynchronize(first), 0);
    assert_eq!(fake.cuEventQuery(event), NOT_READY);
    assert_eq!(fake.cuStreamQuery(second), NOT_READY);
    assert_eq!(fake.script("release"), 0);
    assert_eq!(fake.cuEventSynchronize(event), 0);
}

#[test]
fn a_full_queue_blocks_the_call_until_there_is_room() {
    type Call = fn(&Fake, u64) -> i32;
    const CALLS: [(&str, Call); 3] = [
        ("cuEventRecord", |fake, stream| fake.cuEventRecord(fake.event(0), stream)),
        ("cuMemsetD8Async", |fake, stream| fake.cuMemsetD8Async(fake.memory(4), 0, 4, stream)),
        ("cuStreamWaitEvent", |fake, stream| {
            fake.cuStreamWaitEvent(stream, fake.recorded(LEGACY), 0)
        }),
    ];
    for (name, call) in CALLS {
        let fake = Fake::ready("queue=2");
        let (context, stream) = (fake.context(), fake.stream(NON_BLOCKING));
        let hold = fake.hold(stream);
        assert_eq!(call(&fake, stream), 0);
        thread::scope(|scope| {
            let blocked = scope.spawn(|| {
                assert_eq!(fake.cuCtxSetCurrent(context), 0);
                call(&fake, stream)
            });
            while fake.count(name) < 2 {
                thread::yield_now();
            }
            assert_eq!(fake.cuStreamQuery(stream), NOT_READY, "a query is not blocked");
            assert!(stays(|| !blocked.is_finished()), "{name}");
            hold.end();
            assert_eq!(blocked.join().unwrap(), 0);
        });
    }
}

static CALLED_WITH: AtomicI32 = AtomicI32::new(0);

extern "C" fn note(_stream: u64, code: i32, _data: *mut c_void) {
    CALLED_WITH.store(code, Ordering::Relaxed);
}

#[test]
fn behind_a_fault_host_functions_are_not_called_and_callbacks_are() {
    let fake = Fake::ready("break cuCtxGetDevice 1 700");
    let stream = fake.stream(NON_BLOCKING);
    let hold = fake.hold(stream);
    let (told, heard) = channel();
    fake.run(stream, move || told.send(()).unwrap());
    assert_eq!(fake.cuStreamAddCallback(stream, Some(note), std::ptr::null_mut(), 0), 0);
    assert_eq!(fake.cuCtxGetDevice(&mut 0), ILLEGAL_ADDRESS);
    hold.end();
    while CALLED_WITH.load(Ordering::Relaxed) == 0 {
        thread::yield_now();
    }
    assert_eq!(CALLED_WITH.load(Ordering::Relaxed), ILLEGAL_ADDRESS);
    assert!(heard.try_recv().is_err());
}

#[test]
fn a_driver_that_is_gone_says_so_to_everybody() {
    let fake = Fake::ready("");
    let stream = fake.stream(0);
    assert_eq!(fake.script("deinitialized"), 0);
    assert_eq!(fake.cuStreamDestroy_v2(stream), DEINITIALIZED);
    assert_eq!(fake.cuInit(0), DEINITIALIZED);
    assert_eq!(fake.cuDriverGetVersion(&mut 0), DEINITIALIZED);
}

#[test]
fn calls_and_live_objects_are_counted_until_a_reset() {
    let fake = Fake::ready("");
    let (_stream, _event) = (fake.stream(0), fake.event(0));
    assert_eq!((fake.count("cuStreamCreate"), fake.count("cuStreamQuery")), (1, 0));
    assert!(fake.count("*") >= 5);
    assert_eq!((fake.alive("streams"), fake.alive("events"), fake.alive("all")), (1, 1, 3));
    assert_eq!(fake.alive("colours"), u64::MAX);
    fake.syncpointFakeReset();
    assert_eq!((fake.count("*"), fake.alive("all")), (0, 0));
    assert_eq!(fake.cuCtxSynchronize(), NOT_INITIALIZED);
}

#[test]
fn a_script_that_makes_no_sense_is_refused_whole() {
    let fake = Fake::load();
    assert_eq!(fake.script("devices=3; colour=red"), INVALID_VALUE);
    assert_eq!(fake.cuInit(0), 0);
    assert_eq!(made(|room| fake.cuDeviceGetCount(room)), 1);
}

#[test]
fn a_function_is_found_by_its_name_and_version() {
    let fake = Fake::load();
    let found = |name, version| fake.look_up(name, version, 0);
    assert_eq!(found("cuStreamDestroy", 12000), (fake.address("cuStreamDestroy_v2"), 0));
    assert_eq!(found("cuGetProcAddress", 12000), (fake.address("cuGetProcAddress_v2"), 0));
    assert_eq!(found("cuGetProcAddress", 11030), (fake.address("cuGetProcAddress"), 0));
    let own = fake.look_up("cuStreamQuery", 12000, 2);
    assert_eq!(own, (fake.address("cuStreamQuery_ptsz"), 0));
    assert_eq!(found("cuStreamGetId", 11000), (std::ptr::null(), 2), "it came with 12.0");
    assert_eq!(found("cuNoSuchFunction", 12000), (std::ptr::null(), 1));
}

#[test]
fn what_is_missing_or_newer_than_the_driver_is_not_found() {
    let fake = Fake::scripted("version=11040; missing cuStreamQuery; missing cuMemAlloc_v2");
    for name in ["cuStreamQuery", "cuMemAlloc", "cuStreamGetId"] {
        assert_eq!(fake.look_up(name, 12090, 0), (std::ptr::null(), 1), "{name}");
    }
}

#[test]
fn a_reduced_library_lacks_what_was_not_kept() {
    let fake = Fake::reduced(|name| ["cuInit", "cuGetProcAddress_v2"].contains(&name));
    assert_eq!(fake.cuInit(0), 0);
    for name in ["cuStreamQuery", "cuGetProcAddress", "cuMemAlloc_v2"] {
        assert!(fake.address(name).is_null(), "{name}");
    }
    assert!(!fake.address("cuGetProcAddress_v2").is_null());
    assert!(!fake.address("syncpointFakeScript").is_null());
}

#[test]
fn the_rest_of_the_driver_is_there_and_not_supported() {
    let fake = Fake::ready("");
    let (address, status) = fake.look_up("cuArrayCreate", 12000, 0);
    assert_eq!(address, fake.address("cuArrayCreate_v2"));
    assert_eq!((call_plain(address), status), (NOT_SUPPORTED, 0));
    assert_eq!(fake.count("cuArrayCreate_v2"), 1);
}

#[test]
fn codes_have_names_and_words() {
    let fake = Fake::load();
    for (code, name, words) in [
        (0, c"CUDA_SUCCESS", c"no error"),
        (NOT_READY, c"CUDA_ERROR_NOT_READY", c"device not ready"),
        (
            ILLEGAL_ADDRESS,
            c"CUDA_ERROR_ILLEGAL_ADDRESS",
            c"an illegal memory access was encountered",
        ),
    ] {
        assert_eq!(text(|room| fake.cuGetErrorName(code, room)), Ok(name));
        assert_eq!(text(|room| fake.cuGetErrorString(code, room)), Ok(words));
    }
    assert_eq!(text(|room| fake.cuGetErrorName(12345, room)), Err(INVALID_VALUE));
}
