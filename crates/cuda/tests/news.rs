//! What is known of a stream is told at once, and not once the driver has answered what is asked besides.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use std::thread;
use std::time::Duration;

use syncpoint::{Point, Result};
use syncpoint_conformance::patience::{settle, until};

use fake::Fake;

/// Fewer than those after which the stream asks by itself how far its device has come, for want of events; and more.
const FEW: usize = 50;
const MANY: usize = 500;

/// So long that what is behind it is pending.
const LONG: Duration = Duration::from_secs(2);

/// One test, because what is scripted meets the whole process.
#[test]
fn what_is_known_is_told_while_a_question_is_under_way() -> Result<()> {
    let fake = Fake::used();
    let device = syncpoint::cuda::open(0)?;
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    let record = |_| {
        stream.fill(&buffer, 0..8, 1)?;
        stream.record()
    };
    let points: Vec<Point> = (0..FEW).map(record).collect::<Result<_>>()?;
    fake.make_current(0);
    assert_eq!(fake.call("cuCtxSynchronize", 0, 0), 0, "the device has passed them");
    (0..MANY).try_for_each(|more| record(more).map(drop))?;
    stream.delay(LONG)?;
    let last = stream.record()?;
    let before = fake.count("cuEventQuery");
    assert!(before > 0, "the stream has asked by itself");
    fake.script("block cuEventQuery 1");
    let asked = last.clone();
    let asks = thread::spawn(move || asked.query());
    until("the question", || fake.count("cuEventQuery") > before);
    let is_known = points[0].query();
    fake.script("release");
    assert!(is_known?, "the stream has found that out long ago");
    asks.join().expect("it does not panic")?;
    settle(&last);
    Ok(())
}
