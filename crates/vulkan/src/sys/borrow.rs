//! Borrowing: the door through which others give us a device and a queue of theirs.

use std::any::Any;

use ash::vk::{self, Handle};

use super::code::Answer;
use super::device::Device;
use super::instance::Instance;
use super::library::Library;
use super::queue::{Lock, Queue, QueueLock};

/// The raw handles of a device with one of its queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "what Vulkan knows a queue by, written by whoever has one"
)]
pub struct Handles {
    /// The `VkInstance`.
    pub instance: usize,
    /// The `VkPhysicalDevice`.
    pub physical_device: usize,
    /// The `VkDevice`.
    pub device: usize,
    /// The index of the queue's family.
    pub queue_family: u32,
    /// The `VkQueue`.
    pub queue: usize,
}

/// How a queue of others may be used.
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Access {
    /// Nobody else submits to it any more.
    Dedicated,
    /// Others do, and hold this lock meanwhile.
    Locked(Box<dyn QueueLock>),
}

/// A device of others with a queue of theirs. `None`: the device lacks what is needed.
///
/// # Safety
///
/// - The handles are of Vulkan's, made through this library, and live for as long as the owner does.
/// - The device was made with timeline semaphores, and the queue is of the family.
/// - Others use the queue as the access says.
pub(crate) unsafe fn device_of(
    library: &Library,
    handles: &Handles,
    access: Access,
    owner: Box<dyn Any + Send + Sync>,
) -> Answer<Option<(Device, Queue)>> {
    // SAFETY: the caller's promise.
    let instance = unsafe { Instance::given(library, handles.instance) };
    // SAFETY: the caller's promise.
    let physical = unsafe { instance.given_device(handles.physical_device, handles.queue_family) }?;
    let Some(physical) = physical else { return Ok(None) };
    let device = vk::Device::from_raw(handles.device as u64);
    // SAFETY: the caller's promise.
    let raw = unsafe { ash::Device::load(instance.raw().fp_v1_0(), device) };
    let device = Device::given(&instance, raw, &physical, owner)?;
    let queue = vk::Queue::from_raw(handles.queue as u64);
    let lock = match access {
        Access::Dedicated => Lock::Alone,
        Access::Locked(lock) => Lock::Others(lock),
    };
    let queue = Queue::over(&device, queue, lock)?;
    Ok(Some((device, queue)))
}
