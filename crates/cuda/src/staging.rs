//! Staging: how bytes of the host come to a device and back, a part at a time.

use std::sync::Arc;

use syncpoint_core::Result;

use crate::context::Context;
use crate::reaper::Remains;
use crate::sync::lock;
use crate::sys::{Event, Memory, Refusal, Room, Timing};

/// A room that the device reaches, and the event that tells when it is done with it.
#[derive(Debug)]
pub(crate) struct Staging {
    room: Room,
    event: Event,
}

/// How long a room is: long enough that the device's own speed counts, short beside what a host has pinned.
const BYTES: usize = 1 << 20;

/// How many are kept for the next: as many threads copy at once without making one.
const KEPT: usize = 4;

impl Staging {
    /// Ends it. On the reaper.
    pub(crate) fn end(self) -> Result<(), Refusal> {
        let (freed, destroyed) = (self.room.free(), self.event.destroy());
        freed.and(destroyed)
    }

    /// Copies memory of the device to the host. Waits on this thread for the device.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn read(
        context: &Arc<Context>,
        memory: &Memory,
        offset: u64,
        bytes: &mut [u8],
    ) -> Result<()> {
        let mut offset = offset;
        for chunk in bytes.chunks_mut(BYTES) {
            let part = memory.part(offset, chunk.len() as u64);
            Self::through(context, |room, event| {
                part.read(chunk, room, (context.transfers(), event))
            })?;
            offset += chunk.len() as u64;
        }
        Ok(())
    }

    /// Copies bytes of the host to memory of the device. Waits on this thread for the device.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn write(
        context: &Arc<Context>,
        memory: &Memory,
        offset: u64,
        bytes: &[u8],
    ) -> Result<()> {
        let mut offset = offset;
        for chunk in bytes.chunks(BYTES) {
            let part = memory.part(offset, chunk.len() as u64);
            Self::through(context, |room, event| {
                part.write(chunk, room, (context.transfers(), event))
            })?;
            offset += chunk.len() as u64;
        }
        Ok(())
    }

    /// Lends a room and an event to a copy. A room that does not come back is left to the device.
    fn through(
        context: &Arc<Context>,
        copy: impl FnOnce(&mut Option<Room>, &Event) -> Result<(), Refusal>,
    ) -> Result<()> {
        context.check()?;
        let free = lock(context.stagings()).pop();
        let Self { room, event } = free.map_or_else(|| Self::new(context), Ok)?;
        let mut room = Some(room);
        let copied = copy(&mut room, &event);
        match room {
            Some(room) => Self { room, event }.put_back(context),
            None => context.reap(Remains::Event(event)),
        }
        copied.map_err(|refusal| context.refused(&refusal))
    }

    fn new(context: &Arc<Context>) -> Result<Self> {
        let event = Event::create(context.primary(), Timing::Untimed);
        let event = event.map_err(|refusal| context.refused(&refusal))?;
        Ok(Self { room: Room::new(context.primary(), BYTES), event })
    }

    fn put_back(self, context: &Context) {
        let mut kept = lock(context.stagings());
        if kept.len() < KEPT {
            kept.push(self);
            return;
        }
        drop(kept);
        context.reap(Remains::Staging(self));
    }
}
