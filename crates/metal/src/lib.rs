//! The Metal backend: shared events and command buffers, with the semantics of MPS.
//!
//! - **A stream** is a command queue with a shared event of its own, whose values are the stream's. Each operation is a
//!   command buffer that signals its value, put together and committed by one thread at a time, whichever that is.
//! - **Waits** between streams of one device are the device's own, where nothing but one command buffer of ours is left before
//!   what they wait for; all others (for gates, other devices, other backends, for what has more before it) are held on the
//!   host. A device is never given a wait for what nobody has committed, but on a queue that others commit to as well.
//! - **A device waits for some seconds only**: Metal ends a wait that lasts (five seconds, others have found), kills the command
//!   buffer, and refuses a process that has had it so too often. So on a stream of others' queue (`borrow`, `expose`), which
//!   cannot be held on the host, a wait for a gate, a host function, a delay or another backend fails with
//!   `MTLCommandBufferErrorTimeout` where it lasts longer. Synchronize on the host before you put there what would wait for
//!   long, or take a stream of the device's own, which has no such limit.
//! - **The end** of a command buffer is told by its handler, which is attached as the command buffer is made. What Metal
//!   kills fails its stream, wakes whoever waits for it on the host, and lets go whoever waits on the device, as failed.
//!   What Metal kills along with it has failed with it, and fails nothing that came behind a `recover()`. The stream goes on
//!   over the same queue: where it fails again at once, open the device anew. Of command buffers that users commit to a queue
//!   nobody hears: what comes behind a killed one runs, and the point of their `submit` completes. Look at the status of your
//!   own.
//! - **Times** are the GPU end times of command buffers: a timed record is a command buffer of its own. What is no time
//!   (0, not a number) is refused.
//! - **Room.** 256 command buffers of a stream are on their way at a time, and on a queue of others as many as who lends
//!   it says. What comes then a managed stream keeps on the host; on a stream of others the caller waits for one to end,
//!   and is refused when none has for thirty seconds. What users commit takes room that is not counted: behind more than
//!   64 command buffers of theirs an operation may wait for as long as these take.
//! - **Delays** are timed by the host, and hold their own stream alone.
//! - **Priorities** of streams order host work alone: which stream's functions run first. Metal is told of none.
//!
//! Needs Metal with shared events: macOS 10.14, or iOS 12, for which nothing was compiled yet. Before macOS 12 and iOS 15 who
//! waits on the host for a shared event of others has it looked at every millisecond.
//!
//! One thread of a device tells of the ends of its command buffers, and wakes whoever waits: a waker, an observer or a drop of
//! the user's that waits there holds up every other end of the device. So it must not enqueue on a stream of others' queue
//! (`borrow`, `expose`) that may be without room: the call sleeps there until a command buffer ends, which this thread alone
//! can tell, and is refused after thirty seconds. Hand it to a thread of your own.
//!
//! The protocol knows Metal by its calls alone ([`protocol::Calls`]), and runs over a double of them wherever there is no
//! Metal. It was not yet run on a Mac.

#[cfg(target_vendor = "apple")]
mod apple;
mod buffer;
mod bytes;
mod calls;
mod code;
mod context;
mod device;
#[cfg(not(target_vendor = "apple"))]
mod elsewhere;
mod event;
mod handles;
mod handover;
mod known;
mod latch;
mod open;
mod owed;
mod own;
mod room;
mod row;
mod stream;
mod sync;
mod telling;
mod time;

#[cfg(target_vendor = "apple")]
pub use apple::{RawQueue, borrow, device_handle, event_handle, expose, open_device, timeline};
pub use open::{available, count, open};

/// The protocol apart from Metal, for doubles of it. Outside the semver promise.
#[doc(hidden)]
pub mod protocol {
    pub use crate::calls::{Bytewise, Calls, End, Ended, Kernel, Killed, Piece, Refusal, Status};
    pub use crate::context::Limits;
    pub use crate::device::{device_over, open_over};
    pub use crate::event::signal_of;
    pub use crate::handles::{borrow, expose, timeline};
    pub use crate::own::Own;
}
