//! The trial of device gates: a device whose streams do not stand before a word, or stand there for ever, is found out.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use syncpoint::{Device, Kind, Result};
use syncpoint_conformance::patience::{PATIENCE, refused, settle, until};

use fake::Fake;

fn open() -> Result<Device> {
    syncpoint::cuda::builder().device_gates(PATIENCE).open(0)
}

#[test]
fn a_device_whose_streams_pass_words_is_opened_without_gates_alone() {
    let name = "a_device_whose_streams_pass_words_is_opened_without_gates_alone";
    Fake::alone(name, passes_words);
}

fn passes_words(fake: &'static Fake) -> Result<()> {
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

/// The trial takes half a minute to believe that.
#[test]
fn a_device_whose_streams_stand_for_ever_is_opened_without_gates_alone() {
    let name = "a_device_whose_streams_stand_for_ever_is_opened_without_gates_alone";
    Fake::alone(name, |fake| {
        let kept = syncpoint::cuda::open(0)?;
        // A device has a stream of its own. The next is that of the trial: whoever raises the word that it stands before
        // changes nothing.
        fake.script("stall 2");
        let none = refused(open(), Kind::Unsupported);
        assert!(none.message().contains("without device_gates"), "{none}");
        let stream = syncpoint::cuda::open(0)?.stream()?;
        stream.delay(std::time::Duration::from_micros(1))?;
        settle(&stream.record()?);
        // Of two devices one each, the one above, and what stands, which is left as it is.
        until("the end of the rest", || fake.alive("streams") == 4);
        // Let go, it does nobody any harm.
        fake.script("release");
        kept.stream()?.record()?.synchronize_timeout(PATIENCE)
    });
}
