//! Where no thread can be made: nothing stands on the device that nobody would let go, and a loss is told later.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod fake;

use std::sync::mpsc::channel;
use std::thread;

use syncpoint::{Gate, Kind, Result};
use syncpoint_conformance::patience::{PATIENCE, refused, settle, until};
use syncpoint_conformance::secluded::refuse_new_threads;

use fake::Fake;

/// Does something on a thread that makes no other.
fn secluded<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    let act = || {
        refuse_new_threads();
        act()
    };
    thread::scope(|scope| scope.spawn(act).join().expect("it does not panic"))
}

/// One test, because what is scripted meets the whole process.
#[test]
fn nothing_relies_on_a_poller_that_cannot_be_made_but_for_a_time() -> Result<()> {
    let fake = Fake::used();
    let plain = syncpoint::cuda::open(0)?;
    let gated = syncpoint::cuda::builder().device_gates(PATIENCE).open(0)?;
    // Who runs functions of streams is there already, and who calls what is notified.
    let warm = plain.stream()?;
    warm.enqueue(|| ())?;
    let (sender, told) = channel();
    drop(warm.record()?.notify(|_outcome| ())?);
    settle(&warm.record()?);

    let (exposed, gate) = (gated.stream()?, Gate::new());
    syncpoint::cuda::expose(&exposed)?;
    refused(secluded(|| exposed.wait(&gate.point())), Kind::Exhausted);
    exposed.wait(&gate.point())?;
    gate.open()?;
    settle(&exposed.record()?);

    let lost = syncpoint::cuda::builder().device_gates(PATIENCE).open(0)?;
    let (held, gate) = (lost.stream()?, Gate::new());
    held.wait(&gate.point())?;
    let waiting = held.record()?;
    drop(waiting.notify(move |outcome| sender.send(outcome).unwrap_or(()))?);
    fake.script("break cuMemAllocAsync 1 719");
    secluded(|| refused(lost.buffer(8), Kind::DeviceLost));
    until("the loss that nobody could tell", || {
        refused(lost.buffer(8), Kind::DeviceLost);
        told.try_recv()
            .is_ok_and(|outcome| outcome.is_err_and(|error| error.kind() == Kind::DeviceLost))
    });
    Ok(())
}
