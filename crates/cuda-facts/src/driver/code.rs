//! The codes of the driver, with the names that its manual gives them.

use std::fmt::{self, Display, Formatter};

/// What a call returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) i32);

impl Code {
    pub(crate) const SUCCESS: Self = Self(0);
    pub(crate) const NOT_READY: Self = Self(600);
}

impl Display for Code {
    /// The driver's own name of a code would be one more thing that can be missing, so the names stand here.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => write!(formatter, "{name}"),
            None => write!(formatter, "code {}", self.0),
        }
    }
}

/// Those that a call of this program may return, without the prefix `CUDA_` or `CUDA_ERROR_`.
const NAMES: &[(i32, &str)] = &[
    (0, "SUCCESS"),
    (1, "INVALID_VALUE"),
    (2, "OUT_OF_MEMORY"),
    (3, "NOT_INITIALIZED"),
    (4, "DEINITIALIZED"),
    (34, "STUB_LIBRARY"),
    (46, "DEVICE_UNAVAILABLE"),
    (100, "NO_DEVICE"),
    (101, "INVALID_DEVICE"),
    (200, "INVALID_IMAGE"),
    (201, "INVALID_CONTEXT"),
    (205, "MAP_FAILED"),
    (209, "NO_BINARY_FOR_GPU"),
    (217, "PEER_ACCESS_UNSUPPORTED"),
    (218, "INVALID_PTX"),
    (221, "JIT_COMPILER_NOT_FOUND"),
    (222, "UNSUPPORTED_PTX_VERSION"),
    (304, "OPERATING_SYSTEM"),
    (400, "INVALID_HANDLE"),
    (401, "ILLEGAL_STATE"),
    (500, "NOT_FOUND"),
    (600, "NOT_READY"),
    (700, "ILLEGAL_ADDRESS"),
    (702, "LAUNCH_TIMEOUT"),
    (708, "PRIMARY_CONTEXT_ACTIVE"),
    (709, "CONTEXT_IS_DESTROYED"),
    (712, "HOST_MEMORY_ALREADY_REGISTERED"),
    (713, "HOST_MEMORY_NOT_REGISTERED"),
    (715, "ILLEGAL_INSTRUCTION"),
    (719, "LAUNCH_FAILED"),
    (800, "NOT_PERMITTED"),
    (801, "NOT_SUPPORTED"),
    (802, "SYSTEM_NOT_READY"),
    (803, "SYSTEM_DRIVER_MISMATCH"),
    (804, "COMPAT_NOT_SUPPORTED_ON_DEVICE"),
    (900, "STREAM_CAPTURE_UNSUPPORTED"),
    (901, "STREAM_CAPTURE_INVALIDATED"),
    (902, "STREAM_CAPTURE_MERGE"),
    (903, "STREAM_CAPTURE_UNMATCHED"),
    (904, "STREAM_CAPTURE_UNJOINED"),
    (905, "STREAM_CAPTURE_ISOLATION"),
    (906, "STREAM_CAPTURE_IMPLICIT"),
    (907, "CAPTURED_EVENT"),
    (908, "STREAM_CAPTURE_WRONG_THREAD"),
    (909, "TIMEOUT"),
    (999, "UNKNOWN"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_by_its_name_and_an_unknown_one_by_its_number() {
        assert_eq!(Code(907).to_string(), "CAPTURED_EVENT");
        assert_eq!(Code(12_345).to_string(), "code 12345");
    }

    #[test]
    fn no_code_has_two_names() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0), "in the order of the numbers");
    }
}
