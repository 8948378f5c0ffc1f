//! A device that is lost while the poller asks for its streams, alone in its process: what is scripted meets all of it.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;

use syncpoint::{Kind, Point, Result};
use syncpoint_conformance::patience::{PATIENCE, failure_of, refused, until};

use fake::Fake;

#[test]
fn points_of_dropped_streams_fail_although_the_poller_asks_for_them_as_the_device_is_lost()
-> Result<()> {
    let fake = Fake::used();
    let device = syncpoint::cuda::open(0)?;
    let pending = || {
        let stream = device.stream()?;
        stream.delay(6 * PATIENCE)?;
        stream.record()
    };
    let points: Vec<Point> = (0..8).map(|_| pending()).collect::<Result<_>>()?;
    let before = fake.count("cuEventQuery");
    fake.script("block cuEventQuery *");
    until("the poller's question", || fake.count("cuEventQuery") > before);
    fake.script("fail cuMemAllocAsync 1 719");
    refused(device.buffer(8), Kind::DeviceLost);
    fake.script("release");
    for point in &points {
        assert_eq!(failure_of(point).kind(), Kind::DeviceLost);
    }
    Ok(())
}
