//! The ground of a device: its name, the process that it is of, and whether it is lost.

use std::fmt;

use syncpoint_base::{Inside, Process};

use crate::error::{Error, Kind, Result};
use crate::sync::process::OnceLock;

/// What the streams of one device, and whatever else is made of it, stand on.
pub struct Ground {
    name: String,
    process: Process,
    /// The first cause, where the device is lost.
    lost: OnceLock<Error>,
}

impl Ground {
    /// The ground of a device of this name, such as `vulkan:0`, in the process that calls.
    pub fn new(name: String) -> Self {
        Self { name, process: Process::current(), lost: OnceLock::new() }
    }

    /// The name of the device.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Refuses a device that is lost, with the first cause, before the driver is asked.
    ///
    /// # Errors
    /// The first cause.
    #[inline]
    pub fn check(&self) -> Result<()> {
        self.lost.get().map_or(Ok(()), |first| Err(first.of_before()))
    }

    /// Whether this is a child of the process that opened the device: its locks may be held by threads of the parent.
    #[inline]
    pub fn is_inherited(&self) -> bool {
        !self.process.is_current()
    }

    /// Whether it is lost.
    #[inline]
    pub fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// Whether the driver may be asked: the device is of this process, and not lost.
    #[inline]
    pub fn is_usable(&self) -> bool {
        !self.is_inherited() && self.lost.get().is_none()
    }

    /// Goes to the driver, unless the device is lost or the process comes to its end, and the driver with it.
    ///
    /// # Errors
    /// `DeviceLost`; `Unavailable`.
    #[inline]
    pub fn enter(&self) -> Result<Inside> {
        self.check()?;
        Inside::enter().ok_or_else(|| self.ending())
    }

    /// The refusal of what the driver would be given while the process comes to its end.
    #[cold]
    pub fn ending(&self) -> Error {
        let message =
            format!("{} takes nothing while the process exits; shut it down before", self.name);
        Error::new(Kind::Unavailable, message)
    }

    /// The device is lost. Gives the first cause, which this is if nobody said so before: then whoever says it sees to it
    /// that everything of the device fails.
    pub fn lose(&self, error: &Error) -> Error {
        self.lost.get_or_init(|| error.clone()).clone()
    }
}

impl fmt::Debug for Ground {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ground({})", self.name)
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_of_a_loss_is_told_to_everybody() {
        let ground = Ground::new("sim:0".to_owned());
        assert!(ground.check().is_ok() && ground.is_usable());
        let first = Error::new(Kind::DeviceLost, "the first");
        assert!(ground.lose(&first).is_same(&first));
        let second = Error::new(Kind::DeviceLost, "the second");
        assert!(ground.lose(&second).is_same(&first));
        assert!(ground.enter().unwrap_err().is_same(&first) && !ground.is_usable());
    }
}
