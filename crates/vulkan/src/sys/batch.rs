//! A batch: what is submitted at a time, with what it waits for and what it keeps.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ash::vk::{self, Handle};

use super::code::{Answer, Refusal, answer};
use super::device::Device;
use super::memory::Memory;
use super::query::Slot;
use super::queue::{Commands, Queue};
use super::semaphore::Semaphore;

/// What a submission keeps until it is over.
pub(super) type Kept = Arc<dyn Any + Send + Sync>;

/// A batch that is being put together. It begins commands at the first need: a wait or a mark has none.
pub(crate) struct Batch<'a> {
    queue: &'a mut Queue,
    /// Commands that lie ready.
    spare: Option<Commands>,
    commands: Option<Commands>,
    uses: Uses,
}

/// What a submission names, and keeps until it is over. In place: every submission has one.
#[derive(Default)]
pub(super) struct Uses {
    /// What it waits for: its stream's submission before, what its user submitted since, and another stream's.
    pub(super) waits: [Option<(Arc<Semaphore>, u64)>; WAITS],
    /// What its one operation works on.
    kept: [Option<Kept>; 2],
    /// Commands of others', instead of our own.
    pub(super) others: Vec<vk::CommandBuffer>,
}

/// For how much a submission waits at most.
pub(super) const WAITS: usize = 3;

impl Uses {
    fn wait(&mut self, semaphore: &Arc<Semaphore>, value: u64) -> Answer<()> {
        let free = self.waits.iter_mut().find(|wait| wait.is_none());
        *free.ok_or_else(|| Refusal::misuse("vkQueueSubmit"))? =
            Some((Arc::clone(semaphore), value));
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
    pub(super) fn new(queue: &'a mut Queue, spare: Option<Commands>) -> Self {
        Self { queue, spare, commands: None, uses: Uses::default() }
    }

    /// What was put together, with the queue that it is for.
    pub(super) fn apart(self) -> (&'a mut Queue, Option<Commands>, Uses) {
        (self.queue, self.commands, self.uses)
    }

    /// The batch begins when the semaphore has come to a value, which is on its way to it. Three at most.
    pub(crate) fn wait(&mut self, semaphore: &Arc<Semaphore>, value: u64) -> Answer<()> {
        self.uses.wait(semaphore, value)
    }

    /// The batch runs commands that others recorded.
    ///
    /// # Safety
    ///
    /// - They are command buffers of this device and the queue's family, recorded and not on their way.
    /// - They and all that they name live until the batch is over.
    pub(crate) unsafe fn others(&mut self, commands: &[usize]) {
        let commands = commands.iter().map(|raw| vk::CommandBuffer::from_raw(*raw as u64));
        self.uses.others.extend(commands);
    }

    /// A batch has one operation: what it works on.
    fn keep(&mut self, first: Kept, second: Option<Kept>) -> Answer<()> {
        if self.uses.kept.iter().any(Option::is_some) {
            return Err(Refusal::misuse("vkBeginCommandBuffer"));
        }
        self.uses.kept = [Some(first), second];
        Ok(())
    }

    /// Fills part of a buffer. `edges` has the table of edges.
    ///
    /// The device fills whole words; the bytes before the first and behind the last are copied.
    pub(crate) fn fill(
        &mut self,
        target: &Arc<Memory>,
        part: Range<u64>,
        value: u8,
        edges: &Arc<Memory>,
    ) -> Answer<()> {
        if !target.holds(&part) {
            return Err(Refusal::misuse("vkCmdFillBuffer"));
        }
        self.keep(as_kept(target), Some(as_kept(edges)))?;
        let words = words_in(&part);
        let commands = self.begin()?;
        let raw = self.queue.device().raw();
        if !words.is_empty() {
            let word = u32::from_ne_bytes([value; 4]);
            let len = words.end - words.start;
            // SAFETY: the commands are being recorded; the part lies inside the buffer and is of whole words.
            unsafe { raw.cmd_fill_buffer(commands, target.buffer(), words.start, len, word) };
        }
        let edge_of = |edge: Range<u64>| {
            region(u64::from(value) * EDGE as u64, edge.start, edge.end - edge.start)
        };
        let both = [part.start..words.start, words.end..part.end].map(edge_of);
        // Before and behind the words: none, either or both.
        let regions = match both.map(|edge| edge.size > 0) {
            [true, true] => &both[..],
            [true, false] => &both[..1],
            [false, true] => &both[1..],
            [false, false] => &[],
        };
        if !regions.is_empty() {
            // SAFETY: as above; the table has so many bytes of each value, and no buffer is both.
            unsafe { raw.cmd_copy_buffer(commands, edges.buffer(), target.buffer(), regions) };
        }
        Ok(())
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
        self.keep(as_kept(source), Some(as_kept(target)))?;
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
        self.keep(as_kept(slot), None)?;
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
    fn begin(&mut self) -> Answer<vk::CommandBuffer> {
        if let Some(commands) = &self.commands {
            return Ok(commands.handle());
        }
        let commands = match self.spare.take() {
            Some(spare) => spare,
            None => self.queue.commands()?,
        };
        let handle = commands.handle();
        let info = vk::CommandBufferBeginInfo::default()
            .flags(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT);
        let raw = self.queue.device().raw();
        // SAFETY: nobody else has the commands, they are on no queue, and their pool is this queue's, which is borrowed
        // alone.
        answer("vkBeginCommandBuffer", unsafe { raw.begin_command_buffer(handle, &info) })?;
        self.commands = Some(commands);
        let seen = [vk::MemoryBarrier::default()
            .dst_access_mask(vk::AccessFlags::TRANSFER_READ | vk::AccessFlags::TRANSFER_WRITE)];
        // Top of pipe: it waits for nothing of the queue's other streams.
        self.barrier(vk::PipelineStageFlags::TOP_OF_PIPE, vk::PipelineStageFlags::TRANSFER, &seen);
        Ok(handle)
    }

    /// Ends the commands, if there are any: what they wrote can be read by the host.
    pub(super) fn finish(&mut self) -> Answer<()> {
        let Some(handle) = self.commands.as_ref().map(Commands::handle) else { return Ok(()) };
        let written = [vk::MemoryBarrier::default()
            .src_access_mask(vk::AccessFlags::TRANSFER_WRITE)
            .dst_access_mask(vk::AccessFlags::HOST_READ)];
        self.barrier(vk::PipelineStageFlags::TRANSFER, vk::PipelineStageFlags::HOST, &written);
        // SAFETY: the commands are being recorded.
        let ended = unsafe { self.queue.device().raw().end_command_buffer(handle) };
        answer("vkEndCommandBuffer", ended)
    }

    fn barrier(
        &self,
        before: vk::PipelineStageFlags,
        after: vk::PipelineStageFlags,
        memory: &[vk::MemoryBarrier<'_>],
    ) {
        let Some(handle) = self.commands.as_ref().map(Commands::handle) else { return };
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

fn as_kept<T: Any + Send + Sync>(object: &Arc<T>) -> Kept {
    let kept: Arc<T> = Arc::clone(object);
    kept
}

fn region(from: u64, to: u64, len: u64) -> vk::BufferCopy {
    vk::BufferCopy { src_offset: from, dst_offset: to, size: len }
}

/// The whole words inside a part. Where there are none it lies at the end of the part, so that all of it is one edge.
fn words_in(part: &Range<u64>) -> Range<u64> {
    let (begin, end) = (part.start.next_multiple_of(4), part.end - part.end % 4);
    if begin < end { begin..end } else { part.end..part.end }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Batch({} waits)", self.uses.waits.iter().flatten().count())
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
