//! The instance: what devices there are, and which of them have what is needed here.

use std::ffi::CStr;
use std::fmt;

use ash::vk::{self, Handle};

use super::clocks::Name;
use super::code::{Answer, answer};
use super::library::Library;

/// The instance of this process: made once, and never destroyed once it is in use.
pub(crate) struct Instance {
    raw: ash::Instance,
    /// What its functions are found by.
    find: vk::PFN_vkGetInstanceProcAddr,
}

/// A device of the machine that has timeline semaphores.
#[derive(Clone)]
pub(crate) struct Physical {
    pub(super) handle: vk::PhysicalDevice,
    pub(super) door: Door,
    pub(super) memory: vk::PhysicalDeviceMemoryProperties,
    /// Whether the driver asks to be told that it lacks part of Vulkan.
    pub(super) is_portable: bool,
    /// By which name the driver reads two clocks at once, where it does.
    pub(super) clocks: Option<Name>,
    name: String,
    /// The family of the queues that are used.
    pub(super) family: u32,
    /// How many queues it has.
    queues: u32,
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

/// How many queues are used at most: as many as CUDA gives a process by default (`CUDA_DEVICE_MAX_CONNECTIONS`), since a
/// thread sleeps for each while somebody waits.
const QUEUES: u32 = 8;

/// What an instance of others lacks that does not tell of features.
const OLD: &str = "its instance is of Vulkan 1.0";

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
        let find = library.entry().static_fn().get_instance_proc_addr;
        answer("vkCreateInstance", made).map(|raw| Self { raw, find })
    }

    /// Destroys it: it was made, and no device of it can be used.
    pub(crate) fn end(self) {
        // SAFETY: it was made here, and nothing was made of it.
        unsafe { self.raw.destroy_instance(None) };
    }

    pub(super) fn raw(&self) -> &ash::Instance {
        &self.raw
    }

    /// A function of the instance, where it has one of this name.
    pub(super) fn function(&self, name: &CStr) -> Option<unsafe extern "system" fn()> {
        // SAFETY: the instance lives, and the name ends with a zero.
        unsafe { (self.find)(self.raw.handle(), name.as_ptr()) }
    }

    /// An instance of others, made through the same library.
    ///
    /// # Safety
    ///
    /// - It is one, and lives for as long as anything that is found through it is used.
    pub(super) unsafe fn given(library: &Library, handle: usize) -> Self {
        let handle = vk::Instance::from_raw(handle as u64);
        let functions = library.entry().static_fn();
        // SAFETY: the caller's promise.
        let raw = unsafe { ash::Instance::load(functions, handle) };
        Self { raw, find: functions.get_instance_proc_addr }
    }

    /// What a device of the machine has, where this family's queues are to be used, or what it lacks.
    ///
    /// # Safety
    ///
    /// - The device is one of this instance's.
    pub(super) unsafe fn given_device(
        &self,
        handle: usize,
        family: u32,
    ) -> Answer<Result<Physical, Lack>> {
        if !self.tells_features() {
            return Ok(Err(OLD.to_owned()));
        }
        let handle = vk::PhysicalDevice::from_raw(handle as u64);
        let mut physical = match self.look_at(handle)? {
            Ok(physical) => physical,
            Err(lack) => return Ok(Err(lack)),
        };
        // SAFETY: the caller's promise.
        let families = unsafe { self.raw.get_physical_device_queue_family_properties(handle) };
        let index = usize::try_from(family).unwrap_or(usize::MAX);
        let Some(known) = families.get(index) else {
            return Ok(Err(format!("{} has no family {family} of queues", physical.name)));
        };
        physical.family = family;
        physical.queues = 1;
        // A time is noted in a query that is reset before, which a queue that copies alone may not.
        let resets = vk::QueueFlags::GRAPHICS | vk::QueueFlags::COMPUTE;
        let may_reset = known.queue_flags.intersects(resets);
        physical.timing.bits = if may_reset { known.timestamp_valid_bits } else { 0 };
        Ok(Ok(physical))
    }

    /// Whether it has the functions that tell of features and their limits. An instance of others need not: its version is
    /// its maker's choice, nobody can ask it, and what is called that is not there ends the process.
    fn tells_features(&self) -> bool {
        let needed = [c"vkGetPhysicalDeviceFeatures2", c"vkGetPhysicalDeviceProperties2"];
        needed.iter().all(|name| self.function(name).is_some())
    }

    /// The devices, in the order of the loader's; of each that cannot be used what it lacks, or what its driver refused.
    pub(crate) fn devices(&self) -> Answer<Vec<Answer<Result<Physical, Lack>>>> {
        // SAFETY: the instance lives.
        let found = unsafe { self.raw.enumerate_physical_devices() };
        let found = answer("vkEnumeratePhysicalDevices", found)?;
        Ok(found.into_iter().map(|handle| self.look_at(handle)).collect())
    }

    fn look_at(&self, handle: vk::PhysicalDevice) -> Answer<Result<Physical, Lack>> {
        // SAFETY: the device is of this instance.
        let properties = unsafe { self.raw.get_physical_device_properties(handle) };
        let fit = self.fit(handle, &properties)?;
        Ok(fit.map_err(|lack| format!("{} {lack}", name_of(&properties))))
    }

    /// A device with what is needed here, or what it lacks, in words that follow its name.
    fn fit(
        &self,
        handle: vk::PhysicalDevice,
        properties: &vk::PhysicalDeviceProperties,
    ) -> Answer<Result<Physical, &'static str>> {
        if properties.api_version < vk::API_VERSION_1_1 {
            return Ok(Err("has Vulkan 1.0, and 1.1 is needed"));
        }
        let extensions = self.extensions(handle)?;
        let timelines = self.timelines(handle, properties.api_version, &extensions);
        let Some((door, difference)) = timelines else {
            return Ok(Err("has no timeline semaphores"));
        };
        let Some((family, known)) = self.family(handle) else {
            return Ok(Err("has no queue that copies"));
        };
        let (period, bits) = (properties.limits.timestamp_period, known.timestamp_valid_bits);
        Ok(Ok(Physical {
            handle,
            door,
            // SAFETY: the device is of this instance.
            memory: unsafe { self.raw.get_physical_device_memory_properties(handle) },
            is_portable: has(&extensions, vk::KHR_PORTABILITY_SUBSET_NAME),
            // SAFETY: as above, and these are its extensions.
            clocks: unsafe { Name::of(self, handle, &extensions) },
            name: name_of(properties),
            family,
            queues: known.queue_count,
            timing: Timing { bits, period },
            difference,
        }))
    }

    fn extensions(&self, handle: vk::PhysicalDevice) -> Answer<Vec<vk::ExtensionProperties>> {
        // SAFETY: the device is of this instance.
        let extensions = unsafe { self.raw.enumerate_device_extension_properties(handle) };
        answer("vkEnumerateDeviceExtensionProperties", extensions)
    }

    /// How timeline semaphores are asked for, and by how much the values of one may differ; `None`: there are none, and where
    /// their extension is missing the driver is not asked more.
    fn timelines(
        &self,
        handle: vk::PhysicalDevice,
        version: u32,
        extensions: &[vk::ExtensionProperties],
    ) -> Option<(Door, u64)> {
        let door = door_of(version, extensions)?;
        Some((door, self.difference(handle)?))
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

    /// The family of queues that is used: the first that computes, for such a queue copies as well, and one with timestamps
    /// before one without.
    fn family(&self, handle: vk::PhysicalDevice) -> Option<(u32, vk::QueueFamilyProperties)> {
        // SAFETY: the device is of this instance.
        let families = unsafe { self.raw.get_physical_device_queue_family_properties(handle) };
        let computes = (0..).zip(families).filter(|(_, family)| {
            family.queue_count > 0 && family.queue_flags.contains(vk::QueueFlags::COMPUTE)
        });
        computes.min_by_key(|(index, family)| (family.timestamp_valid_bits == 0, *index))
    }
}

fn name_of(properties: &vk::PhysicalDeviceProperties) -> String {
    properties.device_name_as_c_str().unwrap_or(c"unnamed").to_string_lossy().into_owned()
}

/// How timeline semaphores are asked for; `None`: they are not there.
fn door_of(version: u32, extensions: &[vk::ExtensionProperties]) -> Option<Door> {
    if version >= vk::API_VERSION_1_2 {
        return Some(Door::Core);
    }
    has(extensions, vk::KHR_TIMELINE_SEMAPHORE_NAME).then_some(Door::Extension)
}

pub(super) fn has(extensions: &[vk::ExtensionProperties], name: &CStr) -> bool {
    extensions.iter().any(|known| known.extension_name_as_c_str() == Ok(name))
}

fn has_portability(library: &Library) -> Answer<bool> {
    // SAFETY: it asks of no layer.
    let known = unsafe { library.entry().enumerate_instance_extension_properties(None) };
    let known = answer("vkEnumerateInstanceExtensionProperties", known)?;
    Ok(has(&known, vk::KHR_PORTABILITY_ENUMERATION_NAME))
}

impl Physical {
    /// What the driver calls the device.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The family of its queues.
    pub(crate) fn family(&self) -> u32 {
        self.family
    }

    /// How many queues of the family are used. Several where their times may be compared: each queue may have a clock of its
    /// own, unless the driver says that timestamps are of the device's one clock, which it does by reading that.
    pub(crate) fn queues(&self) -> u32 {
        let is_one_clock = self.clocks.is_some() || self.timing().is_none();
        if is_one_clock { self.queues.min(QUEUES) } else { 1 }
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
