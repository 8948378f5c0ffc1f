//! A batch: what is submitted at a time, with what it waits for and what it keeps.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ash::vk::{self, Handle};

use super::code::{Answer, Refusal, answer};
use super::device::Device;
use super::memory::Memory;
use super::query::Slot;
use super::queue::{Parcel, Queue};
use super::semaphore::Semaphore;
use crate::deferred;

/// A batch that is being put together. It begins commands at the first need: a wait or a mark has none. Dropped before the
/// device has it, it leaves them to the next.
pub(crate) struct Batch<'a> {
    queue: &'a mut Queue,
    /// There until the device has it.
    parcel: Option<Parcel>,
    /// Its commands, once they have begun.
    begun: Option<vk::CommandBuffer>,
}

/// What a submission names, and keeps until it is over.
#[derive(Default)]
pub(super) struct Uses {
    /// What it waits for besides the value before its own: what its user submitted since, and other streams'.
    pub(super) waits: Vec<(Arc<Semaphore>, u64)>,
    /// What its one operation works on.
    kept: [Option<Arc<Memory>>; 2],
    /// Or the time that it notes.
    stamped: Option<Arc<Slot>>,
    /// Our own commands, where it has some.
    pub(super) own: Option<vk::CommandBuffer>,
    /// Commands of others', instead of our own.
    pub(super) others: Vec<vk::CommandBuffer>,
}

/// For how much a submission waits at most: the value before its own, what its user submitted, and other streams, of which the
/// last may be one more than are deferred.
pub(super) const WAITS: usize = 2 + deferred::MOST + 1;

impl Uses {
    /// It is over, and keeps nothing any more.
    pub(super) fn end(&mut self) {
        if let Some(slot) = self.stamped.take() {
            slot.note();
        }
        self.clear();
    }

    /// It names nothing.
    pub(super) fn clear(&mut self) {
        self.waits.clear();
        (self.kept, self.stamped, self.own) = (Default::default(), None, None);
        self.others.clear();
    }

    fn wait(&mut self, semaphore: &Arc<Semaphore>, value: u64) -> Answer<()> {
        if self.waits.len() + 1 == WAITS {
            return Err(Refusal::misuse("vkQueueSubmit"));
        }
        self.waits.push((Arc::clone(semaphore), value));
        Ok(())
    }
}

/// The bytes that fill edges: each value so often that any edge of a fill lies inside.
const EDGE: usize = 8;

/// Memory with the bytes that fill edges.
pub(crate) fn edges(device: &Device) -> Answer<Memory> {
    let table = table();
    let memory = Memory::allocate(device, table.len() as u64)?;
    memory.write(0, &table);
    Ok(memory)
}

fn table() -> Vec<u8> {
    (0..=u8::MAX).flat_map(|value| [value; EDGE]).collect()
}

impl<'a> Batch<'a> {
    #[inline]
    pub(super) fn new(queue: &'a mut Queue) -> Self {
        let parcel = queue.take_spare();
        Self { queue, parcel: Some(parcel), begun: None }
    }

    pub(super) fn queue(&mut self) -> &mut Queue {
        self.queue
    }

    #[inline]
    fn parcel(&mut self) -> &mut Parcel {
        let parcel = self.parcel.as_mut();
        parcel.unwrap_or_else(|| unreachable!("it is taken by the last that is done"))
    }

    /// What was put together, for the device.
    #[inline]
    pub(super) fn take(&mut self) -> Parcel {
        let parcel = self.parcel.take();
        parcel.unwrap_or_else(|| unreachable!("it is taken once"))
    }

    /// The device did not take it.
    pub(super) fn take_back(&mut self, parcel: Parcel) {
        self.parcel = Some(parcel);
    }

    /// The batch begins when the semaphore has come to a value, which is on its way to it.
    pub(crate) fn wait(&mut self, semaphore: &Arc<Semaphore>, value: u64) -> Answer<()> {
        self.parcel().uses.wait(semaphore, value)
    }

    /// The batch runs commands that others recorded.
    ///
    /// # Safety
    ///
    /// - They are command buffers of this device and the queue's family, recorded and not on their way.
    /// - They and all that they name live until the batch is over.
    pub(crate) unsafe fn others(&mut self, commands: &[usize]) {
        let commands = commands.iter().map(|raw| vk::CommandBuffer::from_raw(*raw as u64));
        self.parcel().uses.others.extend(commands);
    }

    /// A batch has one operation: what it works on.
    #[inline]
    fn keep(&mut self, first: &Arc<Memory>, second: Option<&Arc<Memory>>) -> Answer<()> {
        self.check_first()?;
        self.parcel().uses.kept = [Some(Arc::clone(first)), second.map(Arc::clone)];
        Ok(())
    }

    #[inline]
    fn check_first(&mut self) -> Answer<()> {
        let uses = &self.parcel().uses;
        if uses.stamped.is_some() || uses.kept.iter().any(Option::is_some) {
            return Err(Refusal::misuse("vkBeginCommandBuffer"));
        }
        Ok(())
    }

    /// Fills part of a buffer. `edges` has the table of edges, where the part [has some](has_edges).
    ///
    /// The device fills whole words; the bytes before the first and behind the last are copied.
    pub(crate) fn fill(
        &mut self,
        target: &Arc<Memory>,
        part: Range<u64>,
        value: u8,
        edges: Option<&Arc<Memory>>,
    ) -> Answer<()> {
        if !target.holds(&part) || has_edges(&part) != edges.is_some() {
            return Err(Refusal::misuse("vkCmdFillBuffer"));
        }
        let words = words_in(&part);
        self.keep(target, edges)?;
        let commands = self.begin()?;
        if !words.is_empty() {
            self.fill_words(commands, target, &words, value);
        }
        let Some(edges) = edges else { return Ok(()) };
        // Before and behind the words.
        for edge in [part.start..words.start, words.end..part.end] {
            if !edge.is_empty() {
                self.fill_edge(commands, (edges, target), &edge, value);
            }
        }
        Ok(())
    }

    /// Whole words, which lie inside the buffer.
    fn fill_words(
        &self,
        commands: vk::CommandBuffer,
        target: &Memory,
        words: &Range<u64>,
        value: u8,
    ) {
        let (raw, len) = (self.queue.device().raw(), words.end - words.start);
        let word = u32::from_ne_bytes([value; 4]);
        // SAFETY: the commands are being recorded; the part lies inside the buffer and is of whole words.
        unsafe { raw.cmd_fill_buffer(commands, target.buffer(), words.start, len, word) };
    }

    /// An edge, which lies inside the buffer and is no longer than the table is for each value.
    fn fill_edge(
        &self,
        commands: vk::CommandBuffer,
        (edges, target): (&Memory, &Memory),
        edge: &Range<u64>,
        value: u8,
    ) {
        let raw = self.queue.device().raw();
        let regions = [region(u64::from(value) * EDGE as u64, edge.start, edge.end - edge.start)];
        // SAFETY: the commands are being recorded; both parts lie inside, and no buffer is both.
        unsafe { raw.cmd_copy_buffer(commands, edges.buffer(), target.buffer(), &regions) };
    }

    /// Copies part of a buffer to another part, which does not overlap.
    pub(crate) fn copy(
        &mut self,
        (source, from): (&Arc<Memory>, u64),
        (target, to): (&Arc<Memory>, u64),
        len: u64,
    ) -> Answer<()> {
        if !source.holds(&(from..from.saturating_add(len)))
            || !target.holds(&(to..to.saturating_add(len)))
        {
            return Err(Refusal::misuse("vkCmdCopyBuffer"));
        }
        self.keep(source, Some(target))?;
        let commands = self.begin()?;
        if len > 0 {
            let raw = self.queue.device().raw();
            let regions = [region(from, to, len)];
            // SAFETY: the commands are being recorded, and both parts lie inside their buffers.
            unsafe { raw.cmd_copy_buffer(commands, source.buffer(), target.buffer(), &regions) };
        }
        Ok(())
    }

    /// Notes the time when everything before has ended.
    pub(crate) fn stamp(&mut self, slot: &Arc<Slot>) -> Answer<()> {
        self.check_first()?;
        self.parcel().uses.stamped = Some(Arc::clone(slot));
        let commands = self.begin()?;
        let (raw, (pool, index)) = (self.queue.device().raw(), slot.place());
        // SAFETY: the commands are being recorded, and the room is in the pool and in no other submission.
        unsafe { raw.cmd_reset_query_pool(commands, pool, index, 1) };
        let stage = vk::PipelineStageFlags::BOTTOM_OF_PIPE;
        // SAFETY: as above; the queue's family has timestamps, since somebody has a room.
        unsafe { raw.cmd_write_timestamp(commands, stage, pool, index) };
        slot.ask_for();
        Ok(())
    }

    /// Begins commands, unless they have begun. What was written before is seen by them: a wait that was left out, since
    /// the host knew the point complete, ordered the work, and made nothing visible.
    ///
    /// The barrier for that has nothing in its first scope (no command is before the top of the pipe), so it waits for
    /// nothing of the queue's other streams. It need not: the signal of whoever wrote made the bytes available, before the
    /// host saw it or this batch waited for it, and what the host wrote a submission makes available by itself. What is
    /// left is to make visible what is available, which is the barrier's second scope.
    fn begin(&mut self) -> Answer<vk::CommandBuffer> {
        if let Some(begun) = self.begun {
            return Ok(begun);
        }
        let handle = self.make_ready()?;
        let info = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        let raw = self.queue.device().raw();
        // SAFETY: nobody else has the commands, they are on no queue, and their pool is this queue's, which is borrowed
        // alone.
        answer("vkBeginCommandBuffer", unsafe { raw.begin_command_buffer(handle, &info) })?;
        self.begun = Some(handle);
        let seen = [vk::MemoryBarrier::default()
            .dst_access_mask(vk::AccessFlags::TRANSFER_READ | vk::AccessFlags::TRANSFER_WRITE)];
        let (before, after) =
            (vk::PipelineStageFlags::TOP_OF_PIPE, vk::PipelineStageFlags::TRANSFER);
        self.barrier(handle, (before, after), &seen);
        Ok(handle)
    }

    /// Sees to it that commands lie ready.
    #[inline]
    fn make_ready(&mut self) -> Answer<vk::CommandBuffer> {
        match &self.parcel().commands {
            Some(commands) => Ok(commands.handle()),
            None => self.make_commands(),
        }
    }

    /// There are less than are on their way.
    #[cold]
    fn make_commands(&mut self) -> Answer<vk::CommandBuffer> {
        let made = self.queue.commands()?;
        Ok(self.parcel().commands.insert(made).handle())
    }

    /// Ends the commands, if they have begun: what they wrote can be read by the host, and written over. The submission runs
    /// them, or else what others recorded.
    #[inline]
    pub(super) fn finish(&mut self) -> Answer<()> {
        let Some(handle) = self.begun else { return Ok(()) };
        let written = [vk::MemoryBarrier::default()
            .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
            .dst_access_mask(vk::AccessFlags::HOST_READ | vk::AccessFlags::HOST_WRITE)];
        let (before, after) = (vk::PipelineStageFlags::TRANSFER, vk::PipelineStageFlags::HOST);
        self.barrier(handle, (before, after), &written);
        // SAFETY: the commands are being recorded.
        let ended = unsafe { self.queue.device().raw().end_command_buffer(handle) };
        answer("vkEndCommandBuffer", ended)?;
        self.parcel().uses.own = Some(handle);
        Ok(())
    }

    /// `handle`: the commands, which have begun.
    #[inline]
    fn barrier(
        &self,
        handle: vk::CommandBuffer,
        (before, after): (vk::PipelineStageFlags, vk::PipelineStageFlags),
        memory: &[vk::MemoryBarrier<'_>],
    ) {
        let flags = vk::DependencyFlags::empty();
        // SAFETY: the commands are being recorded, and a family that computes has these stages.
        unsafe {
            self.queue.device().raw().cmd_pipeline_barrier(
                handle,
                before,
                after,
                flags,
                memory,
                &[],
                &[],
            );
        }
    }
}

/// Begun anew, commands forget what was put into them.
impl Drop for Batch<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(parcel) = self.parcel.take() {
            self.queue.give_spare(parcel);
        }
    }
}

fn region(from: u64, to: u64, len: u64) -> vk::BufferCopy {
    vk::BufferCopy { src_offset: from, dst_offset: to, size: len }
}

/// Whether a part does not consist of whole words.
#[inline]
pub(crate) fn has_edges(part: &Range<u64>) -> bool {
    words_in(part) != *part
}

/// The whole words inside a part. Where there are none it lies at the end of the part, so that all of it is one edge.
fn words_in(part: &Range<u64>) -> Range<u64> {
    let (begin, end) = (part.start.next_multiple_of(4), part.end - part.end % 4);
    if begin < end { begin..end } else { part.end..part.end }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Batch({:?})", self.queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fill_is_whole_words_and_edges_that_the_table_has() {
        for start in 0..20 {
            for end in start..20 {
                let words = words_in(&(start..end));
                assert!(start <= words.start && words.end <= end, "{start}..{end}: {words:?}");
                assert!(words.is_empty() || (words.start % 4, words.end % 4) == (0, 0));
                let longest = (words.start - start).max(end - words.end);
                assert!(longest < EDGE as u64, "{start}..{end} has an edge of {longest}");
            }
        }
    }

    #[test]
    fn the_table_has_every_value() {
        let table = table();
        let edge = |value: u8| &table[usize::from(value) * EDGE..][..EDGE];
        assert!((0..=u8::MAX).all(|value| edge(value) == [value; EDGE]));
    }
}
