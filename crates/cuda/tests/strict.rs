//! The laws, tried on a driver that refuses a thread without a context wherever the manual lets it.

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

/// A device of its own for each case: a case may shut it down.
fn open() -> Result<Vec<Device>> {
    Fake::used_as("strict");
    Ok(vec![syncpoint::cuda::builder().device_gates(DEADLINE).open(0)?])
}

fn shared_stream(device: &Device, mode: Mode) -> Result<Stream> {
    if mode == Mode::Exposed {
        let stream = device.stream()?;
        syncpoint::cuda::expose(&stream)?;
        return Ok(stream);
    }
    let made = Fake::used().make_stream(0);
    let stream = Fake::used().borrow(device, made)?;
    Ok(Arc::into_inner(stream).expect("nobody else took it in"))
}
