//! The driver of this process: found once, and begun at the first need.

use std::path::Path;

use syncpoint_core::beginning::Beginning;
use syncpoint_core::library::{self, Places, Sought};
use syncpoint_core::{Error, Kind, Result};

use crate::sys::{Library, PLACES};

/// The driver of CUDA, its library open.
#[derive(Debug)]
pub(crate) struct Driver {
    library: Library,
}

/// The driver.
static DRIVER: library::Library<Driver> = library::Library::new(Sought {
    what: "driver of CUDA",
    by: "CUDA",
    variable: "SYNCPOINT_CUDA_LIBRARY",
    places: PLACES,
    remedy: "install NVIDIA's driver",
});

/// How many devices there are, once the driver has begun in this process.
static COUNT: Beginning<u32> = Beginning::new("CUDA");

/// Opens this library instead of the driver's: a stand-in for tests, or a driver in a place of its own. It comes before
/// the variable `SYNCPOINT_CUDA_LIBRARY`. What the library does as it is loaded and called is its own: name one that is trusted
/// as the driver is. The call is safe as a path for the loader is, which any program has in its environment.
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
    DRIVER.name(path)
}

/// The driver, its library open and nothing called.
///
/// # Errors
/// `Unavailable`: with what was tried.
pub(crate) fn found() -> Result<&'static Driver> {
    DRIVER.found(find)
}

fn find(places: &Places<'_>) -> Result<Driver> {
    let library = places.open(Library::load)?;
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
    COUNT.given()
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
        COUNT.once(|| {
            self.library.begin().and_then(|()| self.library.count()).map_err(|refusal| {
                let name = refusal.code().and_then(|code| self.library.name_of(code));
                self.unavailable(&refusal.error(&"CUDA", name))
            })
        })
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
