//! The kernel of delays is compiled with the first one, while no stream is held up.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::sync::Arc;
use std::thread;

use syncpoint::Result;
use syncpoint_conformance::patience::{PATIENCE, promptly, settle, until};

use fake::Fake;

/// One test, because what is scripted meets the whole process.
#[test]
fn a_stream_takes_records_while_its_first_delay_is_compiled() -> Result<()> {
    let fake = Fake::used();
    let device = syncpoint::cuda::open(0)?;
    let stream = Arc::new(device.stream()?);
    fake.script("block cuModuleLoadData 1");
    let delaying = Arc::clone(&stream);
    let delay = thread::spawn(move || delaying.delay(PATIENCE / 1000));
    until("the compiler", || fake.count("cuModuleLoadData") > 0);
    let recording = Arc::clone(&stream);
    let point = promptly(move || recording.record())?;
    settle(&point);
    assert!(!delay.is_finished(), "it is compiled still");
    fake.script("release");
    assert!(delay.join().is_ok_and(|delayed| delayed.is_ok()));
    settle(&stream.record()?);
    assert_eq!(fake.count("cuModuleLoadData"), 1);
    Ok(())
}
