//! A driver that says less of itself than it has, to stand for others that have less.

#![expect(unsafe_code, reason = "functions of a library for C are passed on")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test has one of the drivers")]

use std::mem;
use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use ash::vk;

use crate::between::{AnyFunction, Found};

type Properties = vk::PFN_vkGetPhysicalDeviceProperties;
type Families = vk::PFN_vkGetPhysicalDeviceQueueFamilyProperties;
type Counter = vk::PFN_vkGetSemaphoreCounterValue;
type Signal = vk::PFN_vkSignalSemaphore;
type Clocks = vk::PFN_vkGetCalibratedTimestampsKHR;

// The driver's own functions.
static PROPERTIES: OnceLock<Properties> = OnceLock::new();
static FAMILIES: OnceLock<Families> = OnceLock::new();
static COUNTER: OnceLock<Counter> = OnceLock::new();
static SIGNAL: OnceLock<Signal> = OnceLock::new();
static CLOCKS: OnceLock<Clocks> = OnceLock::new();

/// How many bits of a time count.
static BITS: AtomicU32 = AtomicU32::new(0);

/// Whether the queues of whoever asks do nothing but copy, but for the next who asks.
static COPIES: AtomicU32 = AtomicU32::new(0);

/// How far semaphores are at least.
static LEAST: AtomicU64 = AtomicU64::new(0);

/// How far off the device's clock is read beside the host's.
static OFF: AtomicI64 = AtomicI64::new(0);

/// How often the host has signalled by the extension's name.
static SIGNALS: AtomicU64 = AtomicU64::new(0);

/// A driver of Vulkan 1.1: it has what 1.2 brought by the names of the extension, and by no others.
pub(crate) fn of_vulkan_1_1(name: &str, found: Found) -> Found {
    let found = found?;
    match name {
        "vkGetPhysicalDeviceProperties" => {
            // SAFETY: the driver gave it under the name of this type.
            PROPERTIES.get_or_init(|| unsafe { mem::transmute::<AnyFunction, Properties>(found) });
            // SAFETY: any function may be handed around as one without arguments.
            Some(unsafe { mem::transmute::<Properties, AnyFunction>(properties) })
        }
        "vkGetSemaphoreCounterValue" | "vkWaitSemaphores" | "vkSignalSemaphore" => None,
        "vkSignalSemaphoreKHR" => {
            // SAFETY: as above.
            SIGNAL.get_or_init(|| unsafe { mem::transmute::<AnyFunction, Signal>(found) });
            // SAFETY: as above.
            Some(unsafe { mem::transmute::<Signal, AnyFunction>(signal) })
        }
        _ => Some(found),
    }
}

/// How often the host has signalled by the extension's name.
pub(crate) fn signals_by_extension() -> u64 {
    SIGNALS.load(Ordering::Relaxed)
}

/// A driver whose queues have no timestamps, though a step of its clock has a length.
pub(crate) fn without_timestamps(name: &str, found: Found) -> Found {
    with_bits(0, name, found)
}

/// A driver with a clock of few bits, which begins anew every 268 ms where its steps are nanoseconds. What is above those
/// bits may be anything, so only their number is a lie.
pub(crate) fn with_a_short_clock(name: &str, found: Found) -> Found {
    with_bits(28, name, found)
}

/// A driver whose queues have timestamps, and do nothing but copy once it is told so: not for the next who asks, who looks
/// whether there are others.
pub(crate) fn that_copies(name: &str, found: Found) -> Found {
    with_bits(64, name, found)
}

/// Whoever asks but for the next is told that they do nothing but copy.
pub(crate) fn copy_alone() {
    COPIES.store(2, Ordering::Relaxed);
}

fn with_bits(bits: u32, name: &str, found: Found) -> Found {
    let found = found?;
    if name != "vkGetPhysicalDeviceQueueFamilyProperties" {
        return Some(found);
    }
    BITS.store(bits, Ordering::Relaxed);
    // SAFETY: the driver gave it under the name of this type.
    FAMILIES.get_or_init(|| unsafe { mem::transmute::<AnyFunction, Families>(found) });
    // SAFETY: any function may be handed around as one without arguments.
    Some(unsafe { mem::transmute::<Families, AnyFunction>(families) })
}

/// A driver whose semaphores come further than anybody signalled them, once it is told to.
pub(crate) fn that_counts_too_far(name: &str, found: Found) -> Found {
    let found = found?;
    if name != "vkGetSemaphoreCounterValue" {
        return Some(found);
    }
    // SAFETY: the driver gave it under the name of this type.
    COUNTER.get_or_init(|| unsafe { mem::transmute::<AnyFunction, Counter>(found) });
    // SAFETY: any function may be handed around as one without arguments.
    Some(unsafe { mem::transmute::<Counter, AnyFunction>(counter) })
}

/// From now on semaphores are this far at least; from zero on they are where they are.
pub(crate) fn count_to(least: u64) {
    LEAST.store(least, Ordering::Relaxed);
}

/// A driver that reads another clock of the device's beside the host's than its queues write, once it is told so.
pub(crate) fn with_another_clock(name: &str, found: Found) -> Found {
    let found = found?;
    if !["vkGetCalibratedTimestampsEXT", "vkGetCalibratedTimestampsKHR"].contains(&name) {
        return Some(found);
    }
    // SAFETY: the driver gave it under the name of this type.
    CLOCKS.get_or_init(|| unsafe { mem::transmute::<AnyFunction, Clocks>(found) });
    // SAFETY: any function may be handed around as one without arguments.
    Some(unsafe { mem::transmute::<Clocks, AnyFunction>(clocks) })
}

/// From now on the device's clock is read as so many steps further on, or back.
pub(crate) fn read_clock_off_by(steps: i64) {
    OFF.store(steps, Ordering::Relaxed);
}

unsafe extern "system" fn clocks(
    device: vk::Device,
    count: u32,
    which: *const vk::CalibratedTimestampInfoKHR<'_>,
    times: *mut u64,
    apart: *mut u64,
) -> vk::Result {
    let Some(real) = CLOCKS.get() else { return vk::Result::ERROR_UNKNOWN };
    // SAFETY: passed on as it came.
    let code = unsafe { real(device, count, which, times, apart) };
    // SAFETY: the caller's promise: there are so many.
    let which = unsafe { slice::from_raw_parts(which, count as usize) };
    // SAFETY: as above; they are filled now.
    let times = unsafe { slice::from_raw_parts_mut(times, count as usize) };
    for (which, time) in which.iter().zip(times) {
        if which.time_domain == vk::TimeDomainKHR::DEVICE {
            *time = time.wrapping_add_signed(OFF.load(Ordering::Relaxed));
        }
    }
    code
}

unsafe extern "system" fn counter(
    device: vk::Device,
    semaphore: vk::Semaphore,
    value: *mut u64,
) -> vk::Result {
    let Some(real) = COUNTER.get() else { return vk::Result::ERROR_UNKNOWN };
    // SAFETY: passed on as it came.
    let code = unsafe { real(device, semaphore, value) };
    // SAFETY: the caller's promise: there is room for it, which is filled now.
    let value = unsafe { &mut *value };
    *value = LEAST.load(Ordering::Relaxed).max(*value);
    code
}

unsafe extern "system" fn properties(
    device: vk::PhysicalDevice,
    found: *mut vk::PhysicalDeviceProperties,
) {
    let Some(real) = PROPERTIES.get() else { return };
    // SAFETY: passed on as it came.
    unsafe { real(device, found) };
    // SAFETY: the caller's promise: there is room for them, which is filled now.
    unsafe { (*found).api_version = vk::API_VERSION_1_1 };
}

unsafe extern "system" fn signal(
    device: vk::Device,
    info: *const vk::SemaphoreSignalInfo<'_>,
) -> vk::Result {
    let Some(real) = SIGNAL.get() else { return vk::Result::ERROR_UNKNOWN };
    SIGNALS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: passed on as it came.
    unsafe { real(device, info) }
}

unsafe extern "system" fn families(
    device: vk::PhysicalDevice,
    count: *mut u32,
    found: *mut vk::QueueFamilyProperties,
) {
    let Some(real) = FAMILIES.get() else { return };
    // SAFETY: passed on as it came.
    unsafe { real(device, count, found) };
    if found.is_null() {
        return;
    }
    // SAFETY: the driver has written how many there are.
    let count = unsafe { *count } as usize;
    let left = COPIES.load(Ordering::Relaxed);
    COPIES.store(if left > 1 { left - 1 } else { left }, Ordering::Relaxed);
    // SAFETY: the caller's promise: there is room for so many, which is filled now.
    for family in unsafe { slice::from_raw_parts_mut(found, count) } {
        family.timestamp_valid_bits = BITS.load(Ordering::Relaxed);
        if left == 1 {
            family.queue_flags = vk::QueueFlags::TRANSFER;
        }
    }
}
