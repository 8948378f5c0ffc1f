//! A queue: what it is given, one batch at a time, and what each submission keeps until the device is through with it.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::slice;
use std::sync::Arc;

use ash::vk::{self, Handle};

use super::batch::{Batch, Uses, WAITS};
use super::code::{Answer, Refusal, SUBMIT, answer};
use super::device::{Device, address};
use super::grave::Remains;
use super::lock::Lock;
use super::semaphore::Semaphore;
use crate::row::Submission;

/// A queue of a device, and the pool of its commands. Vulkan wants both used by one thread at a time, so whoever uses it
/// borrows it alone.
pub(crate) struct Queue {
    device: Device,
    handle: vk::Queue,
    pool: Arc<CommandPool>,
    /// What is on no queue.
    spare: Vec<Parcel>,
    /// What was refused, and of which nobody knows whether the device has it.
    doubtful: Vec<Submitted>,
    lock: Lock,
}

struct CommandPool {
    device: Device,
    handle: vk::CommandPool,
}

/// Commands that are on no queue.
pub(super) struct Commands {
    handle: vk::CommandBuffer,
    /// They end with it.
    _pool: Arc<CommandPool>,
}

/// What a submission is put together in, and used for another when that is over. It is moved by its address alone.
#[derive(Default)]
pub(crate) struct Parcel(Box<Contents>);

#[derive(Default)]
pub(crate) struct Contents {
    /// There after the first submission that needed some.
    pub(super) commands: Option<Commands>,
    pub(super) uses: Uses,
}

impl Deref for Parcel {
    type Target = Contents;

    fn deref(&self) -> &Contents {
        &self.0
    }
}

impl DerefMut for Parcel {
    fn deref_mut(&mut self) -> &mut Contents {
        &mut self.0
    }
}

/// A submission that the device may still work on. Dropped before it is over, it leaks what it keeps.
pub(crate) struct Submitted {
    /// There until the drop.
    parcel: Option<Parcel>,
    signal: Arc<Semaphore>,
    /// What it is to become when the submission is over.
    value: u64,
}

impl Queue {
    /// The queues of a device of ours, to be asked for once.
    pub(crate) fn all_of(device: &Device) -> Answer<Vec<Self>> {
        (0..device.physical().queues()).map(|index| Self::of(device, index)).collect()
    }

    fn of(device: &Device, index: u32) -> Answer<Self> {
        // SAFETY: the device was made with so many queues of this family.
        let handle = unsafe { device.raw().get_device_queue(device.physical().family, index) };
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
        let (spare, doubtful) = (Vec::new(), Vec::new());
        Ok(Self { device: device.clone(), handle, pool, spare, doubtful, lock })
    }

    /// The raw handle.
    pub(crate) fn raw(&self) -> usize {
        address(self.handle.as_raw())
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Waits until the device is through with all that the queue was given. On a lost one that takes finite time.
    pub(crate) fn settle(&mut self) -> Answer<()> {
        let (raw, function) = (self.device.raw(), "vkQueueWaitIdle");
        let idle = self.lock.run(function, || {
            // SAFETY: the queue is borrowed alone, and where others have it too their lock is held.
            unsafe { raw.queue_wait_idle(self.handle) }
        })?;
        answer(function, idle)
    }

    /// What the device may have been given though that was refused, for when it is at rest.
    pub(crate) fn take_doubtful(&mut self) -> Vec<Submitted> {
        std::mem::take(&mut self.doubtful)
    }

    /// Begins a batch.
    pub(crate) fn batch(&mut self) -> Batch<'_> {
        Batch::new(self)
    }

    /// Whether nothing of before lies ready for a batch.
    pub(crate) fn lacks_spare(&self) -> bool {
        self.spare.is_empty()
    }

    /// What is over, for the batches to come. Leaves room for as many.
    pub(crate) fn take_back(&mut self, over: &mut Vec<Parcel>) {
        self.spare.append(over);
    }

    pub(super) fn take_spare(&mut self) -> Parcel {
        self.spare.pop().unwrap_or_default()
    }

    /// What the device did not take names nothing, so that it keeps nothing.
    pub(super) fn give_spare(&mut self, mut parcel: Parcel) {
        parcel.uses.clear();
        self.spare.push(parcel);
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
    /// Gives the batch to the device, which begins it when the semaphore has come to what it was told to become before, and
    /// raises it to `value` when it is through: batches of one queue may overlap. May block where the driver's queue is full.
    ///
    /// `value` is larger than any before: the caller holds the order lock of the one stream that signals here.
    pub(crate) fn submit(mut self, signal: &Arc<Semaphore>, value: u64) -> Answer<Submitted> {
        self.finish()?;
        let before = signal.promised();
        if value <= before {
            // A timeline semaphore only grows.
            return Err(Refusal::misuse("vkQueueSubmit"));
        }
        let parcel = self.take();
        signal.promise(value);
        let given = parcel.give(self.queue(), (signal, value, before));
        if let Err(refusal) = given
            && refusal.leaves_all()
        {
            signal.promise(before);
            self.take_back(parcel);
            return Err(refusal);
        }
        let submitted = Submitted { parcel: Some(parcel), signal: Arc::clone(signal), value };
        if let Err(refusal) = given {
            // The value stays promised: who knows whether it comes, and nobody signals it again.
            self.queue().doubtful.push(submitted);
            return Err(refusal);
        }
        Ok(submitted)
    }
}

impl Parcel {
    /// Submits it: behind the value `before` of the semaphore that it raises to `value`.
    #[inline]
    fn give(
        &self,
        queue: &mut Queue,
        (signal, value, before): (&Semaphore, u64, u64),
    ) -> Answer<()> {
        if !self.uses.waits.is_empty() {
            return self.give_behind_others(queue, (signal, value, before));
        }
        let count = usize::from(before > 0);
        self.give_behind(queue, (signal, value), (&[signal.handle()][..count], &[before][..count]))
    }

    /// The same behind other semaphores as well.
    #[inline(never)]
    fn give_behind_others(
        &self,
        queue: &mut Queue,
        (signal, value, before): (&Semaphore, u64, u64),
    ) -> Answer<()> {
        let (mut semaphores, mut values) = ([signal.handle(); WAITS], [before; WAITS]);
        let mut count = usize::from(before > 0);
        for (semaphore, value) in &self.uses.waits {
            (semaphores[count], values[count]) = (semaphore.handle(), *value);
            count += 1;
        }
        self.give_behind(queue, (signal, value), (&semaphores[..count], &values[..count]))
    }

    /// The same behind these values of these semaphores.
    #[inline]
    fn give_behind(
        &self,
        queue: &mut Queue,
        (signal, value): (&Semaphore, u64),
        (semaphores, values): (&[vk::Semaphore], &[u64]),
    ) -> Answer<()> {
        const STAGES: [vk::PipelineStageFlags; WAITS] =
            [vk::PipelineStageFlags::ALL_COMMANDS; WAITS];
        let own = self.uses.own.as_ref().map(slice::from_ref);
        let commands = own.unwrap_or(&self.uses.others);
        let (signals, signalled) = ([signal.handle()], [value]);
        let mut timeline = vk::TimelineSemaphoreSubmitInfo::default()
            .wait_semaphore_values(values)
            .signal_semaphore_values(&signalled);
        let info = vk::SubmitInfo::default()
            .command_buffers(commands)
            .wait_semaphores(semaphores)
            .wait_dst_stage_mask(&STAGES[..values.len()])
            .signal_semaphores(&signals)
            .push_next(&mut timeline);
        let (raw, function) = (queue.device.raw(), SUBMIT);
        let given = queue.lock.run(function, || {
            // SAFETY: the queue is borrowed alone, and where others have it too their lock is held; everything that is
            // named is kept until the signal was seen.
            unsafe { raw.queue_submit(queue.handle, slice::from_ref(&info), vk::Fence::null()) }
        })?;
        answer(function, given)
    }
}

impl Submitted {
    /// Lets go what it keeps, though it is not over: the device is lost, and at rest.
    pub(crate) fn end_at_rest(mut self) {
        drop(self.parcel.take());
    }
}

impl Submission for Submitted {
    type Semaphore = Semaphore;
    type Parcel = Parcel;

    fn signal(&self) -> (&Arc<Semaphore>, u64) {
        (&self.signal, self.value)
    }

    #[inline]
    fn is_over(&self) -> bool {
        self.signal.seen() >= self.value
    }

    /// Called as that is noticed.
    fn end(mut self) -> Option<Parcel> {
        if !self.is_over() {
            return None;
        }
        let mut parcel = self.parcel.take()?;
        parcel.uses.end();
        Some(parcel)
    }
}

/// What is not over is leaked: the device may still work on it.
impl Drop for Submitted {
    fn drop(&mut self) {
        if self.parcel.is_some() && !self.is_over() {
            let _leaked = ManuallyDrop::new((self.parcel.take(), Arc::clone(&self.signal)));
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

impl fmt::Debug for Parcel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Parcel")
    }
}

impl fmt::Debug for Submitted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Submitted({} of {:?})", self.value, self.signal)
    }
}
