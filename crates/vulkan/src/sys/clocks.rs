//! Two clocks read at once, the device's and the host's, where the driver can (`VK_KHR_calibrated_timestamps`, or `EXT`).

use std::ffi::CStr;
use std::mem;

use ash::vk;

use super::code::{Answer, answer};
use super::instance::{Instance, has};

/// By which name the driver has the extension. Both mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Khr,
    Ext,
}

/// The function that reads both.
pub(super) struct Clocks(vk::PFN_vkGetCalibratedTimestampsKHR);

/// What both clocks showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Both {
    /// The device's steps, as a timestamp on its queue would have them.
    pub(crate) ticks: u64,
    /// The host's monotonic clock, in nanoseconds.
    pub(crate) nanos: u64,
    /// How far apart they were read, as the driver says, in nanoseconds.
    pub(crate) apart: u64,
}

/// The host's clock that is read. On Linux it is the one of `Instant`, elsewhere it need not be; nobody compares the two.
const HOST: vk::TimeDomainKHR = vk::TimeDomainKHR::CLOCK_MONOTONIC;

impl Name {
    /// The name of the extension.
    pub(super) fn extension(self) -> &'static CStr {
        match self {
            Self::Khr => vk::KHR_CALIBRATED_TIMESTAMPS_NAME,
            Self::Ext => vk::EXT_CALIBRATED_TIMESTAMPS_NAME,
        }
    }

    fn function(self) -> &'static CStr {
        match self {
            Self::Khr => c"vkGetCalibratedTimestampsKHR",
            Self::Ext => c"vkGetCalibratedTimestampsEXT",
        }
    }

    fn domains(self) -> &'static CStr {
        match self {
            Self::Khr => c"vkGetPhysicalDeviceCalibrateableTimeDomainsKHR",
            Self::Ext => c"vkGetPhysicalDeviceCalibrateableTimeDomainsEXT",
        }
    }

    /// Under which name a device of the machine reads both clocks; `None`: it does not.
    ///
    /// # Safety
    ///
    /// - The device is one of the instance, with these extensions.
    pub(super) unsafe fn of(
        instance: &Instance,
        device: vk::PhysicalDevice,
        extensions: &[vk::ExtensionProperties],
    ) -> Option<Self> {
        let name = [Self::Khr, Self::Ext];
        let name = name.into_iter().find(|name| has(extensions, name.extension()))?;
        let found = instance.function(name.domains())?;
        // SAFETY: the function of this name has this type, under either name.
        let ask = unsafe {
            mem::transmute::<Function, vk::PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsKHR>(
                found,
            )
        };
        let mut domains = [vk::TimeDomainKHR::DEVICE; DOMAINS as usize];
        let mut count = DOMAINS;
        // SAFETY: the caller's promise; so many have room.
        let code = unsafe { ask(device, &raw mut count, domains.as_mut_ptr()) };
        // A driver that says no more than this, or has more to say than there is room for, is asked for no others.
        let known = domains.get(..usize::try_from(count).ok()?)?;
        let is_told = [vk::Result::SUCCESS, vk::Result::INCOMPLETE].contains(&code);
        let has_both = [vk::TimeDomainKHR::DEVICE, HOST].iter().all(|one| known.contains(one));
        (is_told && has_both).then_some(name)
    }
}

/// More kinds of clocks than there are.
const DOMAINS: u32 = 8;

/// Any function of the driver's.
type Function = unsafe extern "system" fn();

impl Clocks {
    /// Finds the function; `None` where the driver lacks it after all.
    pub(super) fn find(instance: &Instance, device: vk::Device, name: Name) -> Option<Self> {
        let function = name.function();
        // SAFETY: the device lives, and the name ends with a zero.
        let found = unsafe { instance.raw().get_device_proc_addr(device, function.as_ptr()) }?;
        // SAFETY: the function of this name has this type, under either name.
        Some(Self(unsafe {
            mem::transmute::<Function, vk::PFN_vkGetCalibratedTimestampsKHR>(found)
        }))
    }

    /// Finds it on a device of others, whose maker may have asked for the extension by either name, or for none: a device
    /// has the functions of those that it was made with alone.
    pub(super) fn of_others(instance: &Instance, device: vk::Device) -> Option<Self> {
        [Name::Khr, Name::Ext].into_iter().find_map(|name| Self::find(instance, device, name))
    }

    /// Reads both.
    ///
    /// # Safety
    ///
    /// - The device is the one for which the function was found, made with the extension, and lives.
    pub(super) unsafe fn read(&self, device: vk::Device) -> Answer<Both> {
        let clock = |domain| vk::CalibratedTimestampInfoKHR::default().time_domain(domain);
        let clocks = [clock(vk::TimeDomainKHR::DEVICE), clock(HOST)];
        let (mut read, mut apart) = ([0; 2], 0);
        // SAFETY: the caller's promise; both arrays have two elements.
        let code =
            unsafe { (self.0)(device, 2, clocks.as_ptr(), read.as_mut_ptr(), &raw mut apart) };
        answer("vkGetCalibratedTimestamps", code.result())?;
        let [ticks, nanos] = read;
        Ok(Both { ticks, nanos, apart })
    }
}
