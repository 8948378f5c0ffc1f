//! Batches of the user's that are refused: who submits them is told which call it was, and the stream goes on behind.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "commands of the user's are submitted: none")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod between;
mod faulty;
mod machine;

use std::sync::mpsc::channel;
use std::time::Duration;

use ash::vk;
use syncpoint::vulkan::RawStream;
use syncpoint::{Error, Kind, Result, Stream};
use syncpoint_conformance::patience;

use faulty::Fault;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// What a user is told who submits twice, no commands each time, while a function of the driver refuses once.
fn refusal(stream: &Stream, (function, code): (&'static str, vk::Result)) -> Result<Error> {
    let (sender, told) = channel();
    stream.submit(move |lent| {
        let raw = lent.native::<RawStream>().expect("a stream of Vulkan lends one");
        faulty::plan([Fault { function, first: 1, times: 1, code }]);
        // SAFETY: no commands.
        let refused = unsafe { raw.submit(&[]) };
        faulty::plan(None);
        patience::say(&sender, refused);
        // SAFETY: as above.
        let _told_by_the_stream = unsafe { raw.submit(&[]) };
    })?;
    Ok(patience::heard(&told, "the refusal").expect_err(function))
}

/// What a function of the user's makes of it is theirs: one that goes on leaves the stream whole.
#[test]
fn a_batch_of_the_users_that_is_refused_is_told_by_its_call_and_the_stream_goes_on() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let codes = [
        (vk::Result::ERROR_OUT_OF_HOST_MEMORY, Kind::Exhausted, "vkQueueSubmit"),
        (vk::Result::ERROR_OUT_OF_DEVICE_MEMORY, Kind::Exhausted, "vkQueueSubmit"),
        (vk::Result::ERROR_VALIDATION_FAILED_EXT, Kind::Driver, "vkQueueSubmit"),
        (vk::Result::ERROR_UNKNOWN, Kind::Driver, "vkCreateSemaphore"),
    ];
    for (code, kind, last) in codes {
        for function in ["vkCreateSemaphore", last] {
            let device = syncpoint::vulkan::open(0)?;
            let (stream, buffer) = (device.stream()?, device.buffer(64)?);
            stream.fill(&buffer, 0..64, 1)?;
            let refused = refusal(&stream, (function, code))?;
            assert_eq!(refused.kind(), kind, "{refused}");
            assert!(refused.to_string().contains(function), "{refused}");
            stream.fill(&buffer, 0..32, 2)?;
            stream.record()?.synchronize_timeout(LONG)?;
            assert_eq!(buffer.to_vec(31..33)?, [2, 1], "{function} {code:?}");
        }
    }
    Ok(())
}

/// Vulkan has no other word for work that was killed.
#[test]
fn a_batch_of_the_users_in_which_the_device_is_lost_is_never_complete() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    // One that says neither may have run: its value is never signalled again.
    let unknown = ("vkQueueSubmit", vk::Result::ERROR_UNKNOWN);
    let lost = ["vkCreateSemaphore", "vkQueueSubmit"];
    let lost = lost.map(|function| (function, vk::Result::ERROR_DEVICE_LOST));
    for (function, code) in lost.into_iter().chain([unknown]) {
        let device = syncpoint::vulkan::open(0)?;
        let stream = device.stream()?;
        let refused = refusal(&stream, (function, code))?;
        assert_eq!(refused.kind(), Kind::DeviceLost, "{refused}");
        let later = stream.record().and_then(|point| point.synchronize_timeout(LONG));
        let later = later.expect_err("a lost device completes nothing");
        assert_eq!(later.kind(), Kind::DeviceLost, "{later}");
        assert!(later.to_string().contains(function), "{later}");
    }
    Ok(())
}
