//! One use of each part of the backend, by the words that a user has for it.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]
#![allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use syncpoint::cuda::RawStream;
use syncpoint::{Device, Error, Event, EventOptions, Gate, Kind, Point, Result, Stream};

use super::fake::{Fake, Green};

/// Long beyond any machine's hiccup.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// One part, used.
pub(crate) type Use = fn(&Device) -> Result<()>;

/// Each part once. Whatever it makes it drops.
pub(crate) const USES: &[(&str, Use)] = &[
    ("records and waits", records_and_waits),
    ("timed points", times),
    ("timestamps", timestamps),
    ("buffers", buffers),
    ("fills", fills),
    ("copies", copies),
    ("host buffers", host_buffers),
    ("writing and reading buffers", writes_and_reads),
    ("delays", delays),
    ("host work", works),
    ("submissions", submits),
    ("queries of streams given out", gives_out),
    ("the legacy stream", legacy),
    ("default streams of threads", per_thread),
    ("streams of others", takes_in),
    ("contexts of others", takes_in_a_context),
    ("streams of green contexts", takes_in_a_green_one),
    ("captures", captures),
    ("events with a handle", has_handles),
    ("external events", has_external_events),
    ("events for other processes", shares_events),
    ("events of others", takes_in_an_event),
    ("an event of this process", opens_its_own),
    ("misuse", misuses),
];

/// Where the device was opened with gates.
pub(crate) const WITH_GATES: &[(&str, Use)] =
    &[("device gates", stands_before_a_gate), ("words for other processes", writes_words)];

/// Opens the device, with gates where it can, and uses each part, whether the others work or not. Twice, so that each
/// function is called again. Gives what was refused.
pub(crate) fn use_everything() -> Vec<Error> {
    let mut refused = Vec::new();
    let with_gates = leaves_the_context("opening with gates", open_with_gates);
    // Without gates a device is of use all the same.
    let opened = with_gates.or_else(|error| {
        let is_lost = error.kind() == Kind::DeviceLost;
        refused.push(error.clone());
        let open = || syncpoint::cuda::open(0);
        if is_lost { Err(error) } else { leaves_the_context("opening", open) }
    });
    match opened {
        Ok(device) => refused.extend(use_device(&device)),
        Err(error) => refused.push(error),
    }
    refused
}

pub(crate) fn open_with_gates() -> Result<Device> {
    syncpoint::cuda::builder().device_gates(PATIENCE).open(0)
}

/// Uses each part of a device, twice. Gives what was refused.
pub(crate) fn use_device(device: &Device) -> Vec<Error> {
    let parts = || USES.iter().chain(WITH_GATES);
    let rounds = parts().chain(parts());
    let used = |(name, part): &(&str, Use)| leaves_the_context(name, || part(device)).err();
    let mut refused: Vec<_> = rounds.filter_map(used).collect();
    let over = meeting(WAIT, || device.shutdown(PATIENCE));
    refused.extend(over.err());
    refused
}

/// Uses a part that leaves this thread's context as it was, *none* included, whether the part works or not.
fn leaves_the_context<T>(name: &str, part: impl FnOnce() -> Result<T>) -> Result<T> {
    let fake = Fake::used();
    let before = fake.current();
    let outcome = part();
    assert_eq!(fake.current(), before, "{name}: {:?}", outcome.err());
    outcome
}

/// What of the uses is refused nothing where the driver refuses it something, as its name is in [`met`].
pub(crate) const WAIT: &str = "a wait";
pub(crate) const EXPORT: &str = "an exported event";
pub(crate) const MISUSE: &str = "a misuse";
pub(crate) const STAGED: &str = "memory through which buffers are written and read";

/// Which of these a script has struck, on the thread that used it.
static MET: Mutex<Vec<&str>> = Mutex::new(Vec::new());

/// Whether a script has struck one of these.
pub(crate) fn met(what: &str) -> bool {
    MET.lock().expect("nobody panics").contains(&what)
}

/// Uses one of these.
fn meeting<T>(what: &'static str, part: impl FnOnce() -> T) -> T {
    let before = struck_here();
    let outcome = part();
    if struck_here() > before {
        meet(what);
    }
    outcome
}

/// How many calls of this thread a script has struck.
fn struck_here() -> u64 {
    Fake::used().struck(thread::current().name().unwrap_or_default())
}

fn meet(what: &'static str) {
    MET.lock().expect("nobody panics").push(what);
}

/// Asks until it has come. Who asks may hear of the end from the poller, who has asked at the same time, although its own
/// question was refused.
fn ask_until_it_has_come(point: &Point) -> Result<()> {
    loop {
        let before = struck_here();
        if point.query()? {
            if struck_here() > before {
                meet(WAIT);
            }
            return Ok(());
        }
        thread::yield_now();
    }
}

fn settle(stream: &Stream) -> Result<()> {
    let end = stream.record()?;
    meeting(WAIT, || end.synchronize_timeout(PATIENCE))
}

fn records_and_waits(device: &Device) -> Result<()> {
    let (first, second) = (device.stream()?, device.stream()?);
    // Fewer than make the backend look which events it needs no more: what it asks unasked is told to nobody.
    for _ in 0..12 {
        first.delay(Duration::ZERO)?;
        let end = first.record()?;
        second.wait(&end)?;
        ask_until_it_has_come(&end)?;
    }
    settle(&second)
}

fn times(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    let (start, end) = (stream.record_timed()?, stream.record_timed()?);
    meeting(WAIT, || end.synchronize_timeout(PATIENCE))?;
    end.elapsed_since(&start).map(drop)
}

fn timestamps(device: &Device) -> Result<()> {
    let end = device.stream()?.record_timed()?;
    meeting(WAIT, || end.synchronize_timeout(PATIENCE))?;
    end.timestamp().map(drop)
}

fn buffers(device: &Device) -> Result<()> {
    device.buffer(64).map(drop)
}

fn fills(device: &Device) -> Result<()> {
    let (stream, buffer) = (device.stream()?, device.buffer(64)?);
    stream.fill(&buffer, 0..8, 1)?;
    settle(&stream)
}

fn copies(device: &Device) -> Result<()> {
    let (stream, source, target) = (device.stream()?, device.buffer(64)?, device.buffer(64)?);
    stream.copy(&source, 0..64, &target, 0..64)?;
    settle(&stream)
}

fn host_buffers(device: &Device) -> Result<()> {
    let (stream, memory) = (device.stream()?, device.buffer(64)?);
    let [input, output] = [device.host_buffer(64)?, device.host_buffer(64)?];
    input.write(0, &[7; 64])?;
    stream.copy(&input, 0..64, &memory, 0..64)?;
    stream.copy(&memory, 0..64, &output, 0..64)?;
    settle(&stream)?;
    assert_eq!(output.to_vec(0..64)?, [7; 64]);
    Ok(())
}

fn writes_and_reads(device: &Device) -> Result<()> {
    let buffer = device.buffer(64)?;
    meeting(STAGED, || buffer.write(0, &[7; 64]))?;
    assert_eq!(buffer.to_vec(0..64)?, [7; 64]);
    Ok(())
}

fn delays(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    stream.delay(Duration::from_micros(10))?;
    settle(&stream)
}

fn works(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    stream.enqueue(|| ())?;
    settle(&stream)
}

fn submits(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    stream.submit(|submission| assert!(submission.native::<RawStream>().is_some()))?;
    settle(&stream)
}

fn gives_out(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    syncpoint::cuda::expose(&stream)?;
    settle(&stream)?;
    while !stream.query()? {
        thread::yield_now();
    }
    Ok(())
}

fn legacy(device: &Device) -> Result<()> {
    settle(&*syncpoint::cuda::legacy_stream(device)?)
}

fn per_thread(device: &Device) -> Result<()> {
    settle(&*syncpoint::cuda::per_thread_stream(device)?)
}

fn takes_in(device: &Device) -> Result<()> {
    let theirs = device.stream()?;
    let raw = syncpoint::cuda::expose(&theirs)?;
    settle(&*Fake::used().borrow_unowned(device, raw.as_ptr().addr())?)
}

/// A context that this program has made, and ends once nobody uses it.
struct Theirs(usize);

impl Drop for Theirs {
    fn drop(&mut self) {
        Fake::used().call("cuCtxDestroy_v2", self.0, 0);
    }
}

fn takes_in_a_context(_primary: &Device) -> Result<()> {
    let theirs = Fake::used().make_context(0);
    let device = Fake::used().open_context(theirs, Theirs(theirs))?;
    settle(&device.stream()?)
}

fn takes_in_a_green_one(_primary: &Device) -> Result<()> {
    if !Fake::used().has("cuCtxFromGreenCtx") {
        return Err(Error::unsupported("nobody has a context without cuCtxFromGreenCtx"));
    }
    let green = Green::made(Fake::used());
    let (context, stream) = (green.context, green.stream(Fake::used()));
    let device = Fake::used().open_context(context, green)?;
    settle(&*Fake::used().borrow_unowned(&device, stream)?)
}

fn captures(device: &Device) -> Result<()> {
    let (stream, other) = (device.stream()?, device.stream()?);
    let event = device.event_with(EventOptions::builder().external().build()?)?;
    syncpoint::cuda::expose(&other)?;
    captured(&stream, || {
        other.wait(&stream.record()?)?;
        event.record(&stream)?;
        stream.wait(&other.record()?)
    })?;
    settle(&stream)?;
    settle(&other)
}

/// Has others capture what is done on a stream, and launch it once. Whatever the driver refuses is told by what follows.
fn captured(stream: &Stream, put: impl FnOnce() -> Result<()>) -> Result<()> {
    const RELAXED: usize = 2;
    let (fake, mut graph, mut launched) = (Fake::used(), 0_usize, 0_usize);
    let raw = syncpoint::cuda::expose(stream)?.as_ptr().addr();
    fake.call("cuStreamBeginCapture_v2", raw, RELAXED);
    let outcome = put();
    fake.call("cuStreamEndCapture", raw, (&raw mut graph).expose_provenance());
    if graph != 0 {
        fake.call("cuGraphInstantiateWithFlags", (&raw mut launched).expose_provenance(), graph);
        fake.call("cuGraphLaunch", launched, raw);
        fake.call("cuStreamSynchronize", raw, 0);
        fake.call("cuGraphExecDestroy", launched, 0);
        fake.call("cuGraphDestroy", graph, 0);
    }
    outcome
}

fn has_handles(device: &Device) -> Result<()> {
    let (stream, options) = (device.stream()?, EventOptions::builder().native_handle().build()?);
    let event = device.event_with(options)?;
    event.record(&stream)?;
    syncpoint::cuda::event_handle(&event)?;
    meeting(WAIT, || event.synchronize_timeout(PATIENCE))
}

fn has_external_events(device: &Device) -> Result<()> {
    let stream = device.stream()?;
    let event = device.event_with(EventOptions::builder().external().build()?)?;
    event.record(&stream)?;
    meeting(WAIT, || event.synchronize_timeout(PATIENCE))
}

/// Opened they are in another process only.
fn shares_events(device: &Device) -> Result<()> {
    syncpoint::cuda::shares_natively(&shared(device)?)
}

fn takes_in_an_event(device: &Device) -> Result<()> {
    let (stream, options) = (device.stream()?, EventOptions::builder().native_handle().build()?);
    let theirs = device.event_with(options)?;
    let raw = syncpoint::cuda::event_handle(&theirs)?.as_ptr().addr();
    let event = Fake::used().borrow_event_with(device, raw, theirs)?;
    event.record(&stream)?;
    stream.wait_event(&event)?;
    meeting(WAIT, || event.synchronize_timeout(PATIENCE))?;
    event.query().map(drop)
}

fn opens_its_own(device: &Device) -> Result<()> {
    let event = shared(device)?;
    let opened = Fake::used().open_event(device, &event.export()?)?;
    let stream = device.stream()?;
    meeting(EXPORT, || event.record(&stream))?;
    meeting(WAIT, || opened.synchronize_timeout(PATIENCE))
}

/// What is refused, whatever the driver does.
fn misuses(device: &Device) -> Result<()> {
    const NOBODYS: usize = 4096;
    let (stream, plain) = (device.stream()?, device.event());
    let fake = Fake::used();
    let refused = meeting(MISUSE, || {
        [
            fake.borrow_unowned(device, NOBODYS).is_err(),
            syncpoint::cuda::event_handle(&plain).is_err(),
            syncpoint::cuda::shares_natively(&plain).is_err(),
            plain.elapsed_since(&plain).is_err(),
            syncpoint::cuda::open(u32::MAX).is_err(),
        ]
    });
    assert_eq!(refused, [true; 5]);
    stream.submit(|_| Err(Error::unsupported("it failed"))).map(drop)?;
    let failed = settle(&stream).expect_err("a function failed");
    if failed.message().contains("it failed") { Ok(()) } else { Err(failed) }
}

/// Another process waits for them.
fn writes_words(device: &Device) -> Result<()> {
    syncpoint::cuda::shares_words(&shared(device)?)
}

/// An event that was exported. What the driver refuses of that is told here, what it lacks where that is asked for.
fn shared(device: &Device) -> Result<Event> {
    let (stream, options) = (device.stream()?, EventOptions::builder().interprocess().build()?);
    let event = device.event_with(options)?;
    event.export()?;
    meeting(EXPORT, || event.record(&stream))?;
    meeting(WAIT, || event.synchronize_timeout(PATIENCE))?;
    let shares = [syncpoint::cuda::shares_natively, syncpoint::cuda::shares_words];
    let mut refused = shares.into_iter().filter_map(|shares| shares(&event).err());
    match refused.find(|error| error.code().is_some()) {
        Some(refused) => Err(refused),
        None => Ok(event),
    }
}

/// What others launch on too is held on the device.
fn stands_before_a_gate(device: &Device) -> Result<()> {
    let (stream, gate) = (device.stream()?, Gate::new());
    syncpoint::cuda::expose(&stream)?;
    stream.wait(&gate.point())?;
    stream.enqueue(|| ())?;
    gate.open()?;
    settle(&stream)
}
