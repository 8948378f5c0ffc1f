//! The registry: the backends built in, their devices, and why one is not to be had.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use syncpoint_base::PerProcess;
use syncpoint_core::{Device, Error, Reason, Result};

/// Opens a device by its name: `host:0`, or `host` for the first of a backend.
///
/// The same name gives the same device to the whole process until that is shut down or lost, and then another; a child of a
/// fork opens its own. A driver that has lost the device to the whole process, as CUDA's does where a context is broken,
/// refuses it once more.
///
/// Opening the host makes no thread and calls no driver. The first device of a driver begins that driver, which may take
/// seconds. Calls of `open` come one after another: while one thread begins a driver, all others wait, whatever they open.
///
/// # Errors
/// `Misuse(OutOfRange)`: no such backend or index, or not a name at all. `Unavailable`: the backend is not built in,
/// or its device is absent; the message says what was searched. `Unsupported`: the backend is of another system.
///
/// # Examples
/// ```
/// let host = syncpoint::open("host:0")?;
/// assert_eq!(host, syncpoint::open("host")?);
/// let error = syncpoint::open("toaster:0").unwrap_err();
/// assert!(error.to_string().contains("host"));
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn open(name: &str) -> Result<Device> {
    let (backend, index) = parse(name)?;
    let canonical = format!("{}:{index}", backend.name);
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(device) = opened.get(&canonical).filter(|device| !device.is_spent()) {
        return Ok(device.clone());
    }
    let device = (backend.open)(&canonical, index)?;
    let spent = opened.insert(canonical, device.clone());
    // Not under the lock: it may be the last name of it.
    drop(opened);
    drop(spent);
    Ok(device)
}

/// The names of the devices that [`open`] can open on this machine now, simulated ones (`sim:0`) included. Begins the drivers
/// that have to count theirs.
pub fn devices() -> Vec<String> {
    let all = BACKENDS.iter().map(|backend| (backend.name, (backend.count)()));
    let present = all.filter_map(|(name, count)| Some((name, count.ok()?)));
    present
        .flat_map(|(name, count)| (0..count).map(move |index| format!("{name}:{index}")))
        .collect()
}

/// Every backend that this library knows, with its number of devices or why it has none. Begins no driver: that takes
/// long, and a child of a fork could not use it any more.
///
/// # Examples
/// ```
/// for each in syncpoint::available() {
///     match each.devices {
///         Ok(Some(count)) => println!("{} has {count}", each.backend),
///         Ok(None) => println!("{} has a driver; ask devices() or open one", each.backend),
///         Err(error) => println!("{}: {error}", each.backend),
///     }
/// }
/// ```
pub fn available() -> Vec<Availability> {
    let availability =
        |backend: &Backend| Availability { backend: backend.name, devices: (backend.ask)() };
    BACKENDS.iter().map(availability).collect()
}

/// Whether a backend can be used here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Availability {
    /// The backend, such as `host`.
    pub backend: &'static str,
    /// How many devices it has, `None` where its driver is there and would have to begin to count them; an error
    /// says why it has none: `Unavailable` with what was searched, or `Unsupported` where it is of another system.
    pub devices: Result<Option<u32>>,
}

struct Backend {
    name: &'static str,
    /// As [`count`](Self::count), without beginning a driver.
    ask: fn() -> Result<Option<u32>>,
    count: fn() -> Result<u32>,
    open: fn(&str, u32) -> Result<Device>,
}

/// The devices opened so far. Guards the table; a backend's open runs under it, so that two threads that open one
/// device get the same.
static OPENED: PerProcess<Mutex<BTreeMap<String, Device>>> = PerProcess::new(Mutex::default);

const BACKENDS: [Backend; 5] = [
    Backend { name: "host", ask: || host::count().map(Some), count: host::count, open: host::open },
    Backend { name: "sim", ask: || sim::count().map(Some), count: sim::count, open: sim::open },
    Backend { name: "cuda", ask: cuda::ask, count: cuda::count, open: cuda::open },
    Backend { name: "vulkan", ask: vulkan::ask, count: vulkan::count, open: vulkan::open },
    Backend { name: "metal", ask: metal::ask, count: metal::count, open: metal::open },
];

#[cfg(feature = "host")]
mod host {
    use super::{Device, Result, check_index};

    #[expect(clippy::unnecessary_wraps, reason = "every backend answers in the same way")]
    pub(super) fn count() -> Result<u32> {
        Ok(1)
    }

    pub(super) fn open(name: &str, index: u32) -> Result<Device> {
        check_index("host", index, 1)?;
        Ok(syncpoint_host::open(name))
    }
}

#[cfg(not(feature = "host"))]
mod host {
    use super::{Device, Result, not_built};

    pub(super) fn count() -> Result<u32> {
        Err(not_built("host"))
    }

    pub(super) fn open(_name: &str, _index: u32) -> Result<Device> {
        Err(not_built("host"))
    }
}

#[cfg(feature = "sim")]
mod sim {
    use super::{Device, Result, check_index};

    #[expect(clippy::unnecessary_wraps, reason = "every backend answers in the same way")]
    pub(super) fn count() -> Result<u32> {
        Ok(syncpoint_sim::DEVICES)
    }

    pub(super) fn open(_name: &str, index: u32) -> Result<Device> {
        check_index("sim", index, syncpoint_sim::DEVICES)?;
        syncpoint_sim::open(index)
    }
}

#[cfg(not(feature = "sim"))]
mod sim {
    use super::{Device, Result, not_built};

    pub(super) fn count() -> Result<u32> {
        Err(not_built("sim"))
    }

    pub(super) fn open(_name: &str, _index: u32) -> Result<Device> {
        Err(not_built("sim"))
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use super::{Device, Result};

    pub(super) fn ask() -> Result<Option<u32>> {
        syncpoint_cuda::available()
    }

    pub(super) fn count() -> Result<u32> {
        syncpoint_cuda::count()
    }

    pub(super) fn open(_name: &str, index: u32) -> Result<Device> {
        syncpoint_cuda::open(index)
    }
}

#[cfg(not(feature = "cuda"))]
mod cuda {
    use super::{Device, Result, not_built};

    pub(super) fn ask() -> Result<Option<u32>> {
        Err(not_built("cuda"))
    }

    pub(super) fn count() -> Result<u32> {
        Err(not_built("cuda"))
    }

    pub(super) fn open(_name: &str, _index: u32) -> Result<Device> {
        Err(not_built("cuda"))
    }
}

#[cfg(feature = "vulkan")]
mod vulkan {
    use super::{Device, Result};

    pub(super) fn ask() -> Result<Option<u32>> {
        syncpoint_vulkan::available()
    }

    pub(super) fn count() -> Result<u32> {
        syncpoint_vulkan::count()
    }

    pub(super) fn open(_name: &str, index: u32) -> Result<Device> {
        syncpoint_vulkan::open(index)
    }
}

#[cfg(not(feature = "vulkan"))]
mod vulkan {
    use super::{Device, Result, not_built};

    pub(super) fn ask() -> Result<Option<u32>> {
        Err(not_built("vulkan"))
    }

    pub(super) fn count() -> Result<u32> {
        Err(not_built("vulkan"))
    }

    pub(super) fn open(_name: &str, _index: u32) -> Result<Device> {
        Err(not_built("vulkan"))
    }
}

#[cfg(feature = "metal")]
mod metal {
    use super::{Device, Result};

    pub(super) fn ask() -> Result<Option<u32>> {
        syncpoint_metal::available()
    }

    pub(super) fn count() -> Result<u32> {
        syncpoint_metal::count()
    }

    pub(super) fn open(_name: &str, index: u32) -> Result<Device> {
        syncpoint_metal::open(index)
    }
}

#[cfg(not(feature = "metal"))]
mod metal {
    use super::{Device, Result, not_built};

    pub(super) fn ask() -> Result<Option<u32>> {
        Err(not_built("metal"))
    }

    pub(super) fn count() -> Result<u32> {
        Err(not_built("metal"))
    }

    pub(super) fn open(_name: &str, _index: u32) -> Result<Device> {
        Err(not_built("metal"))
    }
}

fn parse(name: &str) -> Result<(&'static Backend, u32)> {
    let (backend, index) = name.split_once(':').unwrap_or((name, "0"));
    let known = BACKENDS.iter().find(|known| known.name == backend).ok_or_else(|| unknown(name))?;
    let index = index.parse().map_err(|_| not_an_index(name))?;
    Ok((known, index))
}

#[cfg(any(feature = "host", feature = "sim"))]
fn check_index(backend: &str, index: u32, count: u32) -> Result<()> {
    if index < count {
        return Ok(());
    }
    let message =
        format!("{backend}:{index} does not exist; {backend} has {count}, counted from 0");
    Err(Error::misuse(Reason::OutOfRange, message))
}

#[cold]
fn not_an_index(name: &str) -> Error {
    let message =
        format!("{name:?} names no device; write the backend and an index from 0, such as host:0");
    Error::misuse(Reason::OutOfRange, message)
}

#[cold]
fn unknown(name: &str) -> Error {
    let known: Vec<&str> = BACKENDS.iter().map(|backend| backend.name).collect();
    let message = format!("{name:?} names no backend; the backends are {}", known.join(", "));
    Error::misuse(Reason::OutOfRange, message)
}

#[cfg(not(all(
    feature = "host",
    feature = "sim",
    feature = "cuda",
    feature = "vulkan",
    feature = "metal"
)))]
#[cold]
fn not_built(backend: &str) -> Error {
    let message =
        format!("{backend} is not built in; build syncpoint with its feature {backend:?}");
    Error::new(syncpoint_core::Kind::Unavailable, message)
}
