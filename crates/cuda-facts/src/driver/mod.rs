//! The driver: any library with the names of `libcuda`, opened by the loader as programs open it.

#![expect(unsafe_code, reason = "the driver is a library of C")]

mod calls;
mod code;
mod green;
mod handle;
mod host;
mod kept;
mod kernel;
mod memory;
mod word;

use std::env;
use std::ffi::{CStr, OsString};

use libloading::Library;

use crate::answer::{Asked, Unasked};

pub(crate) use calls::Said;
pub(crate) use code::Code;
pub(crate) use handle::{
    Address, Context, Event, Executable, Exported, Graph, Green, Stream, Text,
};
pub(crate) use host::{Gate, Mark};
pub(crate) use memory::Page;
pub(crate) use word::Word;

use calls::Table;
use handle::Name;

/// Names the library, which is then looked for nowhere else.
pub(crate) const VARIABLE: &str = "SYNCPOINT_CUDA_LIBRARY";

/// What the loader is asked for otherwise.
const PLACES: &[&str] = &["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"];

/// An open driver.
#[derive(Debug)]
pub(crate) struct Driver {
    /// What the loader was asked for.
    pub(crate) place: String,
    table: Table,
}

impl Driver {
    /// Opens the library for good: a driver has threads of its own and cannot be unloaded.
    pub(crate) fn open() -> Asked<&'static Self> {
        let tried = places();
        let found = tried.iter().find_map(|place| Some((place, load(place)?)));
        let (place, library) = found.ok_or_else(|| missing(&tried))?;
        let library: &'static Library = Box::leak(Box::new(library));
        let place = place.to_string_lossy().into_owned();
        Ok(Box::leak(Box::new(Self { place, table: Table::fill(library) })))
    }

    /// The name of a device.
    pub(crate) fn device_name(&self, device: i32) -> Asked<String> {
        let mut name = Name([0; Name::BYTES]);
        let room = i32::try_from(Name::BYTES).unwrap_or(i32::MAX);
        self.device_name_bytes(&mut name, room, device)?.needed()?;
        let text = CStr::from_bytes_until_nul(&name.0).unwrap_or_default();
        Ok(text.to_string_lossy().into_owned())
    }
}

/// Where the library is looked for, in this order.
fn places() -> Vec<OsString> {
    let elsewhere = || PLACES.iter().map(OsString::from).collect();
    env::var_os(VARIABLE).map_or_else(elsewhere, |named| vec![named])
}

fn load(place: &OsString) -> Option<Library> {
    // SAFETY: it is the driver of this machine, or what its user has put in its place: its initializers are trusted.
    unsafe { Library::new(place) }.ok()
}

fn missing(tried: &[OsString]) -> Unasked {
    let tried: Vec<_> = tried.iter().map(|place| place.to_string_lossy()).collect();
    Unasked::Refused(format!("no driver was found; tried {}", tried.join(", ")))
}
