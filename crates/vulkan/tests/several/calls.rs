//! The calls of the driver that know of queues.

use std::mem;
use std::slice;
use std::sync::{Mutex, OnceLock};

use ash::vk;

use super::queue::Given;
use super::{QUEUES, begin, lock, of};
use crate::between::{AnyFunction, Found};

type Families = vk::PFN_vkGetPhysicalDeviceQueueFamilyProperties;
type Create = vk::PFN_vkCreateDevice;
type Get = vk::PFN_vkGetDeviceQueue;
type Submit = vk::PFN_vkQueueSubmit;
type Rest = vk::PFN_vkQueueWaitIdle;
type Wait = vk::PFN_vkWaitSemaphores;

// The driver's own functions.
static FAMILIES: OnceLock<Families> = OnceLock::new();
static CREATE: OnceLock<Create> = OnceLock::new();
static GET: OnceLock<Get> = OnceLock::new();
static SUBMIT: OnceLock<Submit> = OnceLock::new();
static REST: OnceLock<Rest> = OnceLock::new();
static WAIT: OnceLock<Wait> = OnceLock::new();

/// The driver's only queue is used by one thread at a time.
static ALONE: Mutex<()> = Mutex::new(());

macro_rules! replaced {
    ($found:ident, $real:ident: $type:ty, $own:expr) => {{
        // SAFETY: the driver gave it under the name of this type.
        $real.get_or_init(|| unsafe { mem::transmute::<AnyFunction, $type>($found) });
        // SAFETY: any function may be handed around as one without arguments.
        Some(unsafe { mem::transmute::<$type, AnyFunction>($own) })
    }};
}

pub(super) fn replace(name: &str, found: Found) -> Found {
    let found = found?;
    match name {
        "vkGetPhysicalDeviceQueueFamilyProperties" => {
            replaced!(found, FAMILIES: Families, families)
        }
        "vkCreateDevice" => replaced!(found, CREATE: Create, create),
        "vkGetDeviceQueue" => replaced!(found, GET: Get, get),
        "vkQueueSubmit" => replaced!(found, SUBMIT: Submit, submit),
        "vkQueueWaitIdle" => replaced!(found, REST: Rest, wait_idle),
        "vkWaitSemaphores" => {
            // SAFETY: as above.
            WAIT.get_or_init(|| unsafe { mem::transmute::<AnyFunction, Wait>(found) });
            Some(found)
        }
        _ => Some(found),
    }
}

fn real<T: Copy>(function: &OnceLock<T>) -> T {
    *function.get().expect("who calls it was given it")
}

unsafe extern "system" fn families(
    device: vk::PhysicalDevice,
    count: *mut u32,
    found: *mut vk::QueueFamilyProperties,
) {
    // SAFETY: passed on as it came.
    unsafe { real(&FAMILIES)(device, count, found) };
    if found.is_null() {
        return;
    }
    // SAFETY: the driver has written how many there are.
    let count = unsafe { *count } as usize;
    // SAFETY: the caller's promise: there is room for so many, which is filled now.
    for family in unsafe { slice::from_raw_parts_mut(found, count) } {
        family.queue_count = QUEUES;
    }
}

unsafe extern "system" fn create(
    physical: vk::PhysicalDevice,
    info: *const vk::DeviceCreateInfo<'_>,
    allocator: *const vk::AllocationCallbacks<'_>,
    device: *mut vk::Device,
) -> vk::Result {
    // SAFETY: the caller's promise.
    let (mut info, priorities) = (unsafe { *info }, [1.0]);
    // SAFETY: as above: one family is asked for.
    let mut queues = unsafe { *info.p_queue_create_infos };
    assert!(queues.queue_count <= QUEUES, "no more than there are");
    (queues.queue_count, queues.p_queue_priorities) = (1, priorities.as_ptr());
    info.p_queue_create_infos = &raw const queues;
    // SAFETY: passed on, but with the one queue that there is.
    unsafe { real(&CREATE)(physical, &raw const info, allocator, device) }
}

unsafe extern "system" fn get(device: vk::Device, family: u32, index: u32, queue: *mut vk::Queue) {
    assert!(index < QUEUES, "no such queue was made");
    // SAFETY: passed on, but of the one queue that there is.
    unsafe { real(&GET)(device, family, 0, queue) };
    // SAFETY: the caller's promise: there is room for the handle, which is filled now.
    let queue = unsafe { &mut *queue };
    *queue = begin(device, *queue, index);
}

unsafe extern "system" fn submit(
    queue: vk::Queue,
    count: u32,
    infos: *const vk::SubmitInfo<'_>,
    _fence: vk::Fence,
) -> vk::Result {
    assert_eq!(count, 1, "one at a time");
    // SAFETY: the caller's promise: there is one.
    let info = unsafe { &*infos };
    // SAFETY: the caller's promise: what it points to lives.
    of(vk::Handle::as_raw(queue)).give(unsafe { Given::of(info) })
}

unsafe extern "system" fn wait_idle(queue: vk::Queue) -> vk::Result {
    of(vk::Handle::as_raw(queue)).rest()
}

impl Given {
    /// # Safety
    /// What the structure points to lives, and the first of what extends it are the values of its semaphores.
    unsafe fn of(info: &vk::SubmitInfo<'_>) -> Self {
        let timeline = info.p_next.cast::<vk::TimelineSemaphoreSubmitInfo<'_>>();
        // SAFETY: the caller's promise.
        let timeline = unsafe { &*timeline };
        assert!(timeline.s_type == vk::StructureType::TIMELINE_SEMAPHORE_SUBMIT_INFO);
        let pairs = |(semaphores, values, count): (*const vk::Semaphore, *const u64, u32)| {
            // SAFETY: there are so many.
            let semaphores = unsafe { copied(semaphores, count) };
            // SAFETY: as above.
            let values = unsafe { copied(values, count) };
            semaphores.into_iter().zip(values).collect()
        };
        let waits = info.wait_semaphore_count;
        let signals = info.signal_semaphore_count;
        Self {
            waits: pairs((info.p_wait_semaphores, timeline.p_wait_semaphore_values, waits)),
            // SAFETY: there are so many.
            commands: unsafe { copied(info.p_command_buffers, info.command_buffer_count) },
            signals: pairs((info.p_signal_semaphores, timeline.p_signal_semaphore_values, signals)),
        }
    }
}

/// # Safety
/// There are so many.
unsafe fn copied<T: Copy>(from: *const T, count: u32) -> Vec<T> {
    if count == 0 {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(from, count as usize) }.to_vec()
}

/// Waits for what a submission waits for, and gives the driver what is left of it.
pub(super) fn pass_on(device: vk::Device, queue: vk::Queue, given: &Given) {
    let (semaphores, values): (Vec<_>, Vec<_>) = given.waits.iter().copied().unzip();
    let info = vk::SemaphoreWaitInfo::default().semaphores(&semaphores).values(&values);
    // SAFETY: the device and the semaphores live until the submission is over.
    let waited = unsafe { real(&WAIT)(device, &raw const info, u64::MAX) };
    assert_eq!(waited, vk::Result::SUCCESS);
    let (semaphores, values): (Vec<_>, Vec<_>) = given.signals.iter().copied().unzip();
    let mut timeline = vk::TimelineSemaphoreSubmitInfo::default().signal_semaphore_values(&values);
    let info = vk::SubmitInfo::default()
        .command_buffers(&given.commands)
        .signal_semaphores(&semaphores)
        .push_next(&mut timeline);
    let _alone = lock(&ALONE);
    // SAFETY: as above, and nobody else uses the queue.
    let submitted = unsafe { real(&SUBMIT)(queue, 1, &raw const info, vk::Fence::null()) };
    assert_eq!(submitted, vk::Result::SUCCESS);
}

pub(super) fn rest(queue: vk::Queue) -> vk::Result {
    let _alone = lock(&ALONE);
    // SAFETY: nobody else uses the queue, which lives.
    unsafe { real(&REST)(queue) }
}
