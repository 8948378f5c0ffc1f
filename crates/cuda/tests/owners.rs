//! Owners of what was taken in from others: where they end once its context is broken, and that a child ends none.

#![cfg(unix)]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::sync::mpsc::{Sender, channel};
use std::thread;

use syncpoint::{Kind, Reason, Result};
use syncpoint_conformance::child::{Ended, forked};
use syncpoint_conformance::patience::{heard, refused, settle};

use fake::Fake;

/// Says what it kept alive, and on which thread it is dropped.
struct Owner(&'static str, Sender<(&'static str, Option<String>)>);

impl Drop for Owner {
    fn drop(&mut self) {
        let thread = thread::current().name().map(str::to_owned);
        self.1.send((self.0, thread)).unwrap_or(());
    }
}

#[test]
fn owners_in_a_broken_context_are_dropped_on_the_reaper() -> Result<()> {
    let (fake, (sender, receiver)) = (Fake::used(), channel());
    // From now on the driver has begun.
    let _begun = syncpoint::cuda::open(0)?;
    let theirs = fake.make_context(0);
    let made = fake.make_stream_in(theirs);
    let device = fake.open_context(theirs, Owner("the context", sender.clone()))?;
    let stream = fake.borrow_with(&device, made.again(), Owner("the stream", sender))?;
    fake.script("break cuMemAllocAsync 1 719");
    refused(device.buffer(8), Kind::DeviceLost);
    drop(stream);
    let reaper = Some("syncpoint-reap".to_owned());
    assert_eq!(heard(&receiver, "the end of an owner"), ("the stream", reaper.clone()));
    drop(device);
    assert_eq!(heard(&receiver, "the end of an owner"), ("the context", reaper));
    Ok(())
}

#[test]
fn a_child_of_a_fork_drops_no_owner() -> Result<()> {
    let (fake, (sender, receiver)) = (Fake::used(), channel());
    let own = syncpoint::cuda::open(0)?;
    let theirs = fake.make_context(0);
    let made = fake.make_stream_in(theirs);
    let device = fake.open_context(theirs, Owner("the context", sender.clone()))?;
    let stream = fake.borrow_with(&device, made.again(), Owner("the stream", sender.clone()))?;
    fake.make_current(0);
    let event = fake.borrow_event(&own, Owner("the event", sender))?;
    settle(&stream.record()?);
    let ended = forked(|| {
        drop((stream, event, device));
        i32::from(receiver.try_recv().is_ok())
    });
    assert_eq!(ended, Ended::silently(0), "they are the parent's");
    for _ in 0..3 {
        let (_, thread) = heard(&receiver, "the end of an owner, in the parent");
        assert_eq!(thread.as_deref(), Some("syncpoint-reap"));
    }
    Ok(())
}

#[test]
fn an_owner_that_is_refused_is_dropped_on_a_thread_of_ours() -> Result<()> {
    let (fake, (sender, receiver)) = (Fake::used(), channel());
    let device = syncpoint::cuda::open(0)?;
    let own = |what| Owner(what, sender.clone());
    let none = fake.borrow_with(&device, 0, own("no stream"));
    refused(none, Kind::Misuse(Reason::StaleHandle));
    refused(fake.open_context(0, own("no context")), Kind::Misuse(Reason::StaleHandle));
    fake.make_current(0);
    let host = syncpoint::open("host:0")?;
    refused(fake.borrow_event(&host, own("no device")), Kind::Misuse(Reason::WrongDevice));
    let made = fake.make_stream(0);
    let first = fake.borrow_unowned(&device, made.again())?;
    let again = fake.borrow_with(&device, made.again(), own("known already"))?;
    assert_eq!(first, again);
    for what in ["no stream", "no context", "no device", "known already"] {
        let reaper = Some("syncpoint-reap".to_owned());
        assert_eq!(heard(&receiver, "the end of an owner"), (what, reaper));
    }
    Ok(())
}
