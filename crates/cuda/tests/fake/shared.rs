//! Suites on streams that others launch on too, and on devices whose streams may stand before a gate.

use std::sync::Arc;
use std::time::Duration;

use syncpoint::{Device, Mode, Result, Stream};
use syncpoint_conformance::{Backend, MakeStream};

use super::{Fake, Made};

/// Long beyond any case, so that the device stands before a gate for as long as a case keeps it closed.
const DEADLINE: Duration = Duration::from_secs(60);

/// So many streams of others a case has stand at once, twice, where queues may be shared: a context has 8, of which some are
/// behind our own streams. The stand-in shares none by itself.
pub(crate) const STANDING: usize = 2;

/// The backend over devices that are opened so, for streams of every mode.
pub(crate) fn backend(open: fn() -> Result<Vec<Device>>) -> Backend {
    backend_over(open, shared_stream)
}

/// The same with streams that are made so.
pub(crate) fn backend_over(open: fn() -> Result<Vec<Device>>, make: MakeStream) -> Backend {
    let cuda = Backend::new("cuda", open).beside(|| syncpoint::open("host:0"));
    cuda.without_children().with_others(make)
}

/// The first devices of the driver, each of its own for each case: a case may shut one down.
pub(crate) fn devices(count: u32) -> Result<Vec<Device>> {
    (0..count).map(device).collect()
}

/// One device of the driver, whose streams may stand before a gate.
pub(crate) fn device(index: u32) -> Result<Device> {
    syncpoint::cuda::builder().device_gates(DEADLINE).open(index)
}

/// A stream that was made here and given out, or one that others have made and that waits for no default stream.
pub(crate) fn shared_stream(device: &Device, mode: Mode) -> Result<Stream> {
    if mode == Mode::Exposed {
        let stream = device.stream()?;
        syncpoint::cuda::expose(&stream)?;
        return Ok(stream);
    }
    taken_in(device, Fake::used().make_stream(index_of(device)))
}

/// A stream of the kind that others make where they ask for none.
pub(crate) fn blocking_stream(device: &Device, _mode: Mode) -> Result<Stream> {
    taken_in(device, Fake::used().make_blocking_stream(index_of(device)))
}

fn taken_in(device: &Device, made: Made) -> Result<Stream> {
    Fake::used().borrow(device, made).map(owned)
}

/// A stream that nobody else has.
pub(crate) fn owned(stream: Arc<Stream>) -> Stream {
    Arc::into_inner(stream).expect("nobody else took it in")
}

fn index_of(device: &Device) -> i32 {
    let index = device.name().strip_prefix("cuda:").and_then(|index| index.parse().ok());
    index.expect("a device of CUDA")
}
