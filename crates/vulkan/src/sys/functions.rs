//! Functions of Vulkan that a caller has already, instead of a library that is opened here.

use ash::vk;

use super::library::Library;
use crate::sync::OnceLock;

/// The function that all others are found by, where a caller gave one.
static GIVEN: OnceLock<vk::PFN_vkGetInstanceProcAddr> = OnceLock::new();

/// Uses these functions of Vulkan, and opens no library. Before the first use of Vulkan; the first call counts. For tests,
/// which stand between the backend and a driver.
///
/// # Safety
///
/// - What the function gives are functions of Vulkan, for as long as the process lives.
#[doc(hidden)]
pub unsafe fn use_functions(get: vk::PFN_vkGetInstanceProcAddr) {
    let _the_first_counts = GIVEN.set(get);
}

/// The library over what was given, if something was.
pub(crate) fn given() -> Option<Result<Library, String>> {
    let get = *GIVEN.get()?;
    // SAFETY: whoever gave it promised that.
    Some(unsafe { Library::of(get) })
}
