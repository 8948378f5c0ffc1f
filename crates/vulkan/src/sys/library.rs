//! The library: where the loader of Vulkan is searched, and what was tried when it is not there.

use std::env;
use std::ffi::{CStr, OsString, c_char};
use std::fmt;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use ash::vk;

/// The variable that names the library to open instead of the system's.
const VARIABLE: &str = "SYNCPOINT_VULKAN_LIBRARY";

/// Where the loader is.
#[cfg(all(unix, not(target_vendor = "apple")))]
const PLACES: &[&str] = &["libvulkan.so.1", "libvulkan.so"];

/// Where the loader is on Apple's systems, and a driver that does without.
#[cfg(target_vendor = "apple")]
const PLACES: &[&str] = &["libvulkan.1.dylib", "libvulkan.dylib", "libMoltenVK.dylib"];

/// Where the loader is on Windows.
#[cfg(windows)]
const PLACES: &[&str] = &["vulkan-1.dll"];

/// The function that every loader and driver exports, and through which all others are found.
const ENTRY: &CStr = c"vkGetInstanceProcAddr";

/// The loader's library, opened and never closed: drivers have threads of their own.
pub(crate) struct Library {
    entry: ash::Entry,
    name: String,
}

/// What was tried, each with the words of the system.
#[derive(Debug)]
pub(crate) struct Search {
    /// Who chose what was tried, where somebody did.
    chosen_by: Option<&'static str>,
    tried: Vec<(String, String)>,
}

impl Library {
    /// Opens the library that the caller or the variable names, or else the first that the places have. Calls nothing
    /// of it but the search for functions.
    pub(crate) fn open(named: Option<&PathBuf>) -> Result<Self, Search> {
        let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let (chosen_by, places) = match (named, variable) {
            (Some(path), _) => (Some("use_library"), vec![path.clone().into_os_string()]),
            (None, Some(value)) => (Some(VARIABLE), vec![value]),
            (None, None) => (None, PLACES.iter().map(OsString::from).collect()),
        };
        let mut search = Search { chosen_by, tried: Vec::new() };
        for place in places {
            let name = place.to_string_lossy().into_owned();
            match load(&place) {
                Ok(entry) => return Ok(Self { entry, name }),
                Err(words) => search.tried.push((name, words)),
            }
        }
        Err(search)
    }

    /// A library that gives these functions.
    ///
    /// # Safety
    ///
    /// - What the function gives are functions of Vulkan, for as long as the process lives.
    pub(crate) unsafe fn of(get: vk::PFN_vkGetInstanceProcAddr) -> Result<Self, Search> {
        let name = "functions of the caller's".to_owned();
        if let Err(words) = can_make_instances(get) {
            return Err(Search { chosen_by: Some("the caller"), tried: vec![(name, words)] });
        }
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

fn load(place: &OsString) -> Result<ash::Entry, String> {
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

/// The system's own words, which name the library and the trouble.
fn words(error: &libloading::Error) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        words = inner.to_string();
        source = inner.source();
    }
    words
}

impl fmt::Display for Search {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no loader of Vulkan was found; tried ")?;
        for (index, (place, words)) in self.tried.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(formatter, "{comma}{place} ({words})")?;
        }
        match self.chosen_by {
            Some(who) => write!(formatter, "; {who} named it, so nothing else was tried"),
            None => write!(
                formatter,
                "; install the loader and a driver (on Debian libvulkan1 and mesa-vulkan-drivers), or name a library in \
                 {VARIABLE}"
            ),
        }
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Library({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_was_named_is_the_only_one_tried() {
        let missing = PathBuf::from("/nonexistent/libvulkan.so.1");
        let search = Library::open(Some(&missing)).unwrap_err();
        assert_eq!(search.tried.len(), 1);
        let words = search.to_string();
        assert!(words.contains("tried /nonexistent/libvulkan.so.1 ("), "{words}");
        assert!(words.contains("so nothing else was tried"), "{words}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_library_that_is_no_loader_is_told_so() {
        let search = Library::open(Some(&PathBuf::from("libc.so.6"))).unwrap_err();
        let words = search.to_string();
        assert!(words.contains("libc.so.6 (it has no vkGetInstanceProcAddr)"), "{words}");
    }
}
