//! The Vulkan backend: any driver with timeline semaphores, opened at run time.
//!
//! Streams, points and events on whatever has Vulkan 1.2, or 1.1 with `VK_KHR_timeline_semaphore`: GPUs of every maker,
//! and drivers that compute on the CPU, such as Mesa's lavapipe. Nothing of Vulkan is needed to build.
//!
//! - **The loader** is searched as `SYNCPOINT_VULKAN_LIBRARY` says, or as [`use_library`] does; otherwise it is the
//!   system's. To ask whether it is there ([`available`]) begins no driver.
//! - **A device** is one of our own, opened with one queue. **A stream** is a row of submissions to that queue with a
//!   timeline semaphore of its own, whose values are the stream's. Each submission waits for the stream's one before. Any
//!   number of streams share the queue: it is given only what can go, since what waits on a queue for a signal that nobody
//!   has submitted stops all of it.
//! - **Waits** between streams of one device are the device's own; all others (for gates, other devices, other backends)
//!   are held on the host.
//! - **Waiting** on the host sleeps in the driver on one thread, in slices of 50 ms, while somebody waits for what is on
//!   its way.
//! - **Delays** are timed by the host: a device of Vulkan lets no time pass by itself. They hold their own stream alone.
//! - **Commands of your own** run in the order of a stream ([`RawStream`], lent by
//!   [`Stream::submit`](syncpoint_core::Stream::submit)), and a device that you made is taken in with a queue to itself or
//!   with the lock of whoever else submits to it ([`open_device`]).
//! - **Memory** is such as the host reaches too, where there is a choice in the device's own.
//! - **A lost device** is `DeviceLost`: everything of it that was not seen complete fails, with the first cause.
//! - **Times** are timestamps of the queue. A span is right where the clock goes round less than half in between: with 36
//!   bits of nanoseconds that is half a minute. Times of two devices are never subtracted.
//!
//! # One queue
//!
//! What a machine with one queue cannot show is not tried: times of two queues, streams that run at the same time, and
//! semaphores that are shared between processes by the driver (`interprocess` events go through a page of memory here, as
//! on the host).
//!
//! A queue signals in the order of its submissions. So the *completion* of one stream may be seen later for what another
//! has submitted before it, and never for what is held. Streams of one queue may run at the same time, as the device
//! likes.

mod buffer;
mod context;
mod delay;
mod device;
mod driver;
mod handles;
mod queue;
mod stream;
mod sync;
mod sys;
mod time;
mod waiter;

pub use device::{available, count, open, open_with_difference};
pub use driver::use_library;
pub use handles::{RawStream, handles, open_device};
pub use sys::{Access, Handles, QueueLock, use_functions};
