//! Events of the driver: with a handle for others, taken in from others, and of captures.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
#![expect(unsafe_code, reason = "an event of others is taken in")]

mod fake;

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use syncpoint::cuda::{RawStream, borrow_event, event_handle, expose};
use syncpoint::{
    Device, Error, Event, EventOptions, EventState, Gate, Kind, Reason, Result, Stream,
};
use syncpoint_conformance::patience::{
    PATIENCE, assert_held, failure_of, heard, refused, settle, until,
};

use fake::Fake;

/// So long that a busy machine asks before it is over.
const LONG: Duration = Duration::from_millis(300);

fn device() -> Result<Device> {
    Fake::used();
    syncpoint::cuda::open(0)
}

fn with_handle(device: &Device) -> Result<Event> {
    device.event_with(EventOptions::builder().native_handle().build()?)
}

/// An event that others made, and its handle.
fn others(device: &Device) -> Result<(Event, usize)> {
    let fake = Fake::used();
    fake.make_current(0);
    let handle = fake.make_event();
    let pointer: *mut c_void = std::ptr::with_exposed_provenance_mut(handle);
    // SAFETY: it is an event of the device's context, and nobody destroys it.
    let event = unsafe { borrow_event(device, pointer, ()) }?;
    Ok((event, handle))
}

/// Others record their event on a stream behind a delay, and do not tell us.
fn record_behind_our_back(stream: &Stream, handle: usize) -> Result<()> {
    stream.submit(move |submission| {
        let raw = submission.native::<RawStream>().map_or(0, |raw| raw.as_ptr().addr());
        assert_eq!(Fake::used().call("cuEventRecord", handle, raw), 0);
    })
}

#[test]
fn the_driver_hears_of_blocking_only_where_the_event_owns_one_of_its_events() {
    Fake::alone(
        "the_driver_hears_of_blocking_only_where_the_event_owns_one_of_its_events",
        |fake| {
            let (device, blocking) = (device()?, EventOptions::builder().blocking());
            let (stream, plain) = (device.stream()?, device.event_with(blocking.build()?)?);
            plain.record(&stream)?;
            plain.synchronize()?;
            assert_eq!(fake.alive("blocking events"), 0, "nobody waits for it through the driver");
            let owner = device.event_with(blocking.native_handle().build()?)?;
            event_handle(&owner)?;
            assert_eq!(fake.alive("blocking events"), 1);
            let spinning = with_handle(&device)?;
            event_handle(&spinning)?;
            assert_eq!(fake.alive("blocking events"), 1, "it was not asked for");
            Ok(())
        },
    );
}

#[test]
fn who_waits_for_the_handle_waits_for_the_latest_record() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    let (stream, event) = (device.stream()?, with_handle(&device)?);
    let handle = event_handle(&event)?.as_ptr().addr();
    stream.delay(LONG)?;
    event.record(&stream)?;
    assert_eq!(event_handle(&event)?.as_ptr().addr(), handle, "it is one for life");
    assert_eq!(fake.call("cuEventQuery", handle, 0), 600, "others see it pending");
    settle(&event.point()?);
    until("the record beside the point", || fake.call("cuEventQuery", handle, 0) == 0);
    Ok(())
}

#[test]
fn an_event_without_a_handle_and_one_of_the_host_have_none_to_give_out() -> Result<()> {
    let device = device()?;
    assert_eq!(event_handle(&device.event()).unwrap_err().kind(), Kind::Unsupported);
    let host = syncpoint::open("host:0")?.event();
    assert_eq!(event_handle(&host).unwrap_err().kind(), Kind::Unsupported);
    Ok(())
}

#[test]
fn an_event_of_others_is_asked_of_the_driver() -> Result<()> {
    let device = device()?;
    let ((event, handle), stream) = (others(&device)?, device.stream()?);
    assert!(event.query()?, "never recorded, as far as the driver tells");
    stream.delay(LONG)?;
    record_behind_our_back(&stream, handle)?;
    assert!(matches!(event.state(), EventState::Pending));
    assert_eq!(event.point().unwrap_err().kind(), Kind::Unsupported);
    let timed = device.event_with(EventOptions::timed())?;
    let error = refused(timed.elapsed_since(&event), Kind::Misuse(Reason::NotTimed));
    assert!(error.message().contains("another library's and has no time here"), "{error}");
    event.synchronize_timeout(PATIENCE)?;
    assert!(event.query()?);
    Ok(())
}

#[test]
fn a_stream_waits_for_an_event_of_others_on_the_device() {
    Fake::alone("a_stream_waits_for_an_event_of_others_on_the_device", |fake| {
        let device = device()?;
        let ((event, handle), theirs, ours) =
            (others(&device)?, device.stream()?, device.stream()?);
        let buffer = device.buffer(1)?;
        theirs.delay(LONG)?;
        theirs.fill(&buffer, 0..1, 7)?;
        record_behind_our_back(&theirs, handle)?;
        let before = fake.count("cuStreamWaitEvent");
        ours.wait_event(&event)?;
        assert_eq!(fake.count("cuStreamWaitEvent"), before + 1);
        let copy = device.buffer(1)?;
        ours.copy(&buffer, 0..1, &copy, 0..1)?;
        settle(&ours.record()?);
        assert_eq!(copy.to_vec(0..1)?, [7]);
        Ok(())
    });
}

#[test]
fn a_stream_of_the_host_waits_for_an_event_of_others() -> Result<()> {
    let device = device()?;
    let ((event, handle), theirs) = (others(&device)?, device.stream()?);
    let ours = syncpoint::open("host:0")?.stream()?;
    theirs.delay(LONG)?;
    record_behind_our_back(&theirs, handle)?;
    let end = theirs.record()?;
    ours.wait_event(&event)?;
    let (send, receive) = mpsc::channel();
    ours.enqueue(move || send.send(end.query()).map_err(|_gone| "nobody listens"))?;
    assert!(receive.recv_timeout(PATIENCE).expect("the stream goes on")?);
    Ok(())
}

#[test]
fn a_stream_that_holds_something_waits_for_the_record_of_now() {
    Fake::alone("a_stream_that_holds_something_waits_for_the_record_of_now", |fake| {
        let device = device()?;
        let ((event, _), stream, gate) = (others(&device)?, device.stream()?, Gate::new());
        stream.wait(&gate.point())?;
        let before = fake.count("cuStreamWaitEvent");
        stream.wait_event(&event)?;
        gate.open()?;
        settle(&stream.record()?);
        assert_eq!(
            fake.count("cuStreamWaitEvent"),
            before,
            "what was complete then is not waited for"
        );
        Ok(())
    });
}

#[test]
fn an_event_of_others_tells_a_callback_once() -> Result<()> {
    let device = device()?;
    let ((event, handle), stream) = (others(&device)?, device.stream()?);
    stream.delay(LONG)?;
    record_behind_our_back(&stream, handle)?;
    let (send, receive) = mpsc::channel();
    let _notification = event.notify(move |outcome| drop(send.send(outcome)))?;
    receive.recv_timeout(PATIENCE).expect("it is told")?;
    assert!(receive.recv_timeout(PATIENCE).is_err(), "the sender went with the callback");
    Ok(())
}

#[test]
fn we_may_record_an_event_of_others() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    let ((event, handle), stream) = (others(&device)?, device.stream()?);
    stream.delay(LONG)?;
    event.record(&stream)?;
    assert_eq!(fake.call("cuEventQuery", handle, 0), 600);
    event.synchronize_timeout(PATIENCE)?;
    Ok(())
}

#[test]
fn the_owner_is_kept_for_as_long_as_anything_uses_the_event() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    fake.make_current(0);
    let (owner, handle) = (Arc::new(()), fake.make_event());
    let pointer: *mut c_void = std::ptr::with_exposed_provenance_mut(handle);
    // SAFETY: it is an event of the device's context, and nobody destroys it.
    let event = unsafe { borrow_event(&device, pointer, Arc::clone(&owner)) }?;
    let (stream, busy) = (device.stream()?, Gate::new());
    stream.wait(&busy.point())?;
    event.record(&stream)?;
    drop(event);
    assert_eq!(Arc::strong_count(&owner), 2, "a record is held");
    busy.open()?;
    settle(&stream.record()?);
    until("the owner's end", || Arc::strong_count(&owner) == 1);
    Ok(())
}

/// Says on which thread it is dropped.
struct Tells(mpsc::Sender<Option<String>>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.send(std::thread::current().name().map(str::to_owned)).unwrap_or(());
    }
}

#[test]
fn the_owner_is_dropped_on_a_thread_that_nobody_waits_for() -> Result<()> {
    let (device, fake) = (device()?, Fake::used());
    fake.make_current(0);
    let ((sender, receiver), handle) = (mpsc::channel(), fake.make_event());
    let pointer: *mut c_void = std::ptr::with_exposed_provenance_mut(handle);
    // SAFETY: it is an event of the device's context, and nobody destroys it.
    let event = unsafe { borrow_event(&device, pointer, Tells(sender)) }?;
    let stream = device.stream()?;
    stream.delay(LONG)?;
    record_behind_our_back(&stream, handle)?;
    // Without the event the poller has the last name of it.
    drop((event.notify(drop)?, event));
    assert_eq!(heard(&receiver, "the end of the owner").as_deref(), Some("syncpoint-reap"));
    Ok(())
}

#[test]
fn a_null_handle_and_another_backends_device_are_refused() -> Result<()> {
    let device = device()?;
    // SAFETY: null is refused.
    let refused = unsafe { borrow_event(&device, std::ptr::null_mut(), ()) }.unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::StaleHandle));
    let host = syncpoint::open("host:0")?;
    // SAFETY: as above.
    let refused = unsafe { borrow_event(&host, std::ptr::null_mut(), ()) }.unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::WrongDevice));
    Ok(())
}

#[test]
fn an_external_event_outside_a_capture_is_recorded_and_waited_for_as_any_other() -> Result<()> {
    let device = device()?;
    let event = device.event_with(EventOptions::builder().external().build()?)?;
    assert!(matches!(event.state(), EventState::NeverRecorded));
    event.synchronize()?;
    let (stream, other) = (device.stream()?, device.stream()?);
    stream.delay(LONG)?;
    event.record(&stream)?;
    assert!(!event.query()?);
    other.wait_event(&event)?;
    settle(&other.record()?);
    assert!(event.query()?);
    Ok(())
}

fn external(device: &Device) -> Result<Event> {
    device.event_with(EventOptions::builder().external().build()?)
}

#[test]
fn a_record_that_a_stream_holds_is_pending_until_the_device_has_come_to_it() -> Result<()> {
    let device = device()?;
    for event in [external(&device)?, others(&device)?.0] {
        let (records, waits, gate) = (device.stream()?, device.stream()?, Gate::new());
        records.wait(&gate.point())?;
        event.record(&records)?;
        assert!(matches!(event.state(), EventState::Pending) && !event.query()?);
        refused(event.synchronize_timeout(Duration::from_millis(1)), Kind::TimedOut);
        waits.wait_event(&event)?;
        let end = waits.record()?;
        assert_held(&end);
        gate.open()?;
        settle(&end);
        event.synchronize_timeout(PATIENCE)?;
        assert!(event.query_recorded()?);
    }
    Ok(())
}

#[test]
fn who_waits_for_a_record_that_was_never_made_fails_with_its_stream() -> Result<()> {
    let device = device()?;
    let (records, waits, gate) = (device.stream()?, device.stream()?, Gate::new());
    let event = external(&device)?;
    records.wait(&gate.point())?;
    event.record(&records)?;
    waits.wait_event(&event)?;
    gate.fail(Error::failed("on purpose"))?;
    failure_of(&waits.record()?);
    refused(event.synchronize_timeout(PATIENCE), Kind::Failed);
    records.recover()?;
    event.record(&records)?;
    event.synchronize_timeout(PATIENCE)?;
    Ok(())
}

#[test]
fn of_two_records_the_later_stays_although_the_first_is_made_behind_it() -> Result<()> {
    Fake::used();
    let device = syncpoint::cuda::builder().device_gates(6 * PATIENCE).open(0)?;
    let (holds, stands, gates) = (device.stream()?, device.stream()?, [Gate::new(), Gate::new()]);
    expose(&stands)?;
    let event = external(&device)?;
    holds.wait(&gates[0].point())?;
    event.record(&holds)?;
    // The driver has this one at once, and stands before it.
    stands.wait(&gates[1].point())?;
    event.record(&stands)?;
    gates[0].open()?;
    settle(&holds.record()?);
    assert!(!event.query()?, "it is recorded on the other stream");
    gates[1].open()?;
    event.synchronize_timeout(PATIENCE)
}

#[test]
fn a_wait_while_a_function_submits_is_for_no_record_of_later() {
    Fake::alone("a_wait_while_a_function_submits_is_for_no_record_of_later", |fake| {
        let device = device()?;
        let ((event, handle), stream) = (others(&device)?, Arc::new(device.stream()?));
        let before = fake.count("cuStreamWaitEvent");
        let waits = Arc::clone(&stream);
        stream.submit(move |submission| {
            let outcome = std::thread::scope(|scope| {
                scope.spawn(|| waits.wait_event(&event)).join().expect("it does not panic")
            });
            let raw = submission.native::<RawStream>().map_or(0, |raw| raw.as_ptr().addr());
            assert_eq!(Fake::used().call("cuEventRecord", handle, raw), 0);
            outcome
        })?;
        settle(&stream.record()?);
        assert_eq!(fake.count("cuStreamWaitEvent"), before, "it was complete then");
        Ok(())
    });
}

#[test]
fn a_record_that_the_driver_refuses_is_none() {
    Fake::alone("a_record_that_the_driver_refuses_is_none", |fake| {
        let device = device()?;
        let (event, stream) = (external(&device)?, device.stream()?);
        fake.script("fail cuEventRecord 1 2");
        refused(event.record(&stream), Kind::Exhausted);
        assert!(matches!(event.state(), EventState::NeverRecorded));
        event.record(&stream)?;
        event.synchronize_timeout(PATIENCE)
    });
}
