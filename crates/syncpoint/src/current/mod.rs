//! The current device and stream of each thread, in a table of its own that core never reads.
//!
//! Nothing in core or a backend asks what is current: every call there names its stream. The table is for programs
//! that are written as PyTorch's are, where a stream is made current around code that does not pass one along.
//!
//! Guards do not save a value and write it back: each guard owns a *frame* on a stack, and what is current is what the
//! innermost frame that says something says. So guards that go in any order, or that name the same stream twice, can
//! bring nothing back that is over.

mod default;
mod frame;
mod guard;
mod scope;

use std::sync::Arc;

use syncpoint_core::{Device, Result, Stream};

pub use default::default_stream;
pub use guard::{Current, with_device, with_stream};
pub use scope::{Scope, scope};

/// The device that is current on this thread; `host:0` where nothing made another current.
///
/// # Errors
/// `Unavailable`: nothing was made current, and the host is not built in.
///
/// # Examples
/// ```
/// assert_eq!(syncpoint::current_device()?, syncpoint::open("host:0")?);
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn current_device() -> Result<Device> {
    frame::find(|frame| frame.device().cloned()).map_or_else(|| crate::open("host:0"), Ok)
}

/// Makes a device current on this thread, until the innermost [`Current`] or [`Scope`] ends in which this is called,
/// or for good outside of any. The current streams stay as they are.
///
/// # Examples
/// ```
/// let host = syncpoint::open("host:0")?;
/// syncpoint::set_current_device(&host);
/// assert_eq!(syncpoint::current_device()?, host);
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn set_current_device(device: &Device) {
    frame::change(|frame| frame.set_device(device.clone()));
}

/// The stream of a device that is current on this thread; the device's [`default_stream`] where nothing made another
/// current. Threads share nothing but the default streams: a new thread begins on them.
///
/// Work that a stream runs sees the table of whichever thread runs it: pass streams into work by name.
///
/// # Errors
/// As [`default_stream`].
///
/// # Examples
/// A stream is current for as long as its guard lives:
/// ```
/// use std::sync::Arc;
/// use syncpoint::{current_stream, default_stream, with_stream};
///
/// let device = syncpoint::open("host:0")?;
/// let side = Arc::new(device.stream()?);
/// let current = with_stream(&side);
/// assert_eq!(current_stream(&device)?, side);
/// drop(current);
/// assert_eq!(current_stream(&device)?, default_stream(&device)?);
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn current_stream(device: &Device) -> Result<Arc<Stream>> {
    frame::find(|frame| frame.stream(device).cloned()).map_or_else(|| default_stream(device), Ok)
}

/// Makes a stream the current one of its device on this thread, until the innermost [`Current`] or [`Scope`] ends in
/// which this is called, or for good outside of any. The current device, and the streams of other devices, stay as
/// they are.
///
/// # Examples
/// ```
/// let device = syncpoint::open("host:0")?;
/// let stream = std::sync::Arc::new(device.stream()?);
/// syncpoint::set_current_stream(&stream);
/// assert_eq!(syncpoint::current_stream(&device)?, stream);
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn set_current_stream(stream: &Arc<Stream>) {
    // What was current before is dropped once the table is free again: dropping a stream runs code of its backend.
    let before = frame::change(|frame| frame.set_stream(Arc::clone(stream)));
    drop(before);
}
