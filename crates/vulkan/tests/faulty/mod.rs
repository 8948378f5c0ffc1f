//! Between the backend and the driver: every function that can fail does so when it is told to.

#![expect(unsafe_code, reason = "functions of a library for C are passed on")]

use std::ffi::{CStr, c_char};
use std::mem;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use ash::vk;

/// A fault: a function, the number of the first call that it meets, counted from the plan on, how many it meets, and what
/// it answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) function: &'static str,
    pub(crate) first: u64,
    pub(crate) times: u64,
    pub(crate) code: vk::Result,
}

static PLAN: Mutex<Option<Fault>> = Mutex::new(None);
static CALLS: AtomicU64 = AtomicU64::new(0);
static MET: AtomicU64 = AtomicU64::new(0);

/// Has the backend use the driver of this machine, with this between. `false`: there is none.
pub(crate) fn used() -> bool {
    static USED: OnceLock<()> = OnceLock::new();
    if real().is_none() {
        return false;
    }
    USED.get_or_init(|| {
        // SAFETY: what is given are the driver's functions, or such as pass on to them.
        unsafe { syncpoint::vulkan::use_functions(get) };
    });
    true
}

/// One test at a time: a fault would meet another's calls.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What fails from now on.
pub(crate) fn plan(fault: Option<Fault>) {
    let mut plan = PLAN.lock().unwrap_or_else(PoisonError::into_inner);
    CALLS.store(0, Ordering::Relaxed);
    MET.store(0, Ordering::Relaxed);
    *plan = fault;
}

/// How many calls the planned fault has met.
pub(crate) fn met() -> u64 {
    MET.load(Ordering::Relaxed)
}

/// What a call of a function is to answer instead of being passed on.
fn fault(function: &str) -> Option<vk::Result> {
    let plan = PLAN.lock().unwrap_or_else(PoisonError::into_inner);
    let fault = plan.filter(|fault| fault.function == function)?;
    let call = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    if call < fault.first || call - fault.first >= fault.times {
        return None;
    }
    MET.fetch_add(1, Ordering::Relaxed);
    Some(fault.code)
}

fn real() -> Option<vk::PFN_vkGetInstanceProcAddr> {
    static REAL: OnceLock<Option<vk::PFN_vkGetInstanceProcAddr>> = OnceLock::new();
    *REAL.get_or_init(|| {
        // SAFETY: the loader of Vulkan may be opened.
        let library = unsafe { libloading::Library::new("libvulkan.so.1") }.ok()?;
        let library = ManuallyDrop::new(library);
        // SAFETY: the function of this name has this type.
        unsafe { library.get::<vk::PFN_vkGetInstanceProcAddr>(c"vkGetInstanceProcAddr") }
            .ok()
            .map(|found| *found)
    })
}

/// A function of Vulkan's whose six arguments at most are words, as almost all are here.
type Words = unsafe extern "system" fn(usize, usize, usize, usize, usize, usize) -> vk::Result;

macro_rules! functions {
    ($($name:ident)+) => {
        /// Every function that can fail, and is called by the backend.
        pub(crate) const FUNCTIONS: &[&str] = &[$(stringify!($name)),+];

        $(#[expect(non_snake_case, reason = "a name of Vulkan's")]
        mod $name {
            use super::{AtomicUsize, Ordering, Words, fault, mem, vk};

            pub(super) static REAL: AtomicUsize = AtomicUsize::new(0);

            pub(super) unsafe extern "system" fn call(
                a: usize,
                b: usize,
                c: usize,
                d: usize,
                e: usize,
                f: usize,
            ) -> vk::Result {
                if let Some(code) = fault(stringify!($name)) {
                    return code;
                }
                // SAFETY: the driver gave it as a function; a caller may pass more registers than it reads.
                let real = unsafe { mem::transmute::<usize, Words>(REAL.load(Ordering::Acquire)) };
                // SAFETY: passed on as it came.
                unsafe { real(a, b, c, d, e, f) }
            }
        })+

        fn between(name: &str, real: vk::PFN_vkVoidFunction) -> vk::PFN_vkVoidFunction {
            match name {
                $(stringify!($name) => {
                    $name::REAL.store(real? as usize, Ordering::Release);
                    // SAFETY: any function may be handed around as one without arguments.
                    Some(unsafe { mem::transmute::<Words, unsafe extern "system" fn()>($name::call) })
                })+
                _ => real,
            }
        }
    };
}

functions! {
    vkEnumeratePhysicalDevices
    vkEnumerateDeviceExtensionProperties
    vkCreateDevice
    vkCreateCommandPool
    vkCreateSemaphore
    vkCreateQueryPool
    vkCreateBuffer
    vkAllocateMemory
    vkBindBufferMemory
    vkMapMemory
    vkAllocateCommandBuffers
    vkBeginCommandBuffer
    vkEndCommandBuffer
    vkQueueSubmit
    vkGetSemaphoreCounterValue
    vkWaitSemaphores
    vkSignalSemaphore
}

unsafe extern "system" fn get(
    instance: vk::Instance,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    let real = real()?;
    // SAFETY: the caller's arguments, passed on.
    let found = unsafe { real(instance, name) };
    // SAFETY: the name ends with a zero.
    match unsafe { CStr::from_ptr(name) }.to_str().ok()? {
        "vkGetDeviceProcAddr" => {
            DEVICE.store(found? as usize, Ordering::Release);
            // SAFETY: any function may be handed around as one without arguments.
            Some(unsafe { mem::transmute::<OfDevice, unsafe extern "system" fn()>(get_of_device) })
        }
        name => between(name, found),
    }
}

/// How the functions of a device are found.
type OfDevice = unsafe extern "system" fn(vk::Device, *const c_char) -> vk::PFN_vkVoidFunction;

static DEVICE: AtomicUsize = AtomicUsize::new(0);

unsafe extern "system" fn get_of_device(
    device: vk::Device,
    name: *const c_char,
) -> vk::PFN_vkVoidFunction {
    // SAFETY: the driver gave it under the name of this type.
    let real = unsafe {
        mem::transmute::<usize, vk::PFN_vkGetDeviceProcAddr>(DEVICE.load(Ordering::Acquire))
    };
    // SAFETY: the caller's arguments, passed on.
    let found = unsafe { real(device, name) };
    // SAFETY: the name ends with a zero.
    between(unsafe { CStr::from_ptr(name) }.to_str().ok()?, found)
}
