//! Streams of others, by their pointers: what a program of Python's says of a pointer is believed.

#![expect(unsafe_code, reason = "that a pointer is a stream only its owner can say")]

use std::sync::Arc;

use pyo3::prelude::*;

use crate::error::{released, unsupported};
use crate::held::Held;
use crate::parity;

/// The numbers by which CUDA's driver names its default streams: the legacy one, and that of each thread.
const LEGACY: usize = 1;
const PER_THREAD: usize = 2;

/// The stream of a driver that a pointer stands for. `owner` is kept until nothing of ours is on its way on it.
///
/// # Errors
/// `Unsupported` of a device whose driver has no such pointers; those of
/// [`borrow`](syncpoint::cuda::borrow).
pub(crate) fn stream(
    py: Python<'_>,
    device: &syncpoint::Device,
    pointer: usize,
    owner: Option<Py<PyAny>>,
) -> PyResult<Arc<syncpoint::Stream>> {
    let kind = parity::kind(device.name());
    if kind != "cuda" {
        let text =
            format!("{kind} backend has no streams of others by pointer; make one with Stream()");
        return Err(unsupported(py, &text));
    }
    let owner = owner.map(Held::new);
    released(py, || match pointer {
        0 | LEGACY => syncpoint::cuda::legacy_stream(device),
        PER_THREAD => syncpoint::cuda::per_thread_stream(device),
        // SAFETY: Python has no word for it: whoever gives a pointer says that it is a stream of the driver's that lives
        // for as long as its owner does, as with every library that takes such pointers; the docs of the method say so.
        _ => unsafe {
            let stream = std::ptr::with_exposed_provenance_mut(pointer);
            syncpoint::cuda::borrow(device, stream, owner)
        },
    })
}
