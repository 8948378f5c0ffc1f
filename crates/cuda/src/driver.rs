//! The driver of this process: found once, and begun at the first need.

use std::path::{Path, PathBuf};

use syncpoint_base::{PerProcess, watch_driver};
use syncpoint_core::{Error, Kind, Reason, Result};

use crate::sync::{AtomicBool, Mutex, OnceLock, Ordering, lock};
use crate::sys::Library;

/// The driver of CUDA, its library open.
#[derive(Debug)]
pub(crate) struct Driver {
    library: Library,
}

/// The library that [`use_library`] named.
static NAMED: OnceLock<PathBuf> = OnceLock::new();

/// What the search found. A child of a fork has it from its parent: the loader may not be asked there, since threads of
/// the parent may have held its locks.
static FOUND: OnceLock<Result<Driver>> = OnceLock::new();

/// Whether the driver has begun, in this process or one before it.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// How many devices there are, once the driver has begun in this process. Held while it begins, which may take long:
/// nobody goes on before.
static COUNT: PerProcess<Mutex<Option<u32>>> = PerProcess::new(Mutex::default);

/// Opens this library instead of the driver's: a stand-in for tests, or a driver in a place of its own. It comes before
/// the variable `SYNCPOINT_CUDA_LIBRARY`.
///
/// # Errors
/// `Misuse(Contradiction)`: a library was searched already, or another was named.
///
/// # Examples
/// ```no_run
/// syncpoint::cuda::use_library("/opt/stand-in/libcuda.so.1".as_ref())?;
/// let device = syncpoint::open("cuda:0")?;
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn use_library(path: &Path) -> Result<()> {
    let is_late = FOUND.get().is_some();
    let named = if is_late { NAMED.get() } else { Some(NAMED.get_or_init(|| path.to_owned())) };
    if named.is_some_and(|named| named == path) {
        return Ok(());
    }
    let message = format!(
        "{} cannot be used for CUDA, because a library was opened or named before; name it first, and once",
        path.display()
    );
    Err(Error::misuse(Reason::Contradiction, message))
}

/// The driver, its library open and nothing called.
///
/// # Errors
/// `Unavailable`: with what was tried.
pub(crate) fn found() -> Result<&'static Driver> {
    if FOUND.get().is_none() {
        // Searched first: the loader may take long.
        let found = find();
        // Another thread that was first has found the same.
        let _kept = FOUND.set(found);
    }
    let found = FOUND.get_or_init(find);
    found.as_ref().map_err(Error::clone)
}

fn find() -> Result<Driver> {
    let library = Library::open(NAMED.get())
        .map_err(|search| Error::new(Kind::Unavailable, search.to_string()))?;
    let lacks = library.lacks();
    if lacks.is_empty() {
        return Ok(Driver { library });
    }
    let version = library.version();
    let version = version.map_or_else(String::new, |version| format!(", of CUDA {version},"));
    let message =
        format!("{}{version} lacks {}; install a newer driver", library.name(), lacks.join(", "));
    Err(Error::new(Kind::Unavailable, message))
}

/// How many devices the driver has, where it has begun.
pub(crate) fn counted() -> Option<u32> {
    *lock(&COUNT)
}

impl Driver {
    pub(crate) fn library(&self) -> &Library {
        &self.library
    }

    /// Begins, unless it has, and counts its devices.
    ///
    /// # Errors
    /// `Unavailable`: it cannot begin, or it has begun in the process from which this one was forked.
    pub(crate) fn begin(&self) -> Result<u32> {
        let mut begun = lock(&COUNT);
        if let Some(count) = *begun {
            return Ok(count);
        }
        // Relaxed: what a fork copied is seen by the child, and this process begins under the lock.
        if BEGUN.swap(true, Ordering::Relaxed) {
            return Err(forked());
        }
        match self.library.begin().and_then(|()| self.library.count()) {
            Ok(count) => {
                watch_driver();
                *begun = Some(count);
                Ok(count)
            }
            Err(refusal) => {
                // Relaxed: as above.
                BEGUN.store(false, Ordering::Relaxed);
                let name = refusal.code().and_then(|code| self.library.name_of(code));
                Err(self.unavailable(&refusal.error(&"CUDA", name)))
            }
        }
    }

    /// Whatever the driver says as it begins, it means that there are no devices.
    fn unavailable(&self, error: &Error) -> Error {
        let version = self.library.version();
        let version = version.map_or_else(String::new, |version| format!(", CUDA {version}"));
        let message = format!("{} ({}{version})", error.message(), self.library.name());
        let unavailable = Error::new(Kind::Unavailable, message);
        match error.code() {
            Some((code, name)) => unavailable.with_code(code, name),
            None => unavailable,
        }
    }
}

#[cold]
fn forked() -> Error {
    let message = "the driver of CUDA was in use as this process was forked, and works in the parent alone; fork before \
                   the first use of CUDA, or start the child as a program of its own";
    Error::new(Kind::Unavailable, message)
}
