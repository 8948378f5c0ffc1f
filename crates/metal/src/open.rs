//! Opening: the devices of the machine, by their numbers.

use syncpoint_core::{Device, Result};

#[cfg(target_vendor = "apple")]
use crate::apple as system;
#[cfg(not(target_vendor = "apple"))]
use crate::elsewhere as system;

/// Opens a device, by its number among those of Metal: 0 is the one that the system itself would take
/// (`MTLCreateSystemDefaultDevice`), the others come in the order in which Metal names them.
///
/// Each call gives a device of its own: `syncpoint::open("metal:0")` gives the same one to everybody. Two of one device of
/// the machine wait for each other through the host.
///
/// # Errors
/// `Unsupported`: this is no system of Apple's. `Unavailable`: there is no device, or one without shared events, as in some
/// sandboxes, or Metal was in use as this process was forked. `Misuse(OutOfRange)`: there are fewer.
///
/// # Examples
/// How long a fill takes on the device's own clock:
/// ```no_run
/// let device = syncpoint::metal::open(0)?;
/// let (stream, buffer) = (device.stream()?, device.buffer(1 << 20)?);
/// let start = stream.record_timed()?;
/// stream.fill(&buffer, 0..1 << 20, 7)?;
/// let end = stream.record_timed()?;
/// end.synchronize()?;
/// println!("{:?}", end.elapsed_since(&start)?);
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn open(index: u32) -> Result<Device> {
    system::open(index)
}

/// How many devices there are.
///
/// # Errors
/// `Unsupported`: this is no system of Apple's. `Unavailable`: Metal was in use as this process was forked.
pub fn count() -> Result<u32> {
    system::count()
}

/// Whether there is Metal, and how many devices there are where this process used it before: `None` where it did not, since a
/// child of a fork could not use it any more.
///
/// # Errors
/// As [`count`].
pub fn available() -> Result<Option<u32>> {
    system::available()
}

#[cfg(all(test, not(target_vendor = "apple"), not(syncpoint_loom)))]
mod tests {
    use syncpoint_core::Kind;

    use super::*;

    #[test]
    fn where_there_is_no_metal_every_question_is_answered_with_the_reason() {
        let refusals = [open(0).map(drop), count().map(drop), available().map(drop)];
        for refusal in refusals.map(|answer| answer.unwrap_err()) {
            assert_eq!(refusal.kind(), Kind::Unsupported);
            assert!(refusal.message().contains("Apple"), "{refusal}");
        }
    }
}
