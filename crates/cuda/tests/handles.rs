//! Handles given out and taken in: who is the same, what is kept alive, and what is refused.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
#![cfg(test)]

mod fake;

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use syncpoint::{Device, Gate, Kind, Mode, Reason, Result};
use syncpoint_conformance::patience::{failure_of, heard, refused, settle};

use fake::{Fake, Made};

fn device() -> Result<Device> {
    Fake::used().script("devices=2");
    syncpoint::cuda::open(0)
}

#[test]
fn a_stream_taken_in_twice_is_the_same() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    let made = fake.make_stream(0);
    let again = Made::again(&made);
    let first = fake.borrow(&device, made)?;
    let second = fake.borrow_unowned(&device, again)?;
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(first.mode(), Mode::Borrowed);
    let other = fake.borrow(&device, fake.make_stream(0))?;
    assert_ne!(first, other);
    Ok(())
}

#[test]
fn the_owner_of_a_stream_is_kept_until_its_work_is_done() -> Result<()> {
    struct Tells {
        sender: Sender<()>,
        _made: Made,
    }
    impl Drop for Tells {
        fn drop(&mut self) {
            self.sender.send(()).unwrap_or(());
        }
    }
    let (device, fake) = (device()?, Fake::used());
    let made = fake.make_stream(0);
    let (sender, receiver) = channel();
    let address = Made::again(&made);
    let stream = fake.borrow_with(&device, address, Tells { sender, _made: made })?;
    stream.delay(Duration::from_millis(50))?;
    let end = stream.record()?;
    drop(stream);
    assert!(receiver.try_recv().is_err(), "its work still runs");
    settle(&end);
    heard(&receiver, "the end of the owner");
    Ok(())
}

#[test]
fn what_is_of_another_backend_is_refused() -> Result<()> {
    let (_device, fake) = (device()?, Fake::used());
    let host = syncpoint::open("host:0")?;
    let made = fake.make_stream(0);
    refused(fake.borrow(&host, made), Kind::Misuse(Reason::WrongDevice));
    let host_stream = host.stream()?;
    refused(syncpoint::cuda::expose(&host_stream), Kind::Misuse(Reason::WrongDevice));
    Ok(())
}

#[test]
fn a_context_of_others_is_a_device_of_its_own() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    let (sender, receiver) = channel();
    let theirs = fake.make_context(1);
    let own = fake.open_context(theirs, Told(sender))?;
    assert_ne!(own, device);
    assert!(own.name().starts_with("cuda:1 context "), "{own}");
    let stream = fake.borrow(&own, fake.make_stream_in(theirs))?;
    let (ours, buffer) = (own.stream()?, own.buffer(8)?);
    stream.fill(&buffer, 0..8, 6)?;
    ours.wait(&stream.record()?)?;
    device.stream()?.wait(&ours.record()?)?;
    settle(&ours.record()?);
    assert_eq!(buffer.to_vec(0..8)?, [6; 8]);
    assert!(receiver.try_recv().is_err(), "it is used");
    drop((stream, ours, buffer, own));
    heard(&receiver, "the end of the owner");
    Ok(())
}

/// Tells when it is dropped.
struct Told(Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.send(()).unwrap_or(());
    }
}

#[test]
fn a_handle_that_stands_for_a_default_stream_is_refused() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    for sentinel in 0..=2 {
        let refusal = fake.borrow_unowned(&device, sentinel);
        refused(refusal, Kind::Misuse(Reason::StaleHandle));
    }
    Ok(())
}

#[test]
fn a_stream_that_is_captured_is_refused_and_goes_on_being_captured() -> Result<()> {
    const RELAXED: usize = 2;
    const ACTIVE: i32 = 1;
    let (device, fake) = (device()?, Fake::used());
    fake.make_current(0);
    let made = fake.make_stream(0);
    let stream = made.again();
    assert_eq!(fake.call("cuStreamBeginCapture_v2", stream, RELAXED), 0);
    refused(fake.borrow_unowned(&device, stream), Kind::Misuse(Reason::Capturing));
    let (mut status, mut graph) = (0_i32, 0_usize);
    let asked = fake.call("cuStreamIsCapturing", stream, (&raw mut status).expose_provenance());
    assert_eq!((asked, status), (0, ACTIVE));
    let ended = fake.call("cuStreamEndCapture", stream, (&raw mut graph).expose_provenance());
    assert_eq!(ended, 0);
    let borrowed = fake.borrow(&device, made)?;
    borrowed.synchronize()
}

#[test]
fn a_stream_that_holds_work_is_not_given_out() -> Result<()> {
    let (device, gate) = (device()?, Gate::new());
    let stream = device.stream()?;
    stream.wait(&gate.point())?;
    refused(syncpoint::cuda::expose(&stream), Kind::Misuse(Reason::Held));
    assert_eq!(stream.mode(), Mode::Managed);
    gate.open()?;
    stream.synchronize()?;
    let raw = syncpoint::cuda::expose(&stream)?;
    assert!(!raw.as_ptr().is_null());
    assert_eq!(stream.mode(), Mode::Exposed);
    Ok(())
}

#[test]
fn without_device_gates_what_would_have_to_be_held_is_refused_with_the_remedy() -> Result<()> {
    let (device, gate) = (device()?, Gate::new());
    let stream = device.stream()?;
    syncpoint::cuda::expose(&stream)?;
    let held = refused(stream.wait(&gate.point()), Kind::Unsupported);
    assert!(held.message().contains("device_gates"), "{held}");
    refused(stream.enqueue(|| ()), Kind::Unsupported);
    stream.submit(|_| ())?;
    stream.synchronize()?;
    gate.open()
}

#[test]
fn a_gate_that_is_not_opened_by_the_deadline_fails_the_stream_and_lets_the_device_go() -> Result<()>
{
    let (longest, gate) = (Duration::from_millis(50), Gate::new());
    drop(device()?);
    let device = syncpoint::cuda::builder().device_gates(longest).open(0)?;
    let stream = device.stream()?;
    let raw = syncpoint::cuda::expose(&stream)?;
    stream.wait(&gate.point())?;
    let behind = stream.record()?;
    let failure = failure_of(&behind);
    assert_eq!(failure.kind(), Kind::Failed);
    assert!(failure.message().contains("device_gates"), "{failure}");
    Fake::used().settle_stream(raw.as_ptr().addr());
    gate.open()
}

#[test]
fn the_deadline_of_a_gate_runs_once_the_device_stands_before_it() -> Result<()> {
    // Within it the gate has to be opened.
    let (longest, gate) = (Duration::from_secs(2), Gate::new());
    drop(device()?);
    let device = syncpoint::cuda::builder().device_gates(longest).open(0)?;
    let stream = device.stream()?;
    let _raw = syncpoint::cuda::expose(&stream)?;
    stream.delay(longest + longest / 2)?;
    let before = stream.record()?;
    stream.wait(&gate.point())?;
    let end = stream.record()?;
    settle(&before);
    gate.open()?;
    settle(&end);
    Ok(())
}

#[test]
fn the_legacy_stream_is_one_for_each_context() -> Result<()> {
    let device = device()?;
    let legacy = syncpoint::cuda::legacy_stream(&device)?;
    assert!(Arc::ptr_eq(&legacy, &syncpoint::cuda::legacy_stream(&device)?));
    let there = syncpoint::cuda::open(0)?;
    assert_ne!(there, device, "each call gives a device of its own");
    let same = thread::spawn(move || syncpoint::cuda::legacy_stream(&there)).join();
    assert!(Arc::ptr_eq(&legacy, &same.unwrap()?));
    assert_ne!(*legacy, *syncpoint::cuda::legacy_stream(&syncpoint::cuda::open(1)?)?);
    let (buffer, other) = (device.buffer(8)?, device.stream()?);
    legacy.fill(&buffer, 0..8, 3)?;
    other.wait(&legacy.record()?)?;
    settle(&other.record()?);
    assert_eq!(buffer.to_vec(0..8)?, [3; 8]);
    Ok(())
}

#[test]
fn the_default_stream_of_a_thread_is_its_own_and_its_points_go_anywhere() -> Result<()> {
    let device = device()?;
    let own = syncpoint::cuda::per_thread_stream(&device)?;
    assert!(Arc::ptr_eq(&own, &syncpoint::cuda::per_thread_stream(&device)?));
    let buffer = device.buffer(8)?;
    own.fill(&buffer, 0..8, 4)?;
    let point = own.record()?;
    let elsewhere = {
        let own = Arc::clone(&own);
        thread::spawn(move || -> Result<()> {
            refused(own.record(), Kind::Misuse(Reason::WrongThread));
            refused(own.delay(Duration::from_micros(1)), Kind::Misuse(Reason::WrongThread));
            let there = syncpoint::cuda::per_thread_stream(&device)?;
            assert_ne!(*there, *own);
            settle(&point);
            device.stream()?.wait(&point)
        })
    };
    elsewhere.join().unwrap()?;
    own.fill(&buffer, 0..8, 5)?;
    own.synchronize()?;
    assert_eq!(buffer.to_vec(0..8)?, [5; 8]);
    Ok(())
}

#[test]
fn what_another_thread_submits_to_the_default_stream_of_a_thread_is_refused_and_not_called()
-> Result<()> {
    let device = device()?;
    let own = syncpoint::cuda::per_thread_stream(&device)?;
    let (there, (sender, receiver)) = (Arc::clone(&own), channel());
    let submitted = thread::spawn(move || there.submit(move |_| sender.send(()).unwrap_or(())));
    refused(submitted.join().unwrap(), Kind::Misuse(Reason::WrongThread));
    assert!(receiver.recv().is_err(), "the function was dropped");
    own.submit(|_| ())?;
    own.synchronize()
}

#[test]
fn whoever_sleeps_for_what_a_thread_submitted_to_its_default_stream_has_nobody_else_mark_it()
-> Result<()> {
    let device = device()?;
    let own = syncpoint::cuda::per_thread_stream(&device)?;
    own.submit(|_| ())?;
    let end = own.timeline().point(own.timeline().enqueued());
    thread::spawn(move || end.synchronize()).join().unwrap()
}
