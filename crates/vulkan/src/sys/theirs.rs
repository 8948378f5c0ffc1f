//! Timeline semaphores of others: asked and waited for, and never signalled.

use std::fmt;
use std::time::Duration;

use ash::vk::{self, Handle};
use syncpoint_core::contract::Owner;

use super::code::{Answer, Refusal};
use super::instance::Instance;
use super::library::Library;
use super::semaphore::Timelines;

/// The raw handles of a timeline semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "what Vulkan knows a semaphore by, written by whoever has one"
)]
pub struct SemaphoreHandles {
    /// The `VkInstance`.
    pub instance: usize,
    /// The `VkDevice`.
    pub device: usize,
    /// The `VkSemaphore`.
    pub semaphore: u64,
}

/// A timeline semaphore of others, for as long as their owner lets it live.
pub(crate) struct TheirSemaphore {
    device: vk::Device,
    handle: vk::Semaphore,
    timelines: Timelines,
    _owner: Owner,
}

impl TheirSemaphore {
    /// Takes one in. `None`: its device has no timeline semaphores.
    ///
    /// # Safety
    ///
    /// - The handles are of Vulkan's, made through this library, and live for as long as the owner does.
    /// - The semaphore is a timeline semaphore of the device.
    pub(crate) unsafe fn given(
        library: &Library,
        handles: &SemaphoreHandles,
        owner: Owner,
    ) -> Option<Self> {
        // SAFETY: the caller's promise.
        let instance = unsafe { Instance::given(library, handles.instance) };
        let device = vk::Device::from_raw(handles.device as u64);
        let handle = vk::Semaphore::from_raw(handles.semaphore);
        let timelines = Timelines::of_others(&instance, device)?;
        Some(Self { device, handle, timelines, _owner: owner })
    }

    /// Asks where it is, with one call that does not block.
    pub(crate) fn look(&self) -> Answer<u64> {
        // SAFETY: both live with the owner, and the functions are the device's.
        let value = unsafe { self.timelines.look(self.device, self.handle) }?;
        // Nobody counts so far: drivers say so of lost devices.
        if value == u64::MAX { Err(Refusal::lost("vkGetSemaphoreCounterValue")) } else { Ok(value) }
    }

    /// Blocks until it has come to `value`, and no longer than a slice. May return early.
    pub(crate) fn wait(&self, value: u64, slice: Duration) -> Answer<bool> {
        // SAFETY: as above.
        unsafe { self.timelines.wait(self.device, (self.handle, value), slice) }
    }
}

impl fmt::Debug for TheirSemaphore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TheirSemaphore({:#x})", self.handle.as_raw())
    }
}
