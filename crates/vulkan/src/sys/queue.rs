//! A queue: what it is given, one batch at a time, and what each submission keeps until the device is through with it.

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;

use ash::vk::{self, Handle};

use super::batch::{Batch, Uses, WAITS};
use super::code::{Answer, Meaning, Refusal, answer};
use super::device::{Device, address};
use super::grave::Remains;
use super::semaphore::Semaphore;

/// A queue of a device, and the pool of its commands. Vulkan wants both used by one thread at a time, so whoever uses it
/// borrows it alone.
pub(crate) struct Queue {
    device: Device,
    handle: vk::Queue,
    pool: Arc<CommandPool>,
    lock: Lock,
}

/// Who else submits to a queue.
pub(crate) enum Lock {
    /// Nobody.
    Alone,
    /// Others, who hold their lock meanwhile.
    Others(Box<dyn QueueLock>),
}

/// The lock under which the owner of a queue submits to it.
pub trait QueueLock: Send + Sync {
    /// Calls `submit` once, at once and on this thread, while the lock is held.
    ///
    /// Called while a stream takes an operation, from any thread: whoever holds the lock may not wait for a stream, nor
    /// enqueue on one.
    fn locked(&self, submit: &mut dyn FnMut());
}

/// A lock that its owner keeps a name of.
impl<T: QueueLock + ?Sized> QueueLock for Arc<T> {
    fn locked(&self, submit: &mut dyn FnMut()) {
        T::locked(self, submit);
    }
}

impl Lock {
    fn run(&self, submit: &mut dyn FnMut()) {
        match self {
            Self::Alone => submit(),
            Self::Others(lock) => lock.locked(submit),
        }
    }
}

struct CommandPool {
    device: Device,
    handle: vk::CommandPool,
}

/// Commands that are on no queue.
pub(crate) struct Commands {
    handle: vk::CommandBuffer,
    /// They end with it.
    _pool: Arc<CommandPool>,
}

/// A submission that the device may still work on. Dropped before it is over, it leaks what it keeps.
pub(crate) struct Submitted {
    commands: Option<Commands>,
    uses: Uses,
    signal: Arc<Semaphore>,
    value: u64,
    /// Whether the device may work on it.
    is_taken: bool,
}

impl Queue {
    /// The one queue of a device of ours, to be asked for once.
    pub(crate) fn of(device: &Device) -> Answer<Self> {
        // SAFETY: the device was made with one queue of this family.
        let handle = unsafe { device.raw().get_device_queue(device.physical().family, 0) };
        Self::over(device, handle, Lock::Alone)
    }

    /// A queue of the device's family, which nobody uses but under the lock.
    pub(super) fn over(device: &Device, handle: vk::Queue, lock: Lock) -> Answer<Self> {
        let flags = vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER
            | vk::CommandPoolCreateFlags::TRANSIENT;
        let info = vk::CommandPoolCreateInfo::default()
            .queue_family_index(device.physical().family)
            .flags(flags);
        // SAFETY: the device lives, and so does the structure.
        let pool = unsafe { device.raw().create_command_pool(&info, None) };
        let pool = answer("vkCreateCommandPool", pool)?;
        let pool = Arc::new(CommandPool { device: device.clone(), handle: pool });
        Ok(Self { device: device.clone(), handle, pool, lock })
    }

    /// The raw handle.
    pub(crate) fn raw(&self) -> usize {
        address(self.handle.as_raw())
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Begins a batch, in commands of before where there are some.
    pub(crate) fn batch(&mut self, spare: Option<Commands>) -> Batch<'_> {
        Batch::new(self, spare)
    }

    pub(super) fn commands(&mut self) -> Answer<Commands> {
        let info = vk::CommandBufferAllocateInfo::default()
            .command_pool(self.pool.handle)
            .level(vk::CommandBufferLevel::PRIMARY)
            .command_buffer_count(1);
        // SAFETY: the pool lives and is used by nobody else, since the queue is borrowed alone.
        let made = unsafe { self.device.raw().allocate_command_buffers(&info) };
        let made = answer("vkAllocateCommandBuffers", made)?;
        let handle = made.first().copied().unwrap_or_else(vk::CommandBuffer::null);
        Ok(Commands { handle, _pool: Arc::clone(&self.pool) })
    }
}

impl Commands {
    pub(super) fn handle(&self) -> vk::CommandBuffer {
        self.handle
    }
}

impl Batch<'_> {
    /// Gives the batch to the device, which raises the semaphore to `value` when it is through. May block where the
    /// driver's queue is full.
    ///
    /// `value` is larger than any before: the caller holds the order lock of the one stream that signals here.
    pub(crate) fn submit(mut self, signal: &Arc<Semaphore>, value: u64) -> Answer<Submitted> {
        self.finish()?;
        let before = signal.promised();
        if value <= before {
            // A timeline semaphore only grows.
            return Err(Refusal::misuse("vkQueueSubmit"));
        }
        let (queue, commands, uses) = self.apart();
        signal.promise(value);
        let signal = Arc::clone(signal);
        let mut submitted = Submitted { commands, uses, signal, value, is_taken: false };
        let given = submitted.give(queue);
        // Only a lack of room is said to leave everything as it was.
        submitted.is_taken =
            given.map_or_else(|refusal| refusal.meaning() != Meaning::NoRoom, |()| true);
        if given.is_err() {
            submitted.signal.promise(before);
        }
        given.map(|()| submitted)
    }
}

impl Submitted {
    fn give(&self, queue: &mut Queue) -> Answer<()> {
        let commands = self.commands.as_ref().map(|commands| [commands.handle()]);
        let commands: &[_] = commands.as_ref().map_or(&self.uses.others, |one| one);
        let (mut semaphores, mut values) = ([vk::Semaphore::null(); WAITS], [0; WAITS]);
        let mut count = 0;
        for (semaphore, value) in self.uses.waits.iter().flatten() {
            (semaphores[count], values[count]) = (semaphore.handle(), *value);
            count += 1;
        }
        let stages = [vk::PipelineStageFlags::ALL_COMMANDS; WAITS];
        let (signals, signalled) = ([self.signal.handle()], [self.value]);
        let mut timeline = vk::TimelineSemaphoreSubmitInfo::default()
            .wait_semaphore_values(&values[..count])
            .signal_semaphore_values(&signalled);
        let info = vk::SubmitInfo::default()
            .command_buffers(commands)
            .wait_semaphores(&semaphores[..count])
            .wait_dst_stage_mask(&stages[..count])
            .signal_semaphores(&signals)
            .push_next(&mut timeline);
        let raw = queue.device.raw();
        let mut given = Err(vk::Result::ERROR_UNKNOWN);
        queue.lock.run(&mut || {
            // SAFETY: the queue is borrowed alone, and where others have it too their lock is held; everything that is
            // named is kept until the signal was seen.
            given = unsafe { raw.queue_submit(queue.handle, &[info], vk::Fence::null()) };
        });
        answer("vkQueueSubmit", given)
    }

    /// The semaphore that is raised when the device is through, and the value.
    pub(crate) fn signal(&self) -> (&Arc<Semaphore>, u64) {
        (&self.signal, self.value)
    }

    /// Whether the device was seen to be through.
    pub(crate) fn is_over(&self) -> bool {
        self.signal.seen() >= self.value
    }

    /// Lets go what it keeps, where it is over, and gives its commands back.
    pub(crate) fn end(mut self) -> Option<Commands> {
        if self.is_over() { self.commands.take() } else { None }
    }
}

/// What is not over is leaked: the device may still work on it.
impl Drop for Submitted {
    fn drop(&mut self) {
        if self.is_taken && !self.is_over() {
            let (commands, uses) = (self.commands.take(), mem::take(&mut self.uses));
            let _leaked = ManuallyDrop::new((commands, uses, Arc::clone(&self.signal)));
        }
    }
}

impl Drop for CommandPool {
    fn drop(&mut self) {
        self.device.bury(Remains::Commands(self.device.clone(), self.handle));
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Queue({:?})", self.device)
    }
}

impl fmt::Debug for Commands {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Commands")
    }
}

impl fmt::Debug for Submitted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Submitted({} of {:?})", self.value, self.signal)
    }
}
