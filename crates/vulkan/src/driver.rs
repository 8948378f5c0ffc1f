//! The driver of this process: found once, and begun at the first need.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use syncpoint_base::{PerProcess, watch_driver};
use syncpoint_core::{Error, Kind, Reason, Result};

use crate::sync::{AtomicBool, Mutex, OnceLock, Ordering, lock};
use crate::sys::{Instance, Library, Physical, given};

/// The library that [`use_library`] named.
static NAMED: OnceLock<PathBuf> = OnceLock::new();

/// What the search found. A child of a fork has it from its parent: the loader may not be asked there, since threads of
/// the parent may have held its locks.
static FOUND: OnceLock<Result<Library>> = OnceLock::new();

/// Whether the driver has begun, in this process or one before it.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// What the driver has, once it has begun in this process. Held while it begins, which may take long: nobody goes on
/// before.
static MACHINE: PerProcess<Mutex<Option<&'static Machine>>> = PerProcess::new(Mutex::default);

/// The instance of this process, and its devices. Never destroyed: drivers have threads and handlers of their own.
#[derive(Debug)]
pub(crate) struct Machine {
    instance: Instance,
    library: &'static Library,
    devices: Vec<Physical>,
    /// What each device lacks that cannot be used.
    lacks: Vec<String>,
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
    let is_late = FOUND.get().is_some();
    let named = if is_late { NAMED.get() } else { Some(NAMED.get_or_init(|| path.to_owned())) };
    if named.is_some_and(|named| named == path) {
        return Ok(());
    }
    let message = format!(
        "{} cannot be used for Vulkan, because a library was opened or named before; name it first, and once",
        path.display()
    );
    Err(Error::misuse(Reason::Contradiction, message))
}

/// The loader, its library open and nothing called.
///
/// # Errors
/// `Unavailable`: with what was tried.
pub(crate) fn found() -> Result<&'static Library> {
    if FOUND.get().is_none() {
        // Searched first: the system's loader may take long.
        let found = find();
        // Another thread that was first has found the same.
        let _kept = FOUND.set(found);
    }
    let found = FOUND.get_or_init(find);
    found.as_ref().map_err(Error::clone)
}

fn find() -> Result<Library> {
    let found = given().unwrap_or_else(|| Library::open(NAMED.get()));
    found.map_err(|search| Error::new(Kind::Unavailable, search.to_string()))
}

/// How many devices there are, where the driver has begun.
pub(crate) fn counted() -> Option<u32> {
    lock(&MACHINE).map(Machine::count)
}

/// The driver, begun.
///
/// # Errors
/// `Unavailable`: there is no loader, no driver can begin, or it has begun in the process from which this one was forked.
pub(crate) fn begin() -> Result<&'static Machine> {
    let library = found()?;
    let mut begun = lock(&MACHINE);
    if let Some(machine) = *begun {
        return Ok(machine);
    }
    // Relaxed: what a fork copied is seen by the child, and this process begins under the lock.
    if BEGUN.swap(true, Ordering::Relaxed) {
        return Err(forked());
    }
    match Machine::make(library) {
        Ok(machine) => {
            watch_driver();
            let machine: &'static Machine = Box::leak(Box::new(machine));
            *begun = Some(machine);
            Ok(machine)
        }
        Err(error) => {
            // Relaxed: as above.
            BEGUN.store(false, Ordering::Relaxed);
            Err(error)
        }
    }
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
        let refused = |refusal: crate::sys::Refusal| absent(&refusal.error(&"vulkan"));
        let instance = Instance::create(library).map_err(refused)?;
        let found = instance.devices().map_err(refused)?;
        let (mut devices, mut lacks) = (Vec::new(), Vec::new());
        for device in found {
            match device {
                Ok(device) => devices.push(device),
                Err(lack) => lacks.push(lack),
            }
        }
        Ok(Self { instance, library, devices, lacks })
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

#[cold]
fn forked() -> Error {
    let message = "the driver of Vulkan was in use as this process was forked, and works in the parent alone; fork before \
                   the first use of Vulkan, or start the child as a program of its own";
    Error::new(Kind::Unavailable, message)
}
