//! Where what was dropped is destroyed: on a thread of its own, because a drop calls no driver.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ash::vk;
use syncpoint_base::Inside;
use syncpoint_core::errands::{Errands, Sleep};

use super::device::Device;

/// The list of what is to be destroyed.
#[derive(Clone)]
pub(crate) struct Graveyard(Arc<Errands<Remains>>);

/// What is left of something that was dropped. Nobody has a name of it, and the device is through with it.
pub(super) enum Remains {
    Semaphore(Device, vk::Semaphore),
    Memory(Device, vk::Buffer, vk::DeviceMemory),
    Queries(Device, vk::QueryPool),
    Commands(Device, vk::CommandPool),
    /// The last of a device.
    Device(Box<ash::Device>),
}

impl Graveyard {
    /// A list that a thread serves while there is something on it.
    pub(crate) fn new() -> Self {
        Self(Errands::new("syncpoint-reap"))
    }

    pub(super) fn bury(&self, remains: Remains) {
        self.0.give(remains, serve);
    }
}

/// How long a semaphore rests before it is destroyed. A driver with a thread of its own may touch it after the last
/// submission that names it is over: Mesa's emulated timelines (seen with lavapipe 22.3) give back what a submission
/// waited for once its signal can be seen. Nobody tells when; such a thread is late by as long as it waits for a core.
const REST: Duration = Duration::from_secs(1);

/// Semaphores that rest, each with the end of that, the next first.
type Resting = VecDeque<(Instant, Remains)>;

fn serve(errands: &Errands<Remains>) {
    let mut resting = Resting::new();
    while let Some(given) = errands.take(Sleep::until(resting.front().map(|(end, _)| *end))) {
        let end = Instant::now() + REST;
        for remains in given {
            match remains {
                Remains::Semaphore(..) => resting.push_back((end, remains)),
                remains => destroy(remains),
            }
        }
        while resting.front().is_some_and(|(end, _)| *end <= Instant::now()) {
            resting.pop_front().into_iter().for_each(|(_, rested)| destroy(rested));
        }
    }
}

fn destroy(remains: Remains) {
    let _inside = Inside::enter_or_rest();
    remains.end();
}

impl Remains {
    fn end(self) {
        match self {
            Self::Semaphore(device, semaphore) => {
                // SAFETY: its owner is gone, and every submission that named it is over.
                unsafe { device.raw().destroy_semaphore(semaphore, None) };
            }
            Self::Memory(device, buffer, memory) => {
                // SAFETY: as above.
                unsafe { device.raw().destroy_buffer(buffer, None) };
                // SAFETY: as above, and nothing is bound to it any more. It is unmapped with this.
                unsafe { device.raw().free_memory(memory, None) };
            }
            Self::Queries(device, pool) => {
                // SAFETY: as above.
                unsafe { device.raw().destroy_query_pool(pool, None) };
            }
            Self::Commands(device, pool) => {
                // SAFETY: as above; its command buffers go with it.
                unsafe { device.raw().destroy_command_pool(pool, None) };
            }
            Self::Device(device) => {
                // SAFETY: everything that was made of it held a name of it until it was destroyed.
                unsafe { device.destroy_device(None) };
            }
        }
    }
}

impl fmt::Debug for Graveyard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Graveyard")
    }
}
