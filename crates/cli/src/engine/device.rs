//! Opening the devices that a plan or a command line names, and why one is not to be had.

use syncpoint::{Device, Error, Kind};

use crate::plan::DeviceName;

/// Opens a device. If it is not to be had, the answer goes on after its name: why, and what to do.
///
/// # Errors
///
/// The words for a person: there is none of this number, or its backend cannot be used here.
pub fn open(name: &DeviceName) -> Result<Device, String> {
    syncpoint::open(&name.to_string()).map_err(|error| absence(name, &error))
}

fn absence(name: &DeviceName, error: &Error) -> String {
    let backend = name.backend();
    let mut there = syncpoint::devices();
    there.retain(|device| device.split(':').next() == Some(backend));
    match (error.kind(), &there[..]) {
        (Kind::Misuse(_), [only]) => format!("which does not exist; there is only {only}"),
        (Kind::Misuse(_), [_, ..]) => {
            format!("which does not exist; there are {}", there.join(", "))
        }
        _ => format!("which is not to be had: {}", error.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> String {
        open(&name.parse().unwrap()).unwrap_err()
    }

    #[test]
    fn a_device_that_is_not_here_is_told_with_those_that_are() {
        assert_eq!(refusal("host:7"), "which does not exist; there is only host:0");
        assert_eq!(refusal("sim:2"), "which does not exist; there are sim:0, sim:1");
        assert!(refusal("metal:0").starts_with("which is not to be had: metal "));
    }
}
