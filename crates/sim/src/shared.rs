//! The world that the whole process shares: the devices that are opened by their names.

use syncpoint_base::PerProcess;
use syncpoint_core::{Device, Result};

use crate::sim::Sim;

/// How many devices [`open`] knows: two, so that waits across devices can be tried.
pub const DEVICES: u32 = 2;

/// A device of the world that the whole process shares: automatic, of seed 0. What `syncpoint::open("sim:0")` gives.
/// Once it was shut down, each call gives another over the same.
///
/// # Errors
/// `Misuse(OutOfRange)`: there are [`DEVICES`].
///
/// # Examples
/// ```
/// assert_eq!(syncpoint::sim::open(0)?, syncpoint::open("sim:0")?);
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn open(index: u32) -> Result<Device> {
    static SHARED: PerProcess<Sim> = PerProcess::new(|| Sim::builder().devices(DEVICES).build());
    SHARED.open(index)
}
