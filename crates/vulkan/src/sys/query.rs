//! Queries: rooms of the device for one timestamp each.

use std::fmt;
use std::sync::Arc;

use ash::vk;

use super::code::{Answer, answer};
use super::device::Device;
use super::grave::Remains;
use crate::sync::{AtomicBool, Mutex, Ordering, lock};

/// A row of rooms for timestamps.
pub(crate) struct QueryPool {
    device: Device,
    handle: vk::QueryPool,
    /// The rooms that nobody has.
    free: Mutex<Vec<u32>>,
}

/// A room for one timestamp. It is free again once nobody has it: neither a timed point nor a submission.
pub(crate) struct Slot {
    pool: Arc<QueryPool>,
    index: u32,
    /// Whether a submission that writes it was made; before, the driver may not be asked.
    is_asked_for: AtomicBool,
}

/// How many rooms a row has: a page of times.
const ROOMS: u32 = 256;

impl QueryPool {
    /// A row of rooms.
    pub(crate) fn create(device: &Device) -> Answer<Arc<Self>> {
        let info = vk::QueryPoolCreateInfo::default()
            .query_type(vk::QueryType::TIMESTAMP)
            .query_count(ROOMS);
        // SAFETY: the device lives, and so does the structure.
        let made = unsafe { device.raw().create_query_pool(&info, None) };
        let handle = answer("vkCreateQueryPool", made)?;
        let free = Mutex::new((0..ROOMS).rev().collect());
        Ok(Arc::new(Self { device: device.clone(), handle, free }))
    }

    /// A room that nobody has, if there is one.
    pub(crate) fn lease(self: &Arc<Self>) -> Option<Slot> {
        let index = lock(&self.free).pop()?;
        Some(Slot { pool: Arc::clone(self), index, is_asked_for: AtomicBool::new(false) })
    }
}

impl Slot {
    pub(super) fn place(&self) -> (vk::QueryPool, u32) {
        (self.pool.handle, self.index)
    }

    pub(super) fn ask_for(&self) {
        // Relaxed: whoever reads the time saw its point complete.
        self.is_asked_for.store(true, Ordering::Relaxed);
    }

    /// The time that the device wrote; `None`: it has not yet.
    pub(crate) fn ticks(&self) -> Answer<Option<u64>> {
        // Relaxed: as above.
        if !self.is_asked_for.load(Ordering::Relaxed) {
            return Ok(None);
        }
        // The time, and whether it is there.
        let mut found = [[0_u64; 2]];
        let flags = vk::QueryResultFlags::TYPE_64 | vk::QueryResultFlags::WITH_AVAILABILITY;
        let (pool, device) = (&self.pool, self.pool.device.raw());
        // SAFETY: the pool has the room, which a submission was asked to write; the numbers have their place.
        let code =
            unsafe { device.get_query_pool_results(pool.handle, self.index, &mut found, flags) };
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
        lock(&self.pool.free).push(self.index);
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
        write!(formatter, "Slot({})", self.index)
    }
}
