//! The driver's codes: what each says of a call, of its context, and of what to do.

use std::fmt;
use std::num::NonZeroU32;

use syncpoint_core::{Error, Kind, Reason};

use super::table::Function;
use super::types::Status;

/// A call that the driver refused, or that it does not know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    function: &'static Function,
    /// `None`: the library lacks the function. Two words with it, so that the outcome of a call stays in registers.
    code: Option<NonZeroU32>,
}

/// `CUDA_ERROR_NOT_READY`: an answer of a query.
const NOT_READY: u32 = 600;

/// `CUDA_ERROR_OUT_OF_MEMORY`.
const NO_ROOM: u32 = 2;

/// `CUDA_ERROR_DEINITIALIZED`: the driver is gone, as the process ends.
const DEINITIALIZED: u32 = 4;

/// `CUDA_ERROR_INVALID_CONTEXT`: mostly that none is current.
const INVALID_CONTEXT: u32 = 201;

/// `CUDA_ERROR_INVALID_HANDLE`: where a context is current, mostly that it is another's.
const INVALID_HANDLE: u32 = 400;

/// The driver's codes that are acted upon here, by their names. The rest are told with the name that the driver has.
const NAMES: &[(u32, &str)] = &[
    (1, "CUDA_ERROR_INVALID_VALUE"),
    (NO_ROOM, "CUDA_ERROR_OUT_OF_MEMORY"),
    (3, "CUDA_ERROR_NOT_INITIALIZED"),
    (DEINITIALIZED, "CUDA_ERROR_DEINITIALIZED"),
    (34, "CUDA_ERROR_STUB_LIBRARY"),
    (46, "CUDA_ERROR_DEVICE_UNAVAILABLE"),
    (100, "CUDA_ERROR_NO_DEVICE"),
    (INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"),
    (209, "CUDA_ERROR_NO_BINARY_FOR_GPU"),
    (214, "CUDA_ERROR_ECC_UNCORRECTABLE"),
    (218, "CUDA_ERROR_INVALID_PTX"),
    (220, "CUDA_ERROR_NVLINK_UNCORRECTABLE"),
    (221, "CUDA_ERROR_JIT_COMPILER_NOT_FOUND"),
    (222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
    (223, "CUDA_ERROR_JIT_COMPILATION_DISABLED"),
    (226, "CUDA_ERROR_CONTAINED"),
    (INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"),
    (NOT_READY, "CUDA_ERROR_NOT_READY"),
    (700, "CUDA_ERROR_ILLEGAL_ADDRESS"),
    (702, "CUDA_ERROR_LAUNCH_TIMEOUT"),
    (709, "CUDA_ERROR_CONTEXT_IS_DESTROYED"),
    (710, "CUDA_ERROR_ASSERT"),
    (714, "CUDA_ERROR_HARDWARE_STACK_ERROR"),
    (715, "CUDA_ERROR_ILLEGAL_INSTRUCTION"),
    (716, "CUDA_ERROR_MISALIGNED_ADDRESS"),
    (717, "CUDA_ERROR_INVALID_ADDRESS_SPACE"),
    (718, "CUDA_ERROR_INVALID_PC"),
    (719, "CUDA_ERROR_LAUNCH_FAILED"),
    (721, "CUDA_ERROR_TENSOR_MEMORY_LEAK"),
    (801, "CUDA_ERROR_NOT_SUPPORTED"),
    (802, "CUDA_ERROR_SYSTEM_NOT_READY"),
    (803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
    (804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE"),
    (805, "CUDA_ERROR_MPS_CONNECTION_FAILED"),
    (807, "CUDA_ERROR_MPS_SERVER_NOT_READY"),
    (808, "CUDA_ERROR_MPS_MAX_CLIENTS_REACHED"),
    (809, "CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED"),
    (810, "CUDA_ERROR_MPS_CLIENT_TERMINATED"),
    (900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"),
    (901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"),
    (905, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION"),
    (906, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT"),
    (907, "CUDA_ERROR_CAPTURED_EVENT"),
    (911, "CUDA_ERROR_EXTERNAL_DEVICE"),
    (999, "CUDA_ERROR_UNKNOWN"),
];

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// There is no room.
    NoRoom,
    /// As many processes as its server lets use the device do.
    Crowded,
    /// The driver is not there, or not for this process.
    Absent,
    /// The driver or device cannot do it.
    Unsupported,
    /// The context is broken for good: every later call gives the same code (*documented*).
    Lost,
    /// A capture forbids it.
    Capturing,
    /// Anything else.
    Other,
}

impl Meaning {
    /// The one place where the driver's codes are converted.
    pub(crate) fn of(code: u32) -> Self {
        match code {
            NO_ROOM => Self::NoRoom,
            808 | 809 => Self::Crowded,
            3 | 4 | 34 | 46 | 100 | 802..=805 | 807 => Self::Absent,
            // All but the first: nothing here compiles the kernel of delays.
            801 | 209 | 218 | 221..=223 => Self::Unsupported,
            214 | 220 | 226 | 700 | 702 | 709 | 710 | 714..=719 | 721 | 810 | 911 => Self::Lost,
            900..=908 => Self::Capturing,
            _ => Self::Other,
        }
    }

    /// The kind of the error, and what to do about it.
    fn told(self) -> (Kind, &'static str) {
        match self {
            Self::NoRoom => (Kind::Exhausted, "free memory or ask for less"),
            Self::Crowded => (
                Kind::Exhausted,
                "end another process that uses the device, or raise the limit of its MPS server",
            ),
            Self::Absent => {
                (Kind::Unavailable, "look whether the driver and its device are in order")
            }
            Self::Unsupported => (Kind::Unsupported, "do without it on this device"),
            Self::Lost => (
                Kind::DeviceLost,
                "the device is lost to this process, by this call or by work before it; begin a new process",
            ),
            Self::Capturing => {
                (Kind::Misuse(Reason::Capturing), "end the capture, or leave the call out of it")
            }
            Self::Other => (Kind::Driver, "look the code up in the manual of the driver"),
        }
    }
}

impl Refusal {
    /// What a call gave.
    #[inline]
    pub(super) fn of(function: &'static Function, status: Status) -> Result<(), Self> {
        let code = NonZeroU32::new(status.0);
        if code.is_none() { Ok(()) } else { Err(Self { function, code }) }
    }

    #[cold]
    pub(super) fn missing(function: &'static Function) -> Self {
        Self { function, code: None }
    }

    /// The call was not made, because the host has no memory for it: as the driver would say.
    #[cold]
    pub(super) fn no_room(function: &'static Function) -> Self {
        Self { function, code: NonZeroU32::new(NO_ROOM) }
    }

    /// The call was not made, because the process comes to its end: as the driver would say.
    #[cold]
    pub(super) fn ending(function: &'static Function) -> Self {
        Self { function, code: NonZeroU32::new(DEINITIALIZED) }
    }

    #[cfg(test)]
    pub(crate) fn function(&self) -> &'static Function {
        self.function
    }

    /// Whether it is this function that was refused, and not one that was called around it.
    pub(crate) fn is_of(&self, function: &str) -> bool {
        self.function.name() == function
    }

    pub(crate) fn code(&self) -> Option<u32> {
        self.code.map(NonZeroU32::get)
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.code.is_none()
    }

    /// Whether it is no refusal but the answer *pending*.
    pub(crate) fn is_not_ready(&self) -> bool {
        self.code() == Some(NOT_READY)
    }

    /// Whether the same call may succeed where the right context is current.
    pub(crate) fn is_of_context(&self) -> bool {
        matches!(self.code(), Some(INVALID_CONTEXT | INVALID_HANDLE))
    }

    pub(crate) fn meaning(&self) -> Meaning {
        self.code().map_or(Meaning::Unsupported, Meaning::of)
    }

    /// The error of a call that was refused, of `object`; `name` is what the driver calls its code.
    #[cold]
    pub(crate) fn error(&self, object: &dyn fmt::Display, name: Option<String>) -> Error {
        self.error_that_means(self.meaning(), object, name)
    }

    /// The same where more is known of what the code means here.
    #[cold]
    pub(crate) fn error_that_means(
        &self,
        meaning: Meaning,
        object: &dyn fmt::Display,
        name: Option<String>,
    ) -> Error {
        let Some(code) = self.code() else { return self.missing_error(object) };
        let (kind, remedy) = meaning.told();
        let known = NAMES.iter().find(|(known, _)| *known == code);
        let name = known.map(|(_, name)| (*name).to_owned()).or(name);
        let message = format!("{} failed for {object}; {remedy}", self.function.name());
        let name = name.unwrap_or_else(|| "an unknown code".to_owned());
        Error::new(kind, message).with_code(i64::from(code), name)
    }

    fn missing_error(&self, object: &dyn fmt::Display) -> Error {
        let (call, since) = (self.function.name(), Version(self.function.since));
        let message = format!(
            "the driver of {object} lacks {call}, which came with CUDA {since}; do without it, or install a newer driver"
        );
        Error::unsupported(message)
    }
}

/// A version of CUDA as the driver numbers it: 12040 is 12.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0 / 1000, self.0 % 1000 / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::table::FUNCTIONS;

    fn refusal(code: u32) -> Refusal {
        let query = FUNCTIONS.iter().find(|function| function.name() == "cuEventQuery");
        Refusal::of(query.unwrap(), Status(code)).unwrap_err()
    }

    #[test]
    fn every_code_is_told_with_its_function_and_its_number() {
        for code in [1, 2, 3, 4, 100, 201, 400, 600, 700, 719, 801, 900, 999, 12345] {
            let error = refusal(code).error(&"cuda:0", None);
            assert_eq!(error.code().map(|(number, _)| number), Some(i64::from(code)));
            assert!(error.message().starts_with("cuEventQuery failed for cuda:0; "), "{error}");
        }
    }

    #[test]
    fn a_code_says_what_to_do() {
        for (code, kind) in [
            (2, Kind::Exhausted),
            (100, Kind::Unavailable),
            (400, Kind::Driver),
            (700, Kind::DeviceLost),
            (719, Kind::DeviceLost),
            (810, Kind::DeviceLost),
            (911, Kind::DeviceLost),
            (805, Kind::Unavailable),
            (808, Kind::Exhausted),
            (801, Kind::Unsupported),
            (221, Kind::Unsupported),
            (222, Kind::Unsupported),
            (223, Kind::Unsupported),
            (209, Kind::Unsupported),
            (906, Kind::Misuse(Reason::Capturing)),
            (98765, Kind::Driver),
        ] {
            assert_eq!(refusal(code).error(&"cuda:0", None).kind(), kind, "{code}");
        }
    }

    #[test]
    fn an_unknown_code_has_the_name_that_the_driver_gives_it() {
        let named = refusal(12345).error(&"cuda:0", Some("CUDA_ERROR_OF_TOMORROW".to_owned()));
        assert_eq!(named.code(), Some((12345, "CUDA_ERROR_OF_TOMORROW")));
    }

    #[test]
    fn a_function_that_is_not_there_is_named_with_its_version() {
        let elapsed = FUNCTIONS.iter().find(|known| known.name() == "cuEventElapsedTime_v2");
        let error = Refusal::missing(elapsed.unwrap()).error(&"cuda:0", None);
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.message().contains("lacks cuEventElapsedTime_v2, which came with CUDA 12.8"));
    }
}
