//! What observers hear of a buffer whose last name is dropped while the device works on it.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod machine;

use std::sync::mpsc::channel;
use std::time::Duration;

use syncpoint::Result;
use syncpoint::trace::{Operation, Record};

/// So large that a fill of it takes the software driver a while.
const LARGE: u64 = 256 << 20;

/// Long beyond any machine's hiccup.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn the_end_of_a_buffer_is_told_behind_the_end_of_its_last_fill() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let (stream, buffer) = (device.stream()?, device.buffer(LARGE)?);
    let (told, heard) = channel();
    let end = Operation::BufferDeleted { buffer: buffer.id() };
    let watch = syncpoint::observe(move |record: &Record| {
        if record.operation == end {
            // Nobody listens any more where the test has failed.
            told.send(()).unwrap_or(());
        }
    });
    stream.fill(&buffer, 0..LARGE, 7)?;
    let filled = stream.record()?;
    drop(buffer);
    let is_told_early = heard.recv_timeout(Duration::from_millis(1)).is_ok() && !filled.query()?;
    assert!(!is_told_early, "the device works on it");
    filled.synchronize_timeout(PATIENCE)?;
    assert!(heard.recv_timeout(PATIENCE).is_ok(), "it ends with the fill");
    drop(watch);
    Ok(())
}
