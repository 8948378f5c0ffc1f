//! The library: where the loader of Vulkan is, and how it is opened.

use std::ffi::{CStr, OsStr, c_char};
use std::fmt;
use std::mem::ManuallyDrop;

use ash::vk;
use syncpoint_core::library::words;

/// Where the loader is.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(crate) const PLACES: &[&str] = &["libvulkan.so.1", "libvulkan.so"];

/// Where the loader is on Apple's systems, and a driver that does without.
#[cfg(target_vendor = "apple")]
pub(crate) const PLACES: &[&str] = &["libvulkan.1.dylib", "libvulkan.dylib", "libMoltenVK.dylib"];

/// Where the loader is on Windows.
#[cfg(windows)]
pub(crate) const PLACES: &[&str] = &["vulkan-1.dll"];

/// The function that every loader and driver exports, and through which all others are found.
const ENTRY: &CStr = c"vkGetInstanceProcAddr";

/// The loader's library, opened and never closed: drivers have threads of their own.
pub(crate) struct Library {
    entry: ash::Entry,
    name: String,
}

impl Library {
    /// Opens a library, and calls nothing of it but the search for functions.
    pub(crate) fn load(place: &OsStr) -> Result<Self, String> {
        load(place).map(|entry| Self { entry, name: place.to_string_lossy().into_owned() })
    }

    /// A library that gives these functions.
    ///
    /// # Safety
    ///
    /// - What the function gives are functions of Vulkan, for as long as the process lives.
    pub(crate) unsafe fn of(get: vk::PFN_vkGetInstanceProcAddr) -> Result<Self, String> {
        can_make_instances(get)?;
        let name = "functions of the caller's".to_owned();
        // SAFETY: the caller's promise.
        let entry =
            unsafe { ash::Entry::from_static_fn(ash::StaticFn { get_instance_proc_addr: get }) };
        Ok(Self { entry, name })
    }

    pub(super) fn entry(&self) -> &ash::Entry {
        &self.entry
    }

    /// The name or path by which it was opened.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

fn load(place: &OsStr) -> Result<ash::Entry, String> {
    // SAFETY: it is the loader of Vulkan, or a library that the user named; what it does as it is loaded is theirs.
    let loaded = unsafe { libloading::Library::new(place) };
    let loaded = loaded.map_err(|error| words(&error))?;
    // Never closed: drivers have threads, and handlers for the end of the process.
    let loaded = ManuallyDrop::new(loaded);
    // SAFETY: what a library has under this name is the function of Vulkan's of this type.
    let found = unsafe { loaded.get::<vk::PFN_vkGetInstanceProcAddr>(ENTRY) };
    let found = *found.map_err(|_| "it has no vkGetInstanceProcAddr".to_owned())?;
    can_make_instances(found)?;
    // SAFETY: the library is never closed, and gives the functions of Vulkan.
    Ok(unsafe { ash::Entry::from_static_fn(ash::StaticFn { get_instance_proc_addr: found }) })
}

/// A library that gives no functions is none of Vulkan's; the tables of functions would panic where one is missing.
fn can_make_instances(get: vk::PFN_vkGetInstanceProcAddr) -> Result<(), String> {
    const NEEDED: [&CStr; 3] = [
        c"vkCreateInstance",
        c"vkEnumerateInstanceVersion",
        c"vkEnumerateInstanceExtensionProperties",
    ];
    for name in NEEDED {
        let name_of: *const c_char = name.as_ptr();
        // SAFETY: without an instance these three may be asked for, and the name ends with a zero.
        let found = unsafe { get(vk::Instance::null(), name_of) };
        if found.is_none() {
            return Err(format!("it gives no {}; Vulkan 1.1 is needed", name.to_string_lossy()));
        }
    }
    Ok(())
}

impl fmt::Debug for Library {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Library({})", self.name)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_no_loader_is_told_so() {
        let words = Library::load("libc.so.6".as_ref()).unwrap_err();
        assert_eq!(words, "it has no vkGetInstanceProcAddr");
    }
}
