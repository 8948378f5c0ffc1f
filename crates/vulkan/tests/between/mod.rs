//! Between the backend and the driver of this machine: a test puts functions of its own in the place of the driver's.

#![expect(unsafe_code, reason = "functions of a library for C are passed on")]

use std::ffi::{CStr, c_char};
use std::mem;
use std::mem::ManuallyDrop;
use std::sync::OnceLock;

use ash::vk;
use syncpoint_conformance::skip;

/// A function of the driver's, where it has one of the name.
pub(crate) type Found = vk::PFN_vkVoidFunction;

/// What stands in the place of a function: what was found, or a function of the same type that passes on to it.
pub(crate) type Replace = fn(name: &str, found: Found) -> Found;

/// The driver of this machine, and what is put before it.
struct Between {
    real: vk::PFN_vkGetInstanceProcAddr,
    replace: Replace,
}

static BETWEEN: OnceLock<Between> = OnceLock::new();
static OF_DEVICES: OnceLock<vk::PFN_vkGetDeviceProcAddr> = OnceLock::new();

/// Has the backend of this process use the driver of this machine, with what `replace` gives; the first call counts.
/// `false`: there is no driver, which is said aloud.
pub(crate) fn used(replace: Replace) -> bool {
    let Some(real) = real() else {
        skip("there is no loader of Vulkan to stand before");
        return false;
    };
    BETWEEN.get_or_init(|| Between { real, replace });
    // SAFETY: what is given are the driver's functions, or such as pass on to them.
    unsafe { syncpoint::vulkan::use_functions(of_instance) };
    true
}

fn real() -> Option<vk::PFN_vkGetInstanceProcAddr> {
    // SAFETY: the loader of Vulkan may be opened.
    let library = unsafe { libloading::Library::new("libvulkan.so.1") }.ok()?;
    let library = ManuallyDrop::new(library);
    // SAFETY: the function of this name has this type.
    let found =
        unsafe { library.get::<vk::PFN_vkGetInstanceProcAddr>(c"vkGetInstanceProcAddr") }.ok()?;
    Some(*found)
}

unsafe extern "system" fn of_instance(instance: vk::Instance, name: *const c_char) -> Found {
    let between = BETWEEN.get()?;
    // SAFETY: the caller's arguments, passed on.
    let found = unsafe { (between.real)(instance, name) };
    // SAFETY: the name ends with a zero.
    let name = unsafe { CStr::from_ptr(name) }.to_str().ok()?;
    if name != "vkGetDeviceProcAddr" {
        return (between.replace)(name, found);
    }
    // SAFETY: the function of this name has this type.
    let found = unsafe { mem::transmute::<AnyFunction, vk::PFN_vkGetDeviceProcAddr>(found?) };
    OF_DEVICES.get_or_init(|| found);
    // SAFETY: any function may be handed around as one without arguments.
    Some(unsafe { mem::transmute::<vk::PFN_vkGetDeviceProcAddr, AnyFunction>(of_device) })
}

/// What functions are handed around as.
pub(crate) type AnyFunction = unsafe extern "system" fn();

unsafe extern "system" fn of_device(device: vk::Device, name: *const c_char) -> Found {
    let (between, real) = (BETWEEN.get()?, OF_DEVICES.get()?);
    // SAFETY: the caller's arguments, passed on.
    let found = unsafe { real(device, name) };
    // SAFETY: the name ends with a zero.
    (between.replace)(unsafe { CStr::from_ptr(name) }.to_str().ok()?, found)
}
