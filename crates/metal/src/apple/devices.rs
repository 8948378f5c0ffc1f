//! The devices of the machine, and the process that uses them.

use objc2::rc::{Retained, autoreleasepool};
use objc2::runtime::ProtocolObject;
#[cfg(target_os = "macos")]
use objc2_metal::MTLCopyAllDevices;
use objc2_metal::{MTLCreateSystemDefaultDevice, MTLDevice};
use syncpoint_base::watch_driver;
use syncpoint_core::beginning::Beginning;
use syncpoint_core::{Device, Error, Kind, Reason, Result};

use super::calls::Metal;
use crate::context::Limits;
use crate::device::open_over;
use crate::sync::OnceLock;

/// In a child of the process in which Metal was first used it does not work.
static METAL: Beginning<()> = Beginning::new("Metal");

/// Whether the devices were listed. Asked once Metal has begun here: a child of a fork may find it half-made.
static LISTED: OnceLock<()> = OnceLock::new();

/// Metal begins in this process, unless it has in an ancestor.
pub(super) fn begin() -> Result<()> {
    METAL.once(|| Ok(()))
}

type Devices = Vec<Retained<ProtocolObject<dyn MTLDevice>>>;

fn all() -> Result<Devices> {
    begin()?;
    let all = autoreleasepool(|_| listed());
    // Once: now Metal has begun, and has registered handlers of its own.
    LISTED.get_or_init(watch_driver);
    Ok(all)
}

/// In a sandbox the list may be empty where there is a default device, and elsewhere the other way round.
fn listed() -> Devices {
    let all = copied();
    if all.is_empty() { MTLCreateSystemDefaultDevice().into_iter().collect() } else { all }
}

#[cfg(target_os = "macos")]
fn copied() -> Devices {
    MTLCopyAllDevices().to_vec()
}

/// Apple's other systems have one device, and the call for all of them since iOS 18 alone: a program that names it is not
/// loaded before.
#[cfg(not(target_os = "macos"))]
fn copied() -> Devices {
    Devices::new()
}

/// All of them, the system's own choice first, where it names one: Metal promises no order.
fn sorted() -> Result<Devices> {
    let mut devices = all()?;
    let first = autoreleasepool(|_| MTLCreateSystemDefaultDevice().map(|first| first.registryID()));
    devices.sort_by_key(|device| Some(device.registryID()) != first);
    Ok(devices)
}

/// There is Metal wherever this is built for. It counts its devices once it has begun.
pub(crate) fn available() -> Result<Option<u32>> {
    METAL.given().map(|()| count()).transpose()
}

/// How many devices there are.
pub(crate) fn count() -> Result<u32> {
    Ok(u32::try_from(all()?.len()).unwrap_or(u32::MAX))
}

pub(crate) fn open(index: u32) -> Result<Device> {
    let mut devices = sorted()?;
    let (count, at) = (devices.len(), usize::try_from(index).unwrap_or(usize::MAX));
    if count == 0 {
        let message = "Metal has no device here; run where there is a GPU, and outside a sandbox that hides it";
        return Err(Error::new(Kind::Unavailable, message));
    }
    if at >= count {
        let message = format!("metal:{index} does not exist; metal has {count}, counted from 0");
        return Err(Error::misuse(Reason::OutOfRange, message));
    }
    let metal = Metal::new(devices.swap_remove(at));
    open_over(format!("metal:{index}"), metal, Limits::default())
}
