//! A device of others whose queue does nothing but copy: it has no times here, whatever its timestamps are worth.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "a device of others is taken in, by its handles")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod lying;
mod machine;
mod theirs;

use std::time::Duration;

use syncpoint::vulkan::Access;
use syncpoint::{Kind, Result};

use theirs::Theirs;

/// What a backend keeps of a program, whose end is on a thread of the backend.
struct Kept(#[expect(dead_code, reason = "kept for its drop")] Theirs);

/// To note a time is to reset its query before, which such a queue may not.
#[test]
fn a_queue_that_copies_alone_copies_and_refuses_times() -> Result<()> {
    if !between::used(lying::that_copies) || !machine::is_there() {
        return Ok(());
    }
    let user = Theirs::new();
    let handles = user.handles();
    lying::copy_alone();
    // SAFETY: the owner keeps all of it alive, and nobody else uses the queue.
    let device =
        unsafe { syncpoint::vulkan::open_device(&handles, Access::Dedicated, Kept(user)) }?;
    let (stream, source, target) = (device.stream()?, device.buffer(8)?, device.buffer(8)?);
    assert!(!device.capabilities().timing, "its timestamps are of no use");
    let refused = stream.record_timed().expect_err("there is no time");
    assert_eq!(refused.kind(), Kind::Unsupported);
    stream.fill(&source, 0..8, 5)?;
    stream.copy(&source, 0..8, &target, 0..8)?;
    stream.record()?.synchronize_timeout(Duration::from_secs(20))?;
    assert_eq!(target.to_vec(0..8)?, [5; 8]);
    Ok(())
}
