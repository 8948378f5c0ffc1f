//! Forks: what a child inherits of a device stays with the parent, wherever the fork came.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]
#![expect(unsafe_code, reason = "commands of the user's are submitted, or none")]

mod between;
mod faulty;
mod machine;

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Context, Wake, Waker};
use std::time::Duration;
use std::{fs::File, pin::pin};

use ash::vk;
use syncpoint::vulkan::RawStream;
use syncpoint::{Error, Gate, Kind, Result};
use syncpoint_conformance::child::{Ended, forked, pipe, split};
use syncpoint_conformance::patience;

use faulty::Fault;

const LONG: Duration = Duration::from_secs(20);

/// Threads of the parent may have held the queue and its driver's locks as it was forked.
#[test]
fn what_is_lent_to_a_function_that_forks_is_refused_in_the_child() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let stream = syncpoint::vulkan::open(0)?.stream()?;
    let (sender, told) = channel();
    stream.submit(move |lent| {
        let raw = lent.native::<RawStream>().expect("a stream of Vulkan lends one");
        let is_refused = |error: Error| error.kind() == Kind::Unavailable;
        let ended = forked(|| {
            // SAFETY: no commands.
            let submitted = unsafe { raw.submit(&[]) };
            let (submitted, handles) = (submitted.is_err_and(is_refused), raw.handles());
            i32::from(!(submitted && handles.is_err_and(is_refused)))
        });
        patience::say(&sender, ended);
    })?;
    assert_eq!(patience::heard(&told, "the end of the child"), Ended::silently(0));
    stream.synchronize_timeout(LONG)
}

/// A waker that forks and then says so, in both processes.
struct Forking(File);

impl Wake for Forking {
    fn wake(self: Arc<Self>) {
        let _status = split();
        (&self.0).write_all(b"w").expect("somebody reads");
    }
}

#[test]
fn a_waker_that_forks_as_a_device_is_lost_leaves_the_other_wakers_to_the_parent() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (device, gate) = (syncpoint::vulkan::open(0)?, Gate::new());
    let (mut said, waker) = pipe();
    let waker = Waker::from(Arc::new(Forking(waker)));
    let held = [device.stream()?, device.stream()?];
    let mut ends = Vec::new();
    for stream in &held {
        stream.wait(&gate.point())?;
        ends.push(stream.record()?);
    }
    let mut futures: Vec<_> = ends.iter().cloned().map(|end| Box::pin(end.into_future())).collect();
    for future in &mut futures {
        assert!(pin!(future).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let (function, code) = ("vkQueueSubmit", vk::Result::ERROR_DEVICE_LOST);
    faulty::plan(Some(Fault { function, first: 1, times: 1, code }));
    device.stream()?.record_timed().expect_err("the device is lost");
    for end in &ends {
        end.synchronize_timeout(LONG).expect_err("it is told");
    }
    faulty::plan(None);
    // The end of what is said: nobody has the waker any more, and no child is left.
    drop((futures, waker));
    let mut words = Vec::new();
    said.read_to_end(&mut words).expect("it can be read");
    assert_eq!(words, b"wwww", "each of two wakers forks once, and two processes say so");
    gate.open()
}
