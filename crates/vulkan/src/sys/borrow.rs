//! Borrowing: the door through which others give us a device and a queue of theirs.

use ash::vk::{self, Handle};
use syncpoint_core::contract::Owner;

use super::code::Answer;
use super::device::Device;
use super::instance::{Instance, Lack};
use super::library::Library;
use super::lock::{Lock, QueueLock};
use super::queue::Queue;

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

/// A device of others with a queue of theirs, or what the device lacks.
///
/// # Safety
///
/// - The handles are of Vulkan's, made through this library, and live for as long as the owner does.
/// - The device was made with timeline semaphores, and the queue is of the family.
/// - Others use the queue as the lock says.
pub(crate) unsafe fn device_of(
    library: &Library,
    handles: &Handles,
    lock: Lock,
    owner: Owner,
) -> Answer<Result<(Device, Queue), Lack>> {
    // SAFETY: the caller's promise.
    let instance = unsafe { Instance::given(library, handles.instance) };
    // SAFETY: the caller's promise.
    let physical = unsafe { instance.given_device(handles.physical_device, handles.queue_family) }?;
    let physical = match physical {
        Ok(physical) => physical,
        Err(lack) => return Ok(Err(lack)),
    };
    let device = vk::Device::from_raw(handles.device as u64);
    // SAFETY: the caller's promise.
    let raw = unsafe { ash::Device::load(instance.raw().fp_v1_0(), device) };
    let device = match Device::given(&instance, raw, &physical, owner) {
        Ok(device) => device,
        Err(lack) => return Ok(Err(lack)),
    };
    let queue = vk::Queue::from_raw(handles.queue as u64);
    let queue = Queue::over(&device, queue, lock)?;
    Ok(Ok((device, queue)))
}
