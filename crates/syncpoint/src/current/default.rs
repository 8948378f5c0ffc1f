//! The default streams: one for each device, made at the first need and shared by all threads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncpoint_base::PerProcess;
use syncpoint_core::{Device, Result, Stream, StreamOptions};

/// The default stream of a device: the one that is current on a thread that made no other current. Made at the first
/// call, one for each device, and shared by all threads. One of a device that was shut down is let go of as the next is made.
/// A child of a fork has its own.
///
/// It is a stream like any other. As everybody shares it, a failure on it reaches everybody, until somebody
/// [recovers](Stream::recover) it.
///
/// # Errors
/// As [`Device::stream`]: a device that was shut down has none.
///
/// # Examples
/// ```
/// let device = syncpoint::open("host:0")?;
/// let stream = syncpoint::default_stream(&device)?;
/// assert_eq!(stream, syncpoint::default_stream(&device)?);
/// assert_eq!(stream.timeline().label(), Some("default"));
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn default_stream(device: &Device) -> Result<Arc<Stream>> {
    if let Some(stream) = find(&table(), device) {
        return Ok(stream);
    }
    // Outside the lock: the device may call its driver, and observers, who may come back here, are told of the stream.
    let stream = device.stream_with(StreamOptions::new().named("default"))?;
    Ok(keep_first(Arc::new(stream)))
}

/// The default streams of devices that were not shut down when one was last made. Guards the table; no stream is made and
/// none is dropped under it.
static STREAMS: PerProcess<Mutex<Vec<Arc<Stream>>>> = PerProcess::new(Mutex::default);

fn table() -> MutexGuard<'static, Vec<Arc<Stream>>> {
    STREAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn find(streams: &[Arc<Stream>], device: &Device) -> Option<Arc<Stream>> {
    let of_device = |stream: &&Arc<Stream>| stream.device() == device && !device.is_closed();
    streams.iter().find(of_device).cloned()
}

/// Keeps a stream as the default of its device, unless another thread was first: then it gives that one.
fn keep_first(stream: Arc<Stream>) -> Arc<Stream> {
    let mut streams = table();
    let first = find(&streams, stream.device());
    if first.is_none() {
        streams.push(Arc::clone(&stream));
    }
    let is_over = |stream: &mut Arc<Stream>| stream.device().is_closed();
    let over: Vec<_> = streams.extract_if(.., is_over).collect();
    drop(streams);
    drop(over);
    first.unwrap_or(stream)
}
