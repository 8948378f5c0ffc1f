//! The instance: what devices there are, and which of them have what is needed here.

use std::ffi::CStr;
use std::fmt;

use ash::vk::{self, Handle};

use super::code::{Answer, answer};
use super::library::Library;

/// The instance of this process: made once, and never destroyed.
pub(crate) struct Instance {
    raw: ash::Instance,
}

/// A device of the machine that has timeline semaphores.
#[derive(Clone)]
pub(crate) struct Physical {
    pub(super) handle: vk::PhysicalDevice,
    pub(super) door: Door,
    pub(super) memory: vk::PhysicalDeviceMemoryProperties,
    /// Whether the driver asks to be told that it lacks part of Vulkan.
    pub(super) is_portable: bool,
    name: String,
    /// The family of the queue that is used.
    pub(super) family: u32,
    timing: Timing,
    difference: u64,
}

/// How a device is asked for timeline semaphores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Vulkan 1.2 has them.
    Core,
    /// The extension has them.
    Extension,
}

/// What the timestamps of a queue are worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timing {
    /// How many bits count; none: there are no timestamps.
    pub(crate) bits: u32,
    /// Nanoseconds for each step.
    pub(crate) period: f32,
}

/// What a device lacks, in words.
pub(crate) type Lack = String;

impl Instance {
    /// Makes the instance.
    pub(crate) fn create(library: &Library) -> Answer<Self> {
        let portability = has_portability(library)?;
        let application = vk::ApplicationInfo::default()
            .engine_name(c"syncpoint")
            .api_version(vk::API_VERSION_1_2);
        let names = [vk::KHR_PORTABILITY_ENUMERATION_NAME.as_ptr()];
        let mut info = vk::InstanceCreateInfo::default().application_info(&application);
        if portability {
            info = info
                .flags(vk::InstanceCreateFlags::ENUMERATE_PORTABILITY_KHR)
                .enabled_extension_names(&names);
        }
        // SAFETY: what the structure points to lives until the call returns.
        let made = unsafe { library.entry().create_instance(&info, None) };
        answer("vkCreateInstance", made).map(|raw| Self { raw })
    }

    pub(super) fn raw(&self) -> &ash::Instance {
        &self.raw
    }

    /// An instance of others, made through the same library.
    ///
    /// # Safety
    ///
    /// - It is one, and lives for as long as anything that is found through it is used.
    pub(super) unsafe fn given(library: &Library, handle: usize) -> Self {
        let handle = vk::Instance::from_raw(handle as u64);
        // SAFETY: the caller's promise.
        Self { raw: unsafe { ash::Instance::load(library.entry().static_fn(), handle) } }
    }

    /// What a device of the machine has, where it has what is needed and this family's queues are to be used.
    ///
    /// # Safety
    ///
    /// - The device is one of this instance's.
    pub(super) unsafe fn given_device(
        &self,
        handle: usize,
        family: u32,
    ) -> Answer<Option<Physical>> {
        let handle = vk::PhysicalDevice::from_raw(handle as u64);
        let Ok(mut physical) = self.look_at(handle)? else { return Ok(None) };
        // SAFETY: the caller's promise.
        let families = unsafe { self.raw.get_physical_device_queue_family_properties(handle) };
        let index = usize::try_from(family).unwrap_or(usize::MAX);
        let Some(known) = families.get(index) else { return Ok(None) };
        physical.family = family;
        physical.timing.bits = known.timestamp_valid_bits;
        Ok(Some(physical))
    }

    /// The devices, in the order of the loader's; of each that cannot be used what it lacks.
    pub(crate) fn devices(&self) -> Answer<Vec<Result<Physical, Lack>>> {
        // SAFETY: the instance lives.
        let found = unsafe { self.raw.enumerate_physical_devices() };
        let found = answer("vkEnumeratePhysicalDevices", found)?;
        found.into_iter().map(|handle| self.look_at(handle)).collect()
    }

    fn look_at(&self, handle: vk::PhysicalDevice) -> Answer<Result<Physical, Lack>> {
        // SAFETY: the device is of this instance.
        let properties = unsafe { self.raw.get_physical_device_properties(handle) };
        let name = properties.device_name_as_c_str().unwrap_or(c"unnamed");
        let name = name.to_string_lossy().into_owned();
        if properties.api_version < vk::API_VERSION_1_1 {
            return Ok(Err(format!("{name} has Vulkan 1.0, and 1.1 is needed")));
        }
        // SAFETY: as above.
        let extensions = unsafe { self.raw.enumerate_device_extension_properties(handle) };
        let extensions = answer("vkEnumerateDeviceExtensionProperties", extensions)?;
        let has = |name: &CStr| {
            extensions.iter().any(|known| known.extension_name_as_c_str() == Ok(name))
        };
        let door = if properties.api_version >= vk::API_VERSION_1_2 {
            Door::Core
        } else if has(vk::KHR_TIMELINE_SEMAPHORE_NAME) {
            Door::Extension
        } else {
            return Ok(Err(format!("{name} has no timeline semaphores")));
        };
        let Some(difference) = self.difference(handle) else {
            return Ok(Err(format!("{name} has no timeline semaphores")));
        };
        let Some((family, bits)) = self.family(handle) else {
            return Ok(Err(format!("{name} has no queue that copies")));
        };
        // SAFETY: as above.
        let memory = unsafe { self.raw.get_physical_device_memory_properties(handle) };
        let timing = Timing { bits, period: properties.limits.timestamp_period };
        let is_portable = has(vk::KHR_PORTABILITY_SUBSET_NAME);
        Ok(Ok(Physical { handle, door, memory, is_portable, name, family, timing, difference }))
    }

    /// By how much the values of one semaphore may differ at a time; `None` where there are no timeline semaphores.
    fn difference(&self, handle: vk::PhysicalDevice) -> Option<u64> {
        let mut feature = vk::PhysicalDeviceTimelineSemaphoreFeatures::default();
        let mut features = vk::PhysicalDeviceFeatures2::default().push_next(&mut feature);
        // SAFETY: the device has Vulkan 1.1, and the structures live.
        unsafe { self.raw.get_physical_device_features2(handle, &mut features) };
        if feature.timeline_semaphore == vk::FALSE {
            return None;
        }
        let mut property = vk::PhysicalDeviceTimelineSemaphoreProperties::default();
        let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut property);
        // SAFETY: as above.
        unsafe { self.raw.get_physical_device_properties2(handle, &mut properties) };
        Some(property.max_timeline_semaphore_value_difference)
    }

    /// The family of queues that is used, with the bits of its timestamps: the first that computes, for such a queue
    /// copies as well, and one with timestamps before one without.
    fn family(&self, handle: vk::PhysicalDevice) -> Option<(u32, u32)> {
        // SAFETY: the device is of this instance.
        let families = unsafe { self.raw.get_physical_device_queue_family_properties(handle) };
        let computes = families.iter().zip(0..).filter(|(family, _)| {
            family.queue_count > 0 && family.queue_flags.contains(vk::QueueFlags::COMPUTE)
        });
        let bits = |family: &vk::QueueFamilyProperties| family.timestamp_valid_bits;
        let mut found = computes.map(|(family, index)| (index, bits(family))).collect::<Vec<_>>();
        found.sort_by_key(|(index, bits)| (*bits == 0, *index));
        found.first().copied()
    }
}

fn has_portability(library: &Library) -> Answer<bool> {
    // SAFETY: it asks of no layer.
    let known = unsafe { library.entry().enumerate_instance_extension_properties(None) };
    let known = answer("vkEnumerateInstanceExtensionProperties", known)?;
    let name = Ok(vk::KHR_PORTABILITY_ENUMERATION_NAME);
    Ok(known.iter().any(|extension| extension.extension_name_as_c_str() == name))
}

impl Physical {
    /// What the driver calls the device.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The family of its queue.
    pub(crate) fn family(&self) -> u32 {
        self.family
    }

    /// What its timestamps are worth; `None`: it has none.
    pub(crate) fn timing(&self) -> Option<Timing> {
        Some(self.timing).filter(|timing| timing.bits > 0 && timing.period > 0.0)
    }

    /// By how much the values of one semaphore may differ at a time.
    pub(crate) fn difference(&self) -> u64 {
        self.difference
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Instance")
    }
}

impl fmt::Debug for Physical {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Physical({})", self.name)
    }
}
