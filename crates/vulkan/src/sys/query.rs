//! Queries: rooms of the device for one timestamp each.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Instant;

use ash::vk;

use super::code::{Answer, answer};
use super::device::Device;
use super::grave::Remains;
use crate::rounds::Seen;
use crate::sync::{Mutex, OnceLock, lock};

/// The rooms of a device that nobody has.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    /// A leaf. One list for all pools, so that a room is found at once, however many points have times.
    free: Mutex<Vec<Room>>,
}

/// One room of a pool, which is there for as long as one of its rooms.
#[derive(Debug)]
struct Room {
    pool: Arc<QueryPool>,
    index: u32,
}

/// A row of rooms for timestamps.
struct QueryPool {
    device: Device,
    handle: vk::QueryPool,
}

/// A room for one timestamp. It is free again once nobody has it: neither a timed point nor a submission.
pub(crate) struct Slot {
    /// There until the drop.
    room: Option<Room>,
    rooms: Arc<Rooms>,
    /// When a submission that writes it was made; before, the driver may not be asked.
    given: OnceLock<Instant>,
    /// When that was noticed to be over.
    noticed: OnceLock<Instant>,
}

/// How many rooms a row has: a page of times.
const ROOMS: u32 = 256;

impl Rooms {
    /// A room that nobody has, if there is one.
    pub(crate) fn lease(self: &Arc<Self>) -> Option<Slot> {
        lock(&self.free).pop().map(|room| self.lend(room))
    }

    /// A room of a new row.
    pub(crate) fn build(self: &Arc<Self>, device: &Device) -> Answer<Slot> {
        let pool = QueryPool::create(device)?;
        let first = Room { pool: Arc::clone(&pool), index: 0 };
        let others = (1..ROOMS).rev().map(|index| Room { pool: Arc::clone(&pool), index });
        lock(&self.free).extend(others);
        Ok(self.lend(first))
    }

    fn lend(self: &Arc<Self>, room: Room) -> Slot {
        let rooms = Arc::clone(self);
        Slot { room: Some(room), rooms, given: OnceLock::new(), noticed: OnceLock::new() }
    }
}

impl QueryPool {
    fn create(device: &Device) -> Answer<Arc<Self>> {
        let info = vk::QueryPoolCreateInfo::default()
            .query_type(vk::QueryType::TIMESTAMP)
            .query_count(ROOMS);
        // SAFETY: the device lives, and so does the structure.
        let made = unsafe { device.raw().create_query_pool(&info, None) };
        let handle = answer("vkCreateQueryPool", made)?;
        Ok(Arc::new(Self { device: device.clone(), handle }))
    }
}

impl Slot {
    fn room(&self) -> &Room {
        self.room.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    pub(super) fn place(&self) -> (vk::QueryPool, u32) {
        (self.room().pool.handle, self.room().index)
    }

    pub(super) fn ask_for(&self) {
        let _the_first = self.given.set(Instant::now());
    }

    pub(super) fn note(&self) {
        let _the_first = self.noticed.set(Instant::now());
    }

    /// What the host saw of the time that the device wrote; `None`: it was not asked for.
    pub(crate) fn seen(&self) -> Option<Seen> {
        let given = *self.given.get()?;
        // Who reads the time may come before who takes its submission off the queue.
        Some(Seen { given, noticed: *self.noticed.get_or_init(Instant::now) })
    }

    /// The time that the device wrote; `None`: it has not yet.
    pub(crate) fn ticks(&self) -> Answer<Option<u64>> {
        if self.given.get().is_none() {
            return Ok(None);
        }
        // The time, and whether it is there.
        let mut found = [[0_u64; 2]];
        let flags = vk::QueryResultFlags::TYPE_64 | vk::QueryResultFlags::WITH_AVAILABILITY;
        let ((pool, index), device) = (self.place(), self.room().pool.device.raw());
        // SAFETY: the pool has the room, which a submission was asked to write; the numbers have their place.
        let code = unsafe { device.get_query_pool_results(pool, index, &mut found, flags) };
        let [[ticks, is_there]] = found;
        match code {
            Err(vk::Result::NOT_READY) => Ok(None),
            code => {
                answer("vkGetQueryPoolResults", code).map(|()| (is_there != 0).then_some(ticks))
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(room) = self.room.take() else { return };
        if room.pool.device.is_inherited() {
            // A thread of the parent may hold the lock.
            let _parents = ManuallyDrop::new(room);
        } else {
            lock(&self.rooms.free).push(room);
        }
    }
}

impl Drop for QueryPool {
    fn drop(&mut self) {
        self.device.bury(Remains::Queries(self.device.clone(), self.handle));
    }
}

impl fmt::Debug for QueryPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("QueryPool")
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Slot({:?})", self.room)
    }
}
