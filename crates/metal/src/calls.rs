//! What is asked of Metal: calls and nothing else, so that the protocol runs over a double where there is no Metal.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// The calls of one device. Each is one call of Metal's, or a row of them that nothing comes between; none waits, but
/// for [`sleep`](Self::sleep), for [`pipeline`](Self::pipeline), and for [`commands`](Self::commands) on a queue that others
/// use up.
///
/// Objects are kept by whoever has them and by the command buffers that name them, until these have ended.
pub trait Calls: fmt::Debug + Send + Sync + Sized + 'static {
    /// A command queue, which is lent to users as it is.
    type Queue: Any + fmt::Debug + Send + Sync;

    /// A shared event.
    type Event: Any + fmt::Debug + Send + Sync;

    /// A buffer that the host reaches too.
    type Memory: Any + fmt::Debug + Send + Sync;

    /// A kernel of ours, compiled.
    type Pipeline: Any + fmt::Debug + Send + Sync;

    /// A command buffer that is put together. Dropped, inside a [pool](Self::pooled), it is never committed, and its handler
    /// is let go of, called or not: [`End::of`] tells that from an end.
    type Commands;

    /// The maker's name of the device.
    fn name(&self) -> String;

    /// A queue for so many command buffers at a time.
    fn queue(&self, most: usize) -> Option<Self::Queue>;

    /// The address of a queue, which tells it from all others that there are.
    fn identity(queue: &Self::Queue) -> usize;

    /// A shared event at 0.
    fn event(&self) -> Option<Self::Event>;

    /// So many bytes, all zero; at least one.
    fn memory(&self, bytes: u64) -> Option<Self::Memory>;

    /// Copies bytes out of a buffer. They lie inside, and no thread of the host writes there meanwhile.
    fn read(&self, memory: &Self::Memory, offset: u64, bytes: &mut [u8]);

    /// Copies bytes into a buffer. They lie inside, and no other thread of the host reads or writes there meanwhile.
    fn write(&self, memory: &Self::Memory, offset: u64, bytes: &[u8]);

    /// A command buffer of a queue. `ended` is called once when it has ended, from any thread, and never where it is not
    /// committed. It is attached here: a handler cannot come after the commit.
    fn commands(&self, queue: &Self::Queue, ended: Ended) -> Option<Self::Commands>;

    /// Has what comes next in the queue wait until the event has come to the value.
    fn wait(&self, commands: &mut Self::Commands, event: &Self::Event, value: u64);

    /// Has the event come to the value when everything before is over. A command buffer that is killed before it comes to
    /// that does not signal; one that signals has done its work, whatever its handler says later: whoever waits on the
    /// device goes on. The host takes a value for complete only when the handler has come.
    fn signal(&self, commands: &mut Self::Commands, event: &Self::Event, value: u64);

    /// Compiles a kernel, for as long as that takes.
    ///
    /// # Errors
    /// Why it cannot.
    fn pipeline(&self, kernel: Kernel) -> Result<Self::Pipeline, Refusal>;

    /// Fills bytes of a buffer by a blit. They lie inside, and begin and end at multiples of four.
    ///
    /// # Errors
    /// Why it cannot.
    fn fill(
        &self,
        commands: &mut Self::Commands,
        memory: &Self::Memory,
        part: Range<u64>,
        byte: u8,
    ) -> Result<(), Refusal>;

    /// Copies bytes by a blit. They lie inside and do not overlap; their offsets and their number are multiples of four.
    ///
    /// # Errors
    /// Why it cannot.
    fn copy(
        &self,
        commands: &mut Self::Commands,
        source: (&Self::Memory, u64),
        target: (&Self::Memory, u64),
        bytes: u64,
    ) -> Result<(), Refusal>;

    /// Fills bytes of a buffer from an offset on, by [`Kernel::Fill`]. They lie inside.
    ///
    /// # Errors
    /// Why it cannot.
    fn fill_bytes(
        &self,
        commands: &mut Self::Commands,
        bytewise: Bytewise<'_, Self::Pipeline>,
        target: (&Self::Memory, u64),
        byte: u8,
    ) -> Result<(), Refusal>;

    /// Copies bytes by [`Kernel::Copy`]. They lie inside and do not overlap.
    ///
    /// # Errors
    /// Why it cannot.
    fn copy_bytes(
        &self,
        commands: &mut Self::Commands,
        bytewise: Bytewise<'_, Self::Pipeline>,
        source: (&Self::Memory, u64),
        target: (&Self::Memory, u64),
    ) -> Result<(), Refusal>;

    /// Gives the command buffer to its queue.
    fn commit(&self, commands: Self::Commands);

    /// How far a shared event is.
    fn signaled(event: &Self::Event) -> u64;

    /// Has the host signal a shared event.
    fn raise(event: &Self::Event, value: u64);

    /// Sleeps until a shared event has come to the value, and no longer than this. Says whether it has come: others may
    /// set it back at once. `None`, at once: Metal does not wait for events here (before macOS 12 and iOS 15).
    fn sleep(event: &Self::Event, value: u64, longest: Duration) -> Option<bool>;

    /// Calls what may make objects of Metal's on a thread of ours, and lets go of those that nobody has kept.
    fn pooled(call: &mut dyn FnMut());
}

/// A kernel of ours, for what no blit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "made by bindings and doubles; outside the semver promise"
)]
pub enum Kernel {
    /// Writes one byte in each thread.
    Fill,
    /// Copies one byte in each thread.
    Copy,
}

/// What a kernel does to so many bytes, in [pieces](Self::pieces).
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by bindings and doubles; outside the semver promise"
)]
pub struct Bytewise<'a, P> {
    /// The kernel.
    pub pipeline: &'a P,
    /// How many bytes, at least one.
    pub bytes: u64,
}

/// One dispatch of a kernel: the first `bytes` of its threads have a byte each.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by bindings and doubles; outside the semver promise"
)]
pub struct Piece {
    /// The first byte, counted from where the whole begins.
    pub start: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Groups of threads.
    pub groups: u64,
    /// Threads of each group.
    pub threads: u64,
}

/// Is told of the end of a command buffer.
pub type Ended = Box<dyn FnOnce(End) + Send>;

/// Why a command buffer cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "made by bindings and doubles; outside the semver promise"
)]
pub enum Refusal {
    /// Metal has no room for an object.
    NoRoom,
    /// A kernel of ours cannot be made, in the words of Metal's compiler.
    Kernel(String),
}

/// How a command buffer has ended.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by bindings and doubles; outside the semver promise"
)]
pub struct End {
    /// `GPUEndTime`: seconds of the host's clock, as the device says.
    pub seconds: f64,
    /// Why it was killed, if it was.
    pub killed: Option<Killed>,
}

impl End {
    /// The end that a handler is told of. A command buffer that has failed was killed, also where Metal gives no reason.
    /// `None`: it has not ended, since Metal calls the handlers also of one that is let go of and was never committed.
    pub fn of(seconds: f64, status: Status, error: Option<Killed>) -> Option<Self> {
        let silent = || Killed { code: 0, words: "Metal gives no reason".to_owned() };
        let killed = match status {
            Status::Complete => error,
            Status::Failed => error.or_else(|| Some(silent())),
            Status::Other => return None,
        };
        Some(Self { seconds, killed })
    }
}

/// What the status of a command buffer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "made by bindings and doubles; outside the semver promise"
)]
pub enum Status {
    /// It is complete.
    Complete,
    /// It has failed.
    Failed,
    /// It has not ended.
    Other,
}

/// Why a command buffer was killed.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by bindings and doubles; outside the semver promise"
)]
pub struct Killed {
    /// The number of the `MTLCommandBufferError`, 0 where it is an error of something else.
    pub code: i64,
    /// What Metal says of it.
    pub words: String,
}

impl Killed {
    /// By an error of another domain, whose numbers say other things.
    pub fn of_others(domain: &str, code: i64, words: &str) -> Self {
        Self { code: 0, words: format!("{words}, {domain} {code}") }
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_is_no_end_is_none_whatever_comes_with_it() {
        let killed = Killed { code: 3, words: "by the test".to_owned() };
        assert!(End::of(0.0, Status::Other, None).is_none());
        assert!(End::of(1.0, Status::Other, Some(killed)).is_none());
        assert!(End::of(1.0, Status::Complete, None).is_some_and(|end| end.killed.is_none()));
        assert!(End::of(0.0, Status::Failed, None).is_some_and(|end| end.killed.is_some()));
    }
}
