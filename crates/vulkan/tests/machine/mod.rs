//! What the machine has of Vulkan, for tests that do nothing without.

#![allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]

use std::env;

use syncpoint_conformance::{skip, tell};

/// What a driver may lack that a test is for, in the words of `SYNCPOINT_LACKS`.
pub(crate) const TWO_CLOCKS: &str = "two-clocks";
pub(crate) const NANOSECONDS: &str = "nanoseconds";

/// What is missing here; `None` where there is a device.
pub(crate) fn lack() -> Option<String> {
    match syncpoint::vulkan::open(0) {
        Ok(_device) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// Whether a test can do what it is for. Where it cannot that is said aloud.
pub(crate) fn is_there() -> bool {
    let lack = lack();
    if let Some(lack) = &lack {
        skip(lack);
    }
    lack.is_none()
}

/// Whether the driver has what a test is for. Where it has not that is said aloud, and where nothing may be skipped only a
/// driver may lack it of which the routine knows that (`SYNCPOINT_LACKS`, words between commas).
#[track_caller]
pub(crate) fn has(what: &str, is_there: bool) -> bool {
    if is_there {
        return true;
    }
    let known = env::var("SYNCPOINT_LACKS").unwrap_or_default();
    if known.split(',').any(|known| known == what) {
        tell(&format!("NOT TRIED: this driver lacks what it is known to lack: {what}"));
    } else {
        skip(&format!("this driver lacks {what}"));
    }
    false
}
