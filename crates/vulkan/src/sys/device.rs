//! Devices: made here with queues of one family, or taken in; shared by all that was made of them, and ended after all of that.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use ash::vk::{self, Handle};
use syncpoint_base::Process;
use syncpoint_core::contract::Owner;

use super::clocks::{Both, Clocks};
use super::code::{Answer, Refusal, answer};
use super::grave::{Graveyard, Remains};
use super::instance::{Door, Instance, Lack, Physical};
use super::semaphore::Timelines;

/// A device, for as long as anything of it lives.
#[derive(Clone)]
pub(crate) struct Device(Arc<Inner>);

struct Inner {
    /// There until the drop.
    raw: Option<ash::Device>,
    /// What keeps a device of others alive, which is not ended here.
    owner: Option<Owner>,
    instance: vk::Instance,
    timelines: Timelines,
    /// There where two clocks are read at once.
    clocks: Option<Clocks>,
    physical: Physical,
    grave: Graveyard,
    /// The process that made it: a child destroys nothing.
    process: Process,
}

impl Device {
    /// Makes a device with queues of one family.
    pub(crate) fn create(
        instance: &Instance,
        physical: &Physical,
        grave: &Graveyard,
    ) -> Answer<Self> {
        let raw = make(instance, physical)?;
        let Some(timelines) = Timelines::find(instance, raw.handle(), physical.door) else {
            // SAFETY: nothing was made of it.
            unsafe { raw.destroy_device(None) };
            return Err(lacking());
        };
        let clocks = physical.clocks.and_then(|name| Clocks::find(instance, raw.handle(), name));
        Ok(Self::over(instance, (raw, timelines, clocks), physical, grave, None))
    }

    /// A device of others, with what keeps it alive, or what it lacks.
    pub(super) fn given(
        instance: &Instance,
        raw: ash::Device,
        physical: &Physical,
        owner: Owner,
    ) -> Result<Self, Lack> {
        let timelines = Timelines::of_others(instance, raw.handle());
        let timelines = timelines.ok_or_else(|| WITHOUT_TIMELINES.to_owned())?;
        // Where the device of the machine reads both.
        let clocks = physical.clocks.and_then(|_name| Clocks::of_others(instance, raw.handle()));
        let grave = Graveyard::new();
        Ok(Self::over(instance, (raw, timelines, clocks), physical, &grave, Some(owner)))
    }

    fn over(
        instance: &Instance,
        (raw, timelines, clocks): (ash::Device, Timelines, Option<Clocks>),
        physical: &Physical,
        grave: &Graveyard,
        owner: Option<Owner>,
    ) -> Self {
        Self(Arc::new(Inner {
            raw: Some(raw),
            owner,
            instance: instance.raw().handle(),
            timelines,
            clocks,
            physical: physical.clone(),
            grave: grave.clone(),
            process: Process::current(),
        }))
    }

    /// The raw handles: the instance, the device of the machine and this one.
    pub(crate) fn raw_handles(&self) -> [usize; 3] {
        let (machine, device) = (self.0.physical.handle, self.raw().handle());
        [self.0.instance.as_raw(), machine.as_raw(), device.as_raw()].map(address)
    }

    pub(super) fn raw(&self) -> &ash::Device {
        self.0.raw.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    pub(super) fn timelines(&self) -> &Timelines {
        &self.0.timelines
    }

    /// The device's clock and the host's, read at once; `None`: the driver does not.
    pub(crate) fn clocks(&self) -> Option<Answer<Both>> {
        let clocks = self.0.clocks.as_ref()?;
        // SAFETY: the function is this device's, which was made with the extension.
        Some(unsafe { clocks.read(self.raw().handle()) })
    }

    /// Whether the driver has what reads both clocks.
    pub(crate) fn reads_clocks(&self) -> bool {
        self.0.clocks.is_some()
    }

    pub(crate) fn physical(&self) -> &Physical {
        &self.0.physical
    }

    /// Has something destroyed that nobody has any more.
    pub(super) fn bury(&self, remains: Remains) {
        if self.is_inherited() {
            let _parents = ManuallyDrop::new(remains);
        } else {
            self.0.grave.bury(remains);
        }
    }

    /// Whether this is a child of the process that made it: its locks may be held by threads of the parent.
    pub(super) fn is_inherited(&self) -> bool {
        !self.0.process.is_current()
    }
}

/// What a device of others lacks that was made without timeline semaphores.
const WITHOUT_TIMELINES: &str = "it was made without timeline semaphores, which are of Vulkan 1.2 \
    (VkApplicationInfo::apiVersion) or of VK_KHR_timeline_semaphore";

/// The driver has no functions of what it says it has.
#[cold]
fn lacking() -> Refusal {
    Refusal::new("vkGetDeviceProcAddr", vk::Result::ERROR_FEATURE_NOT_PRESENT)
}

/// A handle as a word.
pub(super) fn address(raw: u64) -> usize {
    usize::try_from(raw).unwrap_or_else(|_| unreachable!("handles like these are pointers"))
}

fn make(instance: &Instance, physical: &Physical) -> Answer<ash::Device> {
    let priorities = vec![1.0; physical.queues() as usize];
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
    extensions.extend(physical.clocks.map(|name| name.extension().as_ptr()));
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
        let (raw, owner) = (self.raw.take(), self.owner.take());
        if !self.process.is_current() {
            let _parents = ManuallyDrop::new((raw, owner));
            return;
        }
        match (raw, owner) {
            // Its end is theirs.
            (_, Some(owner)) => drop(owner),
            (Some(raw), None) => self.grave.bury(Remains::Device(Box::new(raw))),
            (None, None) => {}
        }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Device({})", self.0.physical.name())
    }
}
