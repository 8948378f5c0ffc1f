//! A timeline semaphore of theirs, which they signal from the host and by their queue.

use std::sync::Arc;

use ash::vk::{self, Handle};
use syncpoint::vulkan::SemaphoreHandles;

use super::Theirs;

/// A semaphore, and the program that it is of.
pub(crate) struct Signals {
    user: Arc<Theirs>,
    semaphore: vk::Semaphore,
}

impl Signals {
    /// A semaphore at zero.
    pub(crate) fn new(user: &Arc<Theirs>) -> Self {
        let mut kind =
            vk::SemaphoreTypeCreateInfo::default().semaphore_type(vk::SemaphoreType::TIMELINE);
        let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
        // SAFETY: the structures live.
        let semaphore = unsafe { user.device.create_semaphore(&info, None) }.unwrap();
        Self { user: Arc::clone(user), semaphore }
    }

    /// What the backend is given.
    pub(crate) fn handles(&self) -> SemaphoreHandles {
        let handles = self.user.handles();
        SemaphoreHandles {
            instance: handles.instance,
            device: handles.device,
            semaphore: self.semaphore.as_raw(),
        }
    }

    /// Raises it from the host.
    pub(crate) fn signal(&self, value: u64) {
        let info = vk::SemaphoreSignalInfo::default().semaphore(self.semaphore).value(value);
        // SAFETY: the semaphore lives, and nobody else raises it.
        unsafe { self.user.device.signal_semaphore(&info) }.unwrap();
    }

    /// Submits that their queue raises it.
    pub(crate) fn submit(&self, value: u64) {
        let (semaphores, values) = ([self.semaphore], [value]);
        let mut timeline =
            vk::TimelineSemaphoreSubmitInfo::default().signal_semaphore_values(&values);
        let info =
            [vk::SubmitInfo::default().signal_semaphores(&semaphores).push_next(&mut timeline)];
        let (device, queue) = (&self.user.device, self.user.queue());
        // SAFETY: nobody else submits, and the semaphore lives until the queue is idle.
        unsafe { device.queue_submit(queue, &info, vk::Fence::null()) }.unwrap();
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // SAFETY: nobody else submits.
        unsafe { self.user.device.device_wait_idle() }.unwrap();
        // SAFETY: no submission names it any more.
        unsafe { self.user.device.destroy_semaphore(self.semaphore, None) };
    }
}
