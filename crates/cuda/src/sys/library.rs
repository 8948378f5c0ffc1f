//! The library: where the driver is, and what the library has of it.

use std::ffi::{CStr, OsStr, c_void};
use std::mem::ManuallyDrop;

use syncpoint_core::library::words;

use super::code::{Refusal, Version};
use super::table::{Function, Need, Table};
use super::types::Status;

/// Where the driver is: what the loader finds by its name, then where the Windows Subsystem for Linux has it.
#[cfg(not(windows))]
pub(crate) const PLACES: &[&str] = &["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"];

/// Where the driver is on Windows.
#[cfg(windows)]
pub(crate) const PLACES: &[&str] = &["nvcuda.dll"];

/// The driver's library, opened and never closed: threads of its own may run in it.
#[derive(Debug)]
pub(crate) struct Library {
    table: Table,
    name: String,
}

impl Library {
    /// Opens a library, and calls nothing of it.
    pub(crate) fn load(place: &OsStr) -> Result<Self, String> {
        load(place)
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// The name or path by which it was opened.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The functions without which nothing works and that it lacks.
    pub(crate) fn lacks(&self) -> Vec<&'static str> {
        let needed = self.table.missing().filter(|function| function.need == Need::Always);
        needed.map(Function::name).collect()
    }

    /// Whether the library has a function.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.table.missing().any(|function| function.name() == name)
    }

    /// The version of the driver, where it says.
    pub(crate) fn version(&self) -> Option<Version> {
        let mut version = 0;
        // SAFETY: the pointer is to an int.
        unsafe { self.table.driver_version(&raw mut version) }.ok()?;
        u32::try_from(version).ok().map(Version)
    }

    /// Starts the driver in this process.
    pub(crate) fn begin(&self) -> Result<(), Refusal> {
        // SAFETY: it takes no flags.
        unsafe { self.table.init(0) }
    }

    /// How many devices it has, once it has begun.
    pub(crate) fn count(&self) -> Result<u32, Refusal> {
        let mut count = 0;
        // SAFETY: the pointer is to an int.
        unsafe { self.table.device_count(&raw mut count) }?;
        Ok(u32::try_from(count).unwrap_or(0))
    }

    /// What the driver calls a code.
    #[cold]
    pub(crate) fn name_of(&self, code: u32) -> Option<String> {
        let mut name = std::ptr::null();
        // SAFETY: the pointer is to a pointer.
        unsafe { self.table.error_name(Status(code), &raw mut name) }.ok()?;
        if name.is_null() {
            return None;
        }
        // SAFETY: a text of C that is the driver's and lives as long as the process (*documented*).
        let name = unsafe { CStr::from_ptr(name) };
        name.to_str().ok().map(str::to_owned)
    }
}

fn load(place: &OsStr) -> Result<Library, String> {
    // SAFETY: it is the driver, or a stand-in that the user named; what it does as it is loaded is theirs.
    let loaded = unsafe { libloading::Library::new(place) };
    let loaded = loaded.map_err(|error| words(&error))?;
    // Never closed: the driver has threads, and handlers for the end of the process.
    let loaded = ManuallyDrop::new(loaded);
    let find = |symbol: &CStr| {
        // SAFETY: what is found is kept as an address, which is what a symbol is.
        let found = unsafe { loaded.get::<*mut c_void>(symbol) };
        found.map_or(std::ptr::null_mut(), |symbol| *symbol)
    };
    // SAFETY: what the library has under a name of the driver's is the driver's function of that name.
    let table = unsafe { Table::filled(find) };
    Ok(Library { table, name: place.to_string_lossy().into_owned() })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_no_driver_lacks_what_is_needed() {
        let library = Library::load("libc.so.6".as_ref()).unwrap();
        assert!(library.lacks().contains(&"cuInit"));
        assert!(library.version().is_none() && !library.has("cuEventElapsedTime"));
        assert!(library.begin().unwrap_err().is_missing());
    }
}
