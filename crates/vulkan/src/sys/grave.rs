//! Where what was dropped is destroyed: on a thread of its own, because a drop calls no driver.

use std::fmt;
use std::sync::Arc;
use std::thread;

use ash::vk;
use syncpoint_base::Inside;
use syncpoint_core::contract::{Ours, discard};
use syncpoint_core::errands::{Errands, Sleep};

use super::device::{Device, Owner};

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
    /// What kept a device of others alive: its end is theirs.
    Owner(Owner),
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

fn serve(errands: &Errands<Remains>) {
    let _ours = Ours::begin();
    while let Some(given) = errands.take(Sleep::UntilGiven) {
        for remains in given {
            let _inside = Inside::enter().unwrap_or_else(|| rest());
            remains.end();
        }
    }
}

/// The process comes to its end, and the driver with it: nothing more is begun.
pub(crate) fn rest() -> ! {
    loop {
        thread::park();
    }
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
            Self::Owner(owner) => discard(owner),
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
