//! The laws, tried where the stand-in driver has three devices, whose streams wait for each other on the device.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod fake;

use std::sync::Arc;
use std::time::Duration;

use syncpoint::{Device, Mode, Result, Stream};
use syncpoint_conformance::Backend;

use fake::Fake;

syncpoint_conformance::suite!(cuda: managed, exposed, borrowed);

fn cuda() -> Backend {
    let cuda = Backend::new("cuda", open).beside(|| syncpoint::open("host:0"));
    cuda.without_children().with_others(shared_stream)
}

/// Long beyond any case, so that the device stands before a gate for as long as a case keeps it closed.
const DEADLINE: Duration = Duration::from_secs(60);

/// Devices of their own for each case: a case may shut one down.
fn open() -> Result<Vec<Device>> {
    // Counted as the driver begins, and the same ever after.
    Fake::used_as("devices=3");
    let how = syncpoint::cuda::builder().device_gates(DEADLINE);
    (0..3).map(|index| how.open(index)).collect()
}

fn shared_stream(device: &Device, mode: Mode) -> Result<Stream> {
    if mode == Mode::Exposed {
        let stream = device.stream()?;
        syncpoint::cuda::expose(&stream)?;
        return Ok(stream);
    }
    let index = device.name().strip_prefix("cuda:").and_then(|index| index.parse().ok());
    let made = Fake::used().make_stream(index.expect("a device of CUDA"));
    let stream = Fake::used().borrow(device, made)?;
    Ok(Arc::into_inner(stream).expect("nobody else took it in"))
}
