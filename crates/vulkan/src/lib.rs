//! The Vulkan backend: any driver with timeline semaphores, opened at run time.
//!
//! Streams, points and events on whatever has Vulkan 1.2, or 1.1 with `VK_KHR_timeline_semaphore`: GPUs of every maker,
//! and drivers that compute on the CPU, such as Mesa's lavapipe. Nothing of Vulkan is needed to build.
//!
//! - **The loader** is searched as `SYNCPOINT_VULKAN_LIBRARY` says, or as [`use_library`] does; otherwise it is the
//!   system's. To ask whether it is there ([`available`]) begins no driver.
//! - **A device** is one of our own, opened with the queues of one family, eight at most, which its streams get in turn.
//!   Several are used where the driver reads the device's clock (as below): it then says that the times of all queues are of
//!   that clock, and may be compared. **A stream** is a row of submissions to its queue with a
//!   timeline semaphore of its own, whose values are the stream's. Each submission waits for the stream's one before. Any
//!   number of streams share a queue: it is given only what can go, since what waits on a queue for a signal that nobody
//!   has submitted stops all of it.
//! - **Waits** between streams of one device are the device's own, and go to it with the next submission of the stream that
//!   waits, be it a record; all others (for gates, other devices, other backends) are held on the host.
//! - **Waiting** on the host sleeps in the driver on one thread for each queue, in slices of 50 ms, while somebody waits for
//!   what is on its way there.
//! - **Delays** are timed by the host: a device of Vulkan lets no time pass by itself. They hold their own stream alone.
//! - **Commands of your own** run in the order of a stream ([`RawStream`], lent by
//!   [`Stream::submit`](syncpoint_core::Stream::submit)), and a device that you made is taken in with a queue to itself or
//!   with the lock of whoever else submits to it ([`open_device`]).
//! - **Values of others**: a timeline semaphore that you or another library signals gives points to wait for and to
//!   observe, without a queue and without its lock ([`timeline`]).
//! - **Memory** is such as the host reaches too, where there is a choice in the device's own.
//! - **A lost device** is `DeviceLost`: everything of it that was not seen complete fails, with the first cause.
//! - **Times** are timestamps of the queues. A clock of few bits begins anew now and then (with 36 bits of nanoseconds each
//!   69 seconds); how often it did between two times is told by when the host asked for them and saw them come, and where
//!   that leaves it open the answer is an error and no number. Times of two devices are never subtracted.
//! - **Absolute times** are the host's, in nanoseconds since the device was opened, within a bound that each tells, where
//!   the driver reads both clocks at once (`VK_KHR_calibrated_timestamps`, or `EXT`): so those of several devices can be
//!   laid side by side. Without the extension, where the driver refuses it as the device is opened (the clock's name says
//!   so), or where the calibrated clock turns out not to be the clock of the queues, times are exact but relative to the
//!   device's own clock. The first time that the host saw within 0.1 s decides that last question; times before it carry a
//!   wide `error`.
//! - **Priorities** of streams order host work alone: which stream's functions run first. The driver is told of none.
//!
//! # Queues
//!
//! Several queues are tried over a driver with one, before which each of them is made to go its own way. What only a device
//! of its own can show is not tried: streams that run at the same time, and semaphores that are shared between processes by
//! the driver (`interprocess` events go through a page of memory here, as on the host).
//!
//! A queue signals in the order of its submissions. So the *completion* of one stream may be seen later for what another
//! has submitted before it to the same queue, and never for what is held. Streams of one queue may run at the same time, as the device
//! likes.

mod anchor;
mod buffer;
mod context;
mod counter;
mod deferred;
mod device;
mod driver;
mod handles;
mod line;
mod moments;
mod queue;
mod rounds;
mod row;
mod stream;
mod sync;
mod sys;
mod time;
mod timeline;
mod waiter;

pub use device::{available, count, open, open_with_difference};
pub use driver::use_library;
pub use handles::{RawStream, handles, open_device};
pub use sys::{Access, Handles, QueueLock, SemaphoreHandles, use_functions};
pub use timeline::timeline;
