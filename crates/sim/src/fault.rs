//! Faults that a simulated device shows when it is asked to.

use std::collections::BTreeMap;
use std::time::Duration;

use syncpoint_core::{Error, Kind};

/// What goes wrong with one operation of a device.
///
/// # Examples
/// A signal that never comes, and what the wait for it says:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use std::time::Duration;
/// use syncpoint::{Kind, sim::{Fault, Sim}};
///
/// let sim = Sim::builder().stepped().build();
/// let stream = sim.device(0)?.stream()?;
/// sim.plan(0, 1, Fault::NoSignal)?;
/// stream.delay(Duration::from_micros(1))?;
/// let error = stream.synchronize_timeout(Duration::from_millis(1)).unwrap_err();
/// assert_eq!(error.kind(), Kind::TimedOut);
/// println!("{error}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The device is lost when the operation would end: everything of it that nobody has seen complete fails.
    Lose,
    /// The operation ends in failure, and with it everything that is ordered behind it.
    Fail,
    /// The driver refuses the operation: the call that submits it fails, or, where it was held, its stream.
    Refuse,
    /// The host hears of its end so much later than it would. Other streams of the device do not notice.
    SlowSignal(Duration),
    /// The host never hears of its end, nor of anything later on its stream: who waits, waits until a deadline.
    NoSignal,
}

/// The faults planned for one device, by the number of the operation, and how many operations it was given.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    faults: BTreeMap<u64, Fault>,
    operations: u64,
}

impl Plan {
    pub(crate) fn add(&mut self, operation: u64, fault: Fault) {
        self.faults.insert(operation, fault);
    }

    /// How many operations the device was given.
    pub(crate) fn operations(&self) -> u64 {
        self.operations
    }

    /// Counts one more operation, and gives the fault that it shows.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        self.operations += 1;
        self.faults.remove(&self.operations)
    }
}

#[cold]
pub(crate) fn lost(device: &str) -> Error {
    Error::new(Kind::DeviceLost, format!("{device} is lost; open it anew"))
}

#[cold]
pub(crate) fn gone(device: &str) -> Error {
    let message = format!(
        "nobody holds the simulated world of {device} any more; keep the sim, a device or a stream of it"
    );
    Error::new(Kind::DeviceLost, message)
}

#[cold]
pub(crate) fn refused(device: &str, operation: u64) -> Error {
    let message =
        format!("{device} refused operation {operation}, as planned; take the fault off the plan");
    Error::new(Kind::Driver, message).with_code(1, "SIM_REFUSED")
}

#[cold]
pub(crate) fn failed(device: &str, operation: u64) -> Error {
    Error::failed(format!(
        "operation {operation} of {device} failed, as planned; take the fault off the plan"
    ))
}
