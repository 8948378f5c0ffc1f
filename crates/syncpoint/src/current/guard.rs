//! Guards: a stream or a device is current for as long as its guard lives.

use std::marker::PhantomData;
use std::sync::Arc;

use syncpoint_core::{Device, Stream};

use super::frame::{self, Frame, Id};

/// Makes a stream and its device current on this thread, until the guard is dropped.
///
/// # Examples
/// Guards nest, and name a stream as often as they like:
/// ```
/// use std::sync::Arc;
/// use syncpoint::{current_stream, with_stream};
///
/// let device = syncpoint::open("host:0")?;
/// let (a, b) = (Arc::new(device.stream()?), Arc::new(device.stream()?));
/// let _outer = with_stream(&a);
/// {
///     let _inner = with_stream(&b);
///     let _again = with_stream(&b);
///     assert_eq!(current_stream(&device)?, b);
/// }
/// assert_eq!(current_stream(&device)?, a);
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn with_stream(stream: &Arc<Stream>) -> Current {
    Current::begin(Frame::of_stream(stream))
}

/// Makes a device current on this thread, until the guard is dropped. The streams stay as they are.
///
/// # Examples
/// ```
/// let host = syncpoint::open("host:0")?;
/// let _current = syncpoint::with_device(&host);
/// assert_eq!(syncpoint::current_device()?, host);
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn with_device(device: &Device) -> Current {
    Current::begin(Frame::of_device(device))
}

/// A stream or a device that is current on this thread for as long as this lives.
///
/// What is current is what the youngest guard that lives made current; with it ends what was set by
/// [`set_current_stream`](crate::set_current_stream) or [`set_current_device`](crate::set_current_device) while it was
/// the youngest. So every order of dropping is right, and so is unwinding. A guard that is leaked stays in force for as
/// long as its thread lives.
///
/// It belongs to its thread, and cannot be sent to another:
/// ```compile_fail,E0277
/// # fn main() -> syncpoint::Result<()> {
/// let stream = std::sync::Arc::new(syncpoint::open("host:0")?.stream()?);
/// let current = syncpoint::with_stream(&stream);
/// std::thread::spawn(move || drop(current));
/// # Ok(())
/// # }
/// ```
/// A task that several threads may poll takes a [`scope`](crate::scope) instead.
#[derive(Debug)]
#[must_use = "it is current only while this guard lives"]
pub struct Current {
    id: Id,
    /// The frame lies in the table of this thread.
    of_this_thread: PhantomData<*const ()>,
}

impl Current {
    fn begin(frame: Frame) -> Self {
        let id = frame.id();
        frame::put(&mut vec![frame]);
        Self { id, of_this_thread: PhantomData }
    }
}

impl Drop for Current {
    /// A frame that a suspended [`Scope`](super::Scope) holds goes with the scope.
    fn drop(&mut self) {
        let frame = frame::take(self.id);
        drop(frame);
    }
}
