//! Faults: each function of the driver that we call fails once, at its first call and at a later one.
//!
//! Each in a process of its own. Whatever fails is told by its name, harms nothing that comes later, and leaves nothing behind.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod fake;

use std::env;
use std::process::{Command, Output};
use std::time::Duration;

use syncpoint::{Device, Error, EventOptions, Gate, Kind, Result, Stream};
use syncpoint_conformance::patience::until;

use fake::Fake;

/// What a child is to do: a function, the number of its call, the code and how it comes.
const FAULT: &str = "SYNCPOINT_TEST_FAULT";

/// `CUDA_ERROR_UNKNOWN`: says nothing of the context.
const UNKNOWN: u32 = 999;

/// `CUDA_ERROR_LAUNCH_FAILED`: the context is broken for good.
const LAUNCH_FAILED: u32 = 719;

/// Functions whose trouble the caller need not hear of, with the reason. What a drop cannot say is counted.
const SILENT: &[(&str, &str)] = &[
    ("cuDriverGetVersion", "a version is for messages"),
    ("cuGetErrorName", "a name is for messages"),
    ("cuDeviceGetName", "a name is for messages"),
    ("cuDeviceGetAttribute", "a device that does not say has no memory pools"),
    ("cuThreadExchangeStreamCaptureMode", "what is not exchanged stays as it is"),
    ("cuMemHostRegister_v2", "memory that is not pinned does as well"),
    ("cuDevicePrimaryCtxRelease_v2", "of a drop"),
    ("cuStreamDestroy_v2", "of a drop"),
    ("cuEventDestroy_v2", "of a drop"),
    ("cuMemFree_v2", "of a drop"),
    ("cuMemFreeAsync", "of a drop"),
    ("cuMemHostUnregister", "of a drop"),
    ("cuStreamGetId", "a stream without an id is told apart by its address"),
    ("cuStreamGetPriority", "a priority is for whoever asks"),
    ("cuEventRecordWithFlags", "called in captures alone"),
    ("cuEventElapsedTime", "asked where the newer one is not there"),
    ("cuMemAlloc_v2", "asked where there are no memory pools"),
    ("cuIpcOpenEventHandle", "called for events of other processes alone"),
];

/// Of those, the ones that end something, which then lives on.
const ENDS: &[&str] = &[
    "cuDevicePrimaryCtxRelease_v2",
    "cuStreamDestroy_v2",
    "cuEventDestroy_v2",
    "cuMemFreeAsync",
    "cuMemHostUnregister",
];

#[test]
fn what_fails_at_its_first_call_is_told_and_harms_nothing_later() {
    for function in syncpoint::cuda::functions() {
        assert_child_ends_well(&format!("fail {function} 1 {UNKNOWN}"));
    }
}

#[test]
fn what_fails_at_a_later_call_is_told_and_harms_nothing_later() {
    for function in syncpoint::cuda::functions() {
        assert_child_ends_well(&format!("fail {function} 2 {UNKNOWN}"));
    }
}

#[test]
fn what_breaks_the_context_is_the_first_cause_of_all_that_fails() {
    for function in syncpoint::cuda::functions() {
        assert_child_ends_well(&format!("break {function} 2 {LAUNCH_FAILED}"));
    }
}

#[test]
fn a_function_that_the_library_lacks_takes_one_capability_and_nothing_else() {
    for function in syncpoint::cuda::functions() {
        assert_child_ends_well(&format!("without {function} 0 0"));
    }
}

#[track_caller]
fn assert_child_ends_well(fault: &str) {
    let mut child = Command::new(env::current_exe().expect("a test has a program"));
    child.args(["--exact", "under_a_fault", "--nocapture"]).env(FAULT, fault);
    let Output { status, stdout, stderr } = child.output().expect("a child runs");
    let said = [stdout, stderr].map(|words| String::from_utf8_lossy(&words).into_owned());
    assert!(status.success(), "{fault}: {status}\n{}{}", said[0], said[1]);
}

/// What the children do; nothing where no fault was given.
#[test]
fn under_a_fault() {
    let Ok(fault) = env::var(FAULT) else { return };
    let words: Vec<&str> = fault.split(' ').collect();
    let [how, function, _, code] = words[..] else { panic!("{fault}: no fault") };
    if how == "without" {
        return without(function);
    }
    let (fake, code) = (Fake::used(), code.parse().expect("a code is a number"));
    fake.script(&fault);
    // Twice: what is called once for each device has a later call too.
    let programs = [use_everything(), use_everything()];
    let errors = programs.concat();
    let hung = errors.iter().find(|error| error.kind() == Kind::TimedOut);
    assert!(hung.is_none(), "{fault}: a wait was left alone: {hung:?}");
    let met = fake.count(function) >= 2;
    let tells = |error: &&Error| {
        error.code().is_some_and(|(number, _)| number == code) && error.message().contains(function)
    };
    let told = errors.iter().find(tells);
    let is_silent = SILENT.iter().any(|(silent, _)| *silent == function);
    assert!(told.is_some() || is_silent || !met, "{fault}: nobody was told; heard {errors:#?}");
    match how {
        "break" => programs.iter().for_each(|errors| assert_lost(errors)),
        _ => assert_well(fake, function, &errors),
    }
}

/// The library lacks a function: there is no device, or what needs it is refused by its name.
fn without(function: &str) {
    Fake::without(function);
    for error in use_everything() {
        assert_ne!(error.kind(), Kind::TimedOut, "without {function}: {error}");
        let kinds = [Kind::Unsupported, Kind::Unavailable];
        assert!(kinds.contains(&error.kind()), "without {function}: {error}");
        let tells = error.message().contains(function) || error.message().contains("device_gates");
        let is_of_the_device = error.message().contains("ask capabilities()");
        assert!(tells || is_of_the_device, "without {function}: {error}");
    }
}

/// Whatever failed, what comes later works, and at the end nothing is left.
fn assert_well(fake: &Fake, function: &str, errors: &[Error]) {
    for error in errors {
        assert_ne!(error.kind(), Kind::DeviceLost, "{error}");
    }
    let later = use_everything();
    assert!(later.is_empty(), "after the fault: {later:#?}");
    if ENDS.contains(&function) {
        until("the count of what a drop could not say", || syncpoint::cuda::unheard() == 1);
        return;
    }
    until("the end of everything", || fake.alive("all") == 0);
    assert_eq!(syncpoint::cuda::unheard(), 0);
}

/// Everything of one device that fails once its context is broken does so with one cause.
fn assert_lost(errors: &[Error]) {
    let lost = || errors.iter().filter(|error| error.kind() == Kind::DeviceLost);
    let Some(first) = lost().next() else { return };
    for error in lost() {
        assert!(error.is_same(first), "{error} is not {first}");
    }
}

/// Uses each part of the backend, whether the others work or not. Gives what was refused.
fn use_everything() -> Vec<Error> {
    let mut refused = Vec::new();
    let with_gates = syncpoint::cuda::builder().device_gates(PATIENCE).open(0);
    // Without gates a device is of use all the same.
    let opened = with_gates.or_else(|error| {
        let is_lost = error.kind() == Kind::DeviceLost;
        refused.push(error.clone());
        if is_lost { Err(error) } else { syncpoint::cuda::open(0) }
    });
    let device = match opened {
        Ok(device) => device,
        Err(error) => return [refused, vec![error]].concat(),
    };
    let parts: [fn(&Device) -> Result<()>; 9] = [
        waits,
        times,
        fills_and_copies,
        lets_time_pass,
        submits,
        polls,
        shares_streams,
        has_events_of_the_driver,
        shares_events,
    ];
    // Twice, so that each function is called again.
    let rounds = parts.iter().chain(&parts);
    refused.extend(rounds.filter_map(|part| part(&device).err()));
    refused.extend(device.shutdown(PATIENCE).err());
    refused
}

const PATIENCE: Duration = Duration::from_secs(10);

fn waits(device: &Device) -> Result<()> {
    let (first, second) = (device.stream()?, device.stream()?);
    let buffer = device.buffer(64)?;
    // Fewer than make the backend look which events it needs no more: what it asks unasked is told to nobody.
    for value in 0..12 {
        first.fill(&buffer, 0..64, value)?;
        second.wait(&first.record()?)?;
    }
    settle(&second)
}

fn settle(stream: &Stream) -> Result<()> {
    stream.record()?.synchronize_timeout(PATIENCE)
}

fn times(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    let (start, end) = (stream.record_timed()?, stream.record_timed()?);
    end.synchronize_timeout(PATIENCE)?;
    end.elapsed_since(&start)?;
    end.timestamp().map(drop)
}

fn fills_and_copies(device: &Device) -> Result<()> {
    let (stream, source, target) = (device.stream()?, device.buffer(64)?, device.buffer(64)?);
    source.write(0, &[7; 64])?;
    stream.copy(&source, 0..64, &target, 0..64)?;
    stream.fill(&target, 0..8, 1)?;
    settle(&stream)?;
    assert_eq!(target.to_vec(0..16)?, [[1; 8], [7; 8]].concat());
    Ok(())
}

fn lets_time_pass(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    stream.delay(Duration::from_micros(10))?;
    settle(&stream)
}

fn submits(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    stream.submit(|submission| {
        let raw = submission.native::<syncpoint::cuda::RawStream>().expect("a handle is lent");
        assert!(!raw.as_ptr().is_null());
    })?;
    settle(&stream)
}

fn polls(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    stream.enqueue(|| ())?;
    let end = stream.record()?;
    while !end.query()? {
        std::thread::yield_now();
    }
    settle(&stream)
}

/// Streams that others launch on too: what they wait for holds them on the device.
fn shares_streams(device: &Device) -> Result<()> {
    let (stream, gate) = (device.stream()?, Gate::new());
    let raw = syncpoint::cuda::expose(&stream)?;
    stream.wait(&gate.point())?;
    stream.enqueue(|| ())?;
    gate.open()?;
    settle(&stream)?;
    while !stream.query()? {
        std::thread::yield_now();
    }
    settle(&*syncpoint::cuda::legacy_stream(device)?)?;
    settle(&*syncpoint::cuda::per_thread_stream(device)?)?;
    settle(&*Fake::used().borrow_unowned(device, raw.as_ptr().addr())?)
}

fn has_events_of_the_driver(device: &Device) -> Result<()> {
    let (stream, options) = (device.stream()?, EventOptions::builder().native_handle().build()?);
    let event = device.event_with(options)?;
    event.record(&stream)?;
    syncpoint::cuda::event_handle(&event)?;
    event.synchronize_timeout(PATIENCE)?;
    let external = device.event_with(EventOptions::builder().external().build()?)?;
    external.record(&stream)?;
    external.synchronize_timeout(PATIENCE)
}

/// Opened they are in another process only: `processes.rs` has the faults of that.
fn shares_events(device: &Device) -> Result<()> {
    let (stream, options) = (device.stream()?, EventOptions::builder().interprocess().build()?);
    let event = device.event_with(options)?;
    event.export()?;
    event.record(&stream)?;
    event.synchronize_timeout(PATIENCE)?;
    syncpoint::cuda::shares_natively(&event)
}
