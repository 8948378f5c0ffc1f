//! Contexts of others that are gone or broken, and current on the thread that calls, or waited for.
//!
//! Each test is in a process of its own, because a context that breaks is broken for all.

mod fake;
mod uses;

use std::thread;
use std::time::Duration;

use syncpoint::{Device, Kind, Result};
use syncpoint_conformance::patience::{refused, settle};

use fake::Fake;
use uses::use_everything;

/// So long that a busy machine asks before it is over.
const LONG: Duration = Duration::from_millis(300);

/// Records, asks, waits and reads times, so that the driver is asked each of that.
fn use_it(device: &Device) -> Result<()> {
    let (stream, other) = (device.stream()?, device.stream()?);
    stream.delay(LONG)?;
    let start = stream.record_timed()?;
    start.query()?;
    other.wait(&start)?;
    let end = other.record_timed()?;
    settle(&end);
    end.elapsed_since(&start)?;
    end.timestamp()?;
    Ok(())
}

/// Whether a device is lost to this process.
fn is_lost(device: &Device) -> bool {
    device.stream().is_err_and(|error| error.kind() == Kind::DeviceLost)
}

/// Breaks the context that is current on this thread, so that the backend does not hear of it.
fn break_current(fake: &Fake) {
    const LAUNCH_FAILED: i32 = 719;
    let mut flags = 0_u32;
    fake.script("break cuCtxGetFlags 1 719");
    let code = fake.call("cuCtxGetFlags", (&raw mut flags).expose_provenance(), 0);
    assert_eq!(code, LAUNCH_FAILED);
}

#[test]
fn a_context_that_another_thread_destroys_while_it_is_current_costs_nobody_theirs() {
    Fake::alone(
        "a_context_that_another_thread_destroys_while_it_is_current_costs_nobody_theirs",
        |fake| {
            fake.script("devices=2; strict");
            let (device, theirs) = (syncpoint::cuda::open(0)?, fake.make_context(1));
            fake.set_current(theirs);
            let destroyed = thread::spawn(move || Fake::used().call("cuCtxDestroy_v2", theirs, 0));
            assert_eq!(destroyed.join().ok(), Some(0));
            use_it(&device)?;
            assert_eq!((is_lost(&device), fake.current()), (false, theirs));
            Ok(())
        },
    );
}

#[test]
fn a_broken_context_that_is_current_breaks_nobody_elses() {
    Fake::alone("a_broken_context_that_is_current_breaks_nobody_elses", |fake| {
        fake.script("devices=2; strict");
        let (device, theirs) = (syncpoint::cuda::open(0)?, fake.make_context(1));
        fake.set_current(theirs);
        break_current(fake);
        use_it(&device)?;
        assert!(!is_lost(&device));
        let refused = use_everything();
        assert!(refused.is_empty(), "{refused:#?}");
        Ok(())
    });
}

#[test]
fn a_stream_of_a_broken_context_that_is_current_is_refused_as_theirs() {
    Fake::alone("a_stream_of_a_broken_context_that_is_current_is_refused_as_theirs", |fake| {
        fake.script("devices=2; strict");
        let (device, theirs) = (syncpoint::cuda::open(0)?, fake.make_context(1));
        let made = fake.make_stream_in(theirs);
        fake.set_current(theirs);
        break_current(fake);
        refused(fake.borrow(&device, made), Kind::DeviceLost);
        assert!(!is_lost(&device));
        use_it(&device)
    });
}

#[test]
fn a_wait_for_a_context_that_broke_unheard_loses_that_one() {
    Fake::alone("a_wait_for_a_context_that_broke_unheard_loses_that_one", |fake| {
        fake.script("devices=2; strict");
        let (device, other) = (syncpoint::cuda::open(0)?, syncpoint::cuda::open(1)?);
        let (stream, theirs) = (device.stream()?, other.stream()?);
        theirs.delay(Duration::from_secs(300))?;
        let pending = theirs.record()?;
        fake.make_current(1);
        break_current(fake);
        // Once with theirs current, and once with ours.
        fake.script("fail cuStreamWaitEvent 1..2 719");
        refused(stream.wait(&pending), Kind::DeviceLost);
        assert_eq!((is_lost(&device), is_lost(&other)), (false, true));
        use_it(&device)
    });
}
