//! The driver of this process: found once, and begun at the first need.

use std::fmt::Write;
use std::path::Path;

use syncpoint_core::beginning::Beginning;
use syncpoint_core::library::{self, Sought};
use syncpoint_core::{Error, Kind, Reason, Result};

use crate::sys::{Instance, Lack, Library, PLACES, Physical, Refusal, given};

/// The loader.
static LOADER: library::Library<Library> = library::Library::new(Sought {
    what: "loader of Vulkan",
    by: "Vulkan",
    variable: "SYNCPOINT_VULKAN_LIBRARY",
    places: PLACES,
    remedy: "install the loader and a driver (on Debian libvulkan1 and mesa-vulkan-drivers)",
});

/// What the driver has, once it has begun in this process.
static MACHINE: Beginning<&'static Machine> = Beginning::new("Vulkan");

/// The instance of this process, and its devices. Never destroyed: drivers have threads and handlers of their own.
#[derive(Debug)]
pub(crate) struct Machine {
    instance: Instance,
    library: &'static Library,
    devices: Vec<Physical>,
    /// What each device lacks that cannot be used.
    lacks: Vec<Lack>,
}

/// Opens this library instead of the system's loader of Vulkan. It comes before the variable
/// `SYNCPOINT_VULKAN_LIBRARY`. Which drivers the loader takes is said to the loader itself (`VK_ICD_FILENAMES`).
///
/// # Errors
/// `Misuse(Contradiction)`: a library was searched already, or another was named.
///
/// # Examples
/// ```no_run
/// syncpoint::vulkan::use_library("/opt/vulkan/lib/libvulkan.so.1".as_ref())?;
/// let device = syncpoint::open("vulkan:0")?;
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn use_library(path: &Path) -> Result<()> {
    LOADER.name(path)
}

/// The loader, its library open and nothing called.
///
/// # Errors
/// `Unavailable`: with what was tried.
pub(crate) fn found() -> Result<&'static Library> {
    LOADER.found(|places| match given() {
        Some(library) => library.map_err(|words| unfit(&words)),
        None => places.open(Library::load),
    })
}

#[cold]
fn unfit(words: &str) -> Error {
    let message = format!("the functions that were given are not used: {words}; give others");
    Error::new(Kind::Unavailable, message)
}

/// How many devices there are, where the driver has begun.
pub(crate) fn counted() -> Option<u32> {
    MACHINE.given().map(Machine::count)
}

/// The driver, begun.
///
/// # Errors
/// `Unavailable`: there is no loader, no driver can begin, or it has begun in the process from which this one was forked.
pub(crate) fn begin() -> Result<&'static Machine> {
    let library = found()?;
    MACHINE.once(|| Machine::make(library).map(|machine| &*Box::leak(Box::new(machine))))
}

impl Machine {
    fn make(library: &'static Library) -> Result<Self> {
        let absent = |error: &Error| {
            let message = format!("{} ({})", error.message(), library.name());
            let absent = Error::new(Kind::Unavailable, message);
            match error.code() {
                Some((code, name)) => absent.with_code(code, name),
                None => absent,
            }
        };
        let refused = |refusal: Refusal| absent(&refusal.error(&"vulkan"));
        let instance = Instance::create(library).map_err(refused)?;
        match sort(&instance) {
            Ok((devices, lacks)) => Ok(Self { instance, library, devices, lacks }),
            Err(refusal) => {
                instance.end();
                Err(refused(refusal))
            }
        }
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    pub(crate) fn library(&self) -> &'static Library {
        self.library
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.devices.len()).unwrap_or(u32::MAX)
    }

    /// A device, by its number among those that can be used.
    ///
    /// # Errors
    /// `Unavailable`: there is none at all. `Misuse(OutOfRange)`: there are fewer.
    pub(crate) fn device(&self, index: u32) -> Result<&Physical> {
        let device = usize::try_from(index).ok().and_then(|index| self.devices.get(index));
        match device {
            Some(device) => Ok(device),
            None if self.devices.is_empty() => Err(self.nothing()),
            None => {
                let count = self.devices.len();
                let message = format!(
                    "vulkan:{index} does not exist; vulkan has {count}, counted from 0{}",
                    self.left_out()
                );
                Err(Error::misuse(Reason::OutOfRange, message))
            }
        }
    }

    #[cold]
    fn nothing(&self) -> Error {
        let message = format!(
            "the loader of Vulkan ({}) has no device that can be used{}; install a driver with timeline semaphores, or \
             name one in VK_ICD_FILENAMES",
            self.library.name(),
            self.left_out()
        );
        Error::new(Kind::Unavailable, message)
    }

    /// What was left out, in words.
    fn left_out(&self) -> String {
        let mut words = String::new();
        for lack in &self.lacks {
            let comma = if words.is_empty() { " (left out: " } else { ", " };
            let _never_fails = write!(words, "{comma}{lack}");
        }
        if !words.is_empty() {
            words.push(')');
        }
        words
    }
}

/// The devices that can be used, and what the others lack. One whose driver refused to tell of it is left out as well,
/// unless there is no other: then it may tell the next time.
fn sort(instance: &Instance) -> Result<(Vec<Physical>, Vec<Lack>), Refusal> {
    let (mut devices, mut lacks, mut refused) = (Vec::new(), Vec::new(), None);
    for device in instance.devices()? {
        match device {
            Ok(Ok(device)) => devices.push(device),
            Ok(Err(lack)) => lacks.push(lack),
            Err(refusal) => {
                lacks.push(format!("a device of which {refusal}"));
                refused.get_or_insert(refusal);
            }
        }
    }
    match refused {
        Some(refusal) if devices.is_empty() => Err(refusal),
        _ => Ok((devices, lacks)),
    }
}
