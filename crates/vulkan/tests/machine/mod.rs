//! What the machine has of Vulkan, for tests that do nothing without.

use syncpoint_conformance::skip;

/// What is missing here; `None` where there is a device.
pub(crate) fn lack() -> Option<String> {
    match syncpoint::vulkan::open(0) {
        Ok(_device) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// Whether a test can do what it is for. Where it cannot that is said aloud.
#[allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]
pub(crate) fn is_there() -> bool {
    let lack = lack();
    if let Some(lack) = &lack {
        skip(lack);
    }
    lack.is_none()
}
