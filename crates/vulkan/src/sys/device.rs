//! The device of ours: made with one queue, shared by everything that was made of it, destroyed after all of that.

use std::fmt;
use std::sync::Arc;

use ash::vk;
use syncpoint_base::Process;

use super::code::{Answer, Refusal, answer};
use super::grave::{Graveyard, Remains};
use super::instance::{Door, Instance, Physical};
use super::semaphore::Timelines;

/// A device, for as long as anything of it lives.
#[derive(Clone)]
pub(crate) struct Device(Arc<Inner>);

struct Inner {
    /// There until the drop.
    raw: Option<ash::Device>,
    timelines: Timelines,
    physical: Physical,
    grave: Graveyard,
    /// The process that made it: a child destroys nothing.
    process: Process,
}

impl Device {
    /// Makes a device with one queue.
    pub(crate) fn create(
        instance: &Instance,
        physical: &Physical,
        grave: &Graveyard,
    ) -> Answer<Self> {
        let raw = make(instance, physical)?;
        let Some(timelines) = Timelines::find(instance, &raw, physical.door) else {
            // SAFETY: nothing was made of it.
            unsafe { raw.destroy_device(None) };
            return Err(Refusal::new("vkGetDeviceProcAddr", vk::Result::ERROR_FEATURE_NOT_PRESENT));
        };
        Ok(Self(Arc::new(Inner {
            raw: Some(raw),
            timelines,
            physical: physical.clone(),
            grave: grave.clone(),
            process: Process::current(),
        })))
    }

    pub(super) fn raw(&self) -> &ash::Device {
        self.0.raw.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    pub(super) fn timelines(&self) -> &Timelines {
        &self.0.timelines
    }

    pub(crate) fn physical(&self) -> &Physical {
        &self.0.physical
    }

    /// Has something destroyed that nobody has any more.
    pub(super) fn bury(&self, remains: Remains) {
        if self.0.process.is_current() {
            self.0.grave.bury(remains);
        } else {
            let _parents = std::mem::ManuallyDrop::new(remains);
        }
    }

    /// Waits until the device does nothing any more. A lost one says so at once.
    pub(crate) fn settle(&self) -> Answer<()> {
        // SAFETY: called where the device is lost and nobody submits.
        answer("vkDeviceWaitIdle", unsafe { self.raw().device_wait_idle() })
    }
}

fn make(instance: &Instance, physical: &Physical) -> Answer<ash::Device> {
    let priorities = [1.0];
    let queues = [vk::DeviceQueueCreateInfo::default()
        .queue_family_index(physical.family)
        .queue_priorities(&priorities)];
    let mut feature =
        vk::PhysicalDeviceTimelineSemaphoreFeatures::default().timeline_semaphore(true);
    let mut extensions = Vec::new();
    if physical.door == Door::Extension {
        extensions.push(vk::KHR_TIMELINE_SEMAPHORE_NAME.as_ptr());
    }
    if physical.is_portable {
        extensions.push(vk::KHR_PORTABILITY_SUBSET_NAME.as_ptr());
    }
    let info = vk::DeviceCreateInfo::default()
        .queue_create_infos(&queues)
        .enabled_extension_names(&extensions)
        .push_next(&mut feature);
    // SAFETY: the physical device is of the instance, and what the structures point to lives until the call returns.
    let made = unsafe { instance.raw().create_device(physical.handle, &info, None) };
    answer("vkCreateDevice", made)
}

/// Nothing of it lives any more.
impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(raw) = self.raw.take().filter(|_| self.process.is_current()) {
            self.grave.bury(Remains::Device(Box::new(raw)));
        }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Device({})", self.0.physical.name())
    }
}
