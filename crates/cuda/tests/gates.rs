//! The trial of device gates: a device whose streams do not stand before a word is found out.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use syncpoint::{Device, Kind, Result};
use syncpoint_conformance::patience::{PATIENCE, refused};

use fake::Fake;

fn open() -> Result<Device> {
    syncpoint::cuda::builder().device_gates(PATIENCE).open(0)
}

/// One test, because what is scripted meets the whole process.
#[test]
fn a_device_whose_streams_pass_words_is_opened_without_gates_alone() -> Result<()> {
    let fake = Fake::used();
    drop(open()?);
    // Slow to say that it has come to an event, so that a single look finds it pending.
    fake.script("fail cuStreamWaitValue64_v2 1..2 0; not_ready cuEventQuery 1");
    let none = refused(open(), Kind::Unsupported);
    assert!(none.message().contains("without device_gates"), "{none}");
    // One that stands before the first word, and takes it for the second as well.
    fake.script("fail cuStreamWaitValue64_v2 2 0");
    refused(open(), Kind::Unsupported);
    fake.script("attribute 122 0");
    refused(open(), Kind::Unsupported);
    drop(syncpoint::cuda::open(0)?);
    Ok(())
}
