//! The functions that stand before the driver's: each is heard and then passed on.

#![expect(unsafe_code, reason = "functions of a library for C are passed on")]

use std::mem;
use std::slice;
use std::sync::OnceLock;
use std::time::Duration;

use ash::vk;

use super::{Submission, begins, hear, known, promises, submits, uses, waits};
use crate::between::{AnyFunction, Found};

type Counter = vk::PFN_vkGetSemaphoreCounterValue;

// The driver's own functions.
static CREATE: OnceLock<vk::PFN_vkCreateSemaphore> = OnceLock::new();
static COUNTER: OnceLock<Counter> = OnceLock::new();
static SUBMIT: OnceLock<vk::PFN_vkQueueSubmit> = OnceLock::new();
static IDLE: OnceLock<vk::PFN_vkQueueWaitIdle> = OnceLock::new();
static SIGNAL: OnceLock<vk::PFN_vkSignalSemaphore> = OnceLock::new();
static WAIT: OnceLock<vk::PFN_vkWaitSemaphores> = OnceLock::new();

/// What stands in the place of a function of the driver's.
pub(crate) fn replace(name: &str, found: Found) -> Found {
    /// Keeps the driver's function, and gives one of ours where there is one.
    macro_rules! between {
        ($found:ident as $real:ident: $kind:ty, $ours:expr) => {{
            // SAFETY: the driver gave it under the name of this type.
            $real.get_or_init(|| unsafe { mem::transmute::<AnyFunction, $kind>($found) });
            let ours: $kind = $ours;
            // SAFETY: any function may be handed around as one without arguments.
            Some(unsafe { mem::transmute::<$kind, AnyFunction>(ours) })
        }};
    }
    let found = found?;
    match name {
        "vkCreateSemaphore" => between!(found as CREATE: vk::PFN_vkCreateSemaphore, create),
        "vkGetSemaphoreCounterValue" => {
            // SAFETY: the driver gave it under the name of this type.
            COUNTER.get_or_init(|| unsafe { mem::transmute::<AnyFunction, Counter>(found) });
            Some(found)
        }
        "vkQueueSubmit" => between!(found as SUBMIT: vk::PFN_vkQueueSubmit, submit),
        "vkQueueWaitIdle" => between!(found as IDLE: vk::PFN_vkQueueWaitIdle, idle),
        "vkSignalSemaphore" => between!(found as SIGNAL: vk::PFN_vkSignalSemaphore, signal),
        "vkWaitSemaphores" => between!(found as WAIT: vk::PFN_vkWaitSemaphores, wait),
        _ => Some(found),
    }
}

/// What a function answers that was called before it was found.
const UNKNOWN: vk::Result = vk::Result::ERROR_UNKNOWN;

unsafe extern "system" fn create(
    device: vk::Device,
    info: *const vk::SemaphoreCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    made: *mut vk::Semaphore,
) -> vk::Result {
    let Some(real) = CREATE.get() else { return UNKNOWN };
    // SAFETY: passed on as it came.
    let code = unsafe { real(device, info, allocator, made) };
    if code == vk::Result::SUCCESS {
        // SAFETY: the driver has put it there.
        begins(device, unsafe { *made });
    }
    code
}

unsafe extern "system" fn submit(
    queue: vk::Queue,
    count: u32,
    batches: *const vk::SubmitInfo<'_>,
    fence: vk::Fence,
) -> vk::Result {
    let Some(real) = SUBMIT.get() else { return UNKNOWN };
    uses(queue);
    if count > 0 {
        // SAFETY: the caller's promise: so many batches lie there.
        for batch in unsafe { slice::from_raw_parts(batches, count as usize) } {
            // SAFETY: the caller's promise for each.
            unsafe { hear_batch(batch) };
        }
    }
    // SAFETY: passed on as it came.
    unsafe { real(queue, count, batches, fence) }
}

unsafe extern "system" fn idle(queue: vk::Queue) -> vk::Result {
    let Some(real) = IDLE.get() else { return UNKNOWN };
    uses(queue);
    // SAFETY: passed on as it came.
    unsafe { real(queue) }
}

/// # Safety
///
/// - What the batch points to is there, as many as it says.
unsafe fn hear_batch(batch: &vk::SubmitInfo<'_>) {
    // SAFETY: the caller's promise.
    let Some(values) = (unsafe { values_of(batch) }) else { return };
    let (semaphores, values_of) = (batch.p_wait_semaphores, values.p_wait_semaphore_values);
    // SAFETY: the caller's promise.
    let awaited = unsafe { pairs(batch.wait_semaphore_count, semaphores, values_of) };
    let (semaphores, values_of) = (batch.p_signal_semaphores, values.p_signal_semaphore_values);
    // SAFETY: the caller's promise.
    let signals = unsafe { pairs(batch.signal_semaphore_count, semaphores, values_of) };
    submits(Submission { waits: awaited.clone(), signals: signals.clone() });
    for (semaphore, value) in awaited {
        waits(semaphore, value);
    }
    for (semaphore, value) in signals {
        hear(|heard| heard.signals += 1);
        promises(semaphore, now(semaphore), value);
    }
}

/// The values of a batch's semaphores; `None`: it has none that count.
///
/// # Safety
///
/// - What hangs on the batch are structures of Vulkan's.
unsafe fn values_of<'b>(
    batch: &'b vk::SubmitInfo<'_>,
) -> Option<&'b vk::TimelineSemaphoreSubmitInfo<'b>> {
    let mut next: *const vk::BaseInStructure<'_> = batch.p_next.cast();
    loop {
        // SAFETY: the caller's promise: each begins with its kind and what hangs on it.
        let structure = unsafe { next.as_ref() }?;
        if structure.s_type == vk::StructureType::TIMELINE_SEMAPHORE_SUBMIT_INFO {
            let values: *const vk::TimelineSemaphoreSubmitInfo<'_> = next.cast();
            // SAFETY: its kind says what it is.
            return unsafe { values.as_ref() };
        }
        next = structure.p_next;
    }
}

/// Semaphores, each with the value beside it.
///
/// # Safety
///
/// - There are so many of either, where there are any.
unsafe fn pairs(
    count: u32,
    semaphores: *const vk::Semaphore,
    values: *const u64,
) -> Vec<(vk::Semaphore, u64)> {
    if count == 0 {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    let semaphores = unsafe { slice::from_raw_parts(semaphores, count as usize) };
    // SAFETY: the caller's promise.
    let values = unsafe { slice::from_raw_parts(values, count as usize) };
    semaphores.iter().copied().zip(values.iter().copied()).collect()
}

/// Where a semaphore is.
fn now(semaphore: vk::Semaphore) -> u64 {
    let (Some(known), Some(real)) = (known(semaphore), COUNTER.get()) else { return 0 };
    let mut now = 0;
    // SAFETY: the semaphore is the device's, and whoever is about to signal it keeps both.
    let _lost_is_zero = unsafe { real(known.device, semaphore, &raw mut now) };
    now
}

unsafe extern "system" fn signal(
    device: vk::Device,
    info: *const vk::SemaphoreSignalInfo<'_>,
) -> vk::Result {
    let Some(real) = SIGNAL.get() else { return UNKNOWN };
    // SAFETY: the caller's promise.
    let vk::SemaphoreSignalInfo { semaphore, value, .. } = unsafe { *info };
    hear(|heard| heard.raises += 1);
    promises(semaphore, now(semaphore), value);
    // SAFETY: passed on as it came.
    unsafe { real(device, info) }
}

unsafe extern "system" fn wait(
    device: vk::Device,
    info: *const vk::SemaphoreWaitInfo<'_>,
    nanos: u64,
) -> vk::Result {
    let Some(real) = WAIT.get() else { return UNKNOWN };
    hear(|heard| {
        heard.sleeps += 1;
        heard.longest = heard.longest.max(Duration::from_nanos(nanos));
    });
    // SAFETY: passed on as it came.
    unsafe { real(device, info, nanos) }
}
