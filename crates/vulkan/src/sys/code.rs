//! The driver's codes: what each says of a call, of its device, and of what to do.

use std::fmt;

use ash::vk;
use syncpoint_core::{Error, Kind, Reason};

/// A call that the driver refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    function: &'static str,
    code: vk::Result,
}

/// What a call of the driver's gave.
pub(crate) type Answer<T> = Result<T, Refusal>;

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// There is no room.
    NoRoom,
    /// The driver is not there, or not for this process.
    Absent,
    /// The driver or device cannot do it.
    Unsupported,
    /// The device is broken for good.
    Lost,
    /// It was not called: what it was to be given breaks its rules, by our word or a layer's.
    Misuse,
    /// It was not called: the lock of the queue, which is others', did not do it.
    Unlocked,
    /// Anything else.
    Other,
}

impl Meaning {
    /// The one place where the driver's codes are converted.
    fn of(code: vk::Result) -> Self {
        match code {
            vk::Result::ERROR_OUT_OF_HOST_MEMORY
            | vk::Result::ERROR_OUT_OF_DEVICE_MEMORY
            | vk::Result::ERROR_TOO_MANY_OBJECTS
            | vk::Result::ERROR_MEMORY_MAP_FAILED
            | vk::Result::ERROR_FRAGMENTED_POOL => Self::NoRoom,
            vk::Result::ERROR_INITIALIZATION_FAILED | vk::Result::ERROR_INCOMPATIBLE_DRIVER => {
                Self::Absent
            }
            vk::Result::ERROR_EXTENSION_NOT_PRESENT
            | vk::Result::ERROR_FEATURE_NOT_PRESENT
            | vk::Result::ERROR_LAYER_NOT_PRESENT => Self::Unsupported,
            vk::Result::ERROR_DEVICE_LOST => Self::Lost,
            vk::Result::ERROR_VALIDATION_FAILED_EXT => Self::Misuse,
            UNLOCKED => Self::Unlocked,
            _ => Self::Other,
        }
    }
}

impl Refusal {
    pub(super) fn new(function: &'static str, code: vk::Result) -> Self {
        Self { function, code }
    }

    /// The device said something that only a lost one says.
    pub(crate) fn lost(function: &'static str) -> Self {
        Self::new(function, vk::Result::ERROR_DEVICE_LOST)
    }

    /// The same, of a device that nothing is heard of any more.
    pub(crate) fn as_loss(self) -> Self {
        Self::lost(self.function)
    }

    /// Our own mistake, which is refused before the driver is asked.
    pub(super) fn misuse(function: &'static str) -> Self {
        Self::new(function, vk::Result::ERROR_VALIDATION_FAILED_EXT)
    }

    /// The lock of the queue, which is others', did not have the driver called.
    #[cold]
    pub(super) fn unlocked(function: &'static str) -> Self {
        Self::new(function, UNLOCKED)
    }

    pub(crate) fn meaning(&self) -> Meaning {
        match Meaning::of(self.code) {
            // Nobody knows whether the device has it, so its value may be signalled or not, and never again: no stream
            // could go on behind it.
            Meaning::Other | Meaning::Absent | Meaning::Unsupported if self.function == SUBMIT => {
                Meaning::Lost
            }
            meaning => meaning,
        }
    }

    /// Whether it counts as a loss though the driver said nothing of one: the device may be at work still, and for ever.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.meaning() == Meaning::Lost && self.code != vk::Result::ERROR_DEVICE_LOST
    }

    /// Whether everything is as it was before. Of the driver's answers only a lack of room is said to leave it so, and a
    /// layer that forbids a call does not make it.
    pub(super) fn leaves_all(&self) -> bool {
        matches!(self.meaning(), Meaning::NoRoom | Meaning::Unlocked | Meaning::Misuse)
    }

    /// The error of a call that was made for `of`.
    #[cold]
    pub(crate) fn error(&self, of: &dyn fmt::Display) -> Error {
        let (kind, remedy) = match self.meaning() {
            Meaning::NoRoom => (Kind::Exhausted, "free memory or objects of the device"),
            Meaning::Absent => (Kind::Unavailable, "install a driver of Vulkan for this machine"),
            Meaning::Unsupported => (Kind::Unsupported, "ask capabilities()"),
            Meaning::Lost => (Kind::DeviceLost, "what is not complete has failed; open it anew"),
            Meaning::Misuse => (Kind::Driver, "that is a mistake of this library's: report it"),
            Meaning::Unlocked => return unlocked(self.function, of),
            Meaning::Other => (Kind::Driver, "look the code up in the manual of Vulkan"),
        };
        let refused = if self.meaning() == Meaning::Misuse {
            "was not called, because what it was to be given breaks its rules,"
        } else {
            "refused"
        };
        let message = format!("{} {refused} for {of}; {remedy}", self.function);
        Error::new(kind, message).with_code(self.code.as_raw().into(), format!("{:?}", self.code))
    }
}

/// The function that gives a device its work.
pub(super) const SUBMIT: &str = "vkQueueSubmit";

/// An answer of ours: a number that is no code of Vulkan's, so that no driver gives it.
const UNLOCKED: vk::Result = vk::Result::from_raw(i32::MIN);

#[cold]
fn unlocked(function: &str, of: &dyn fmt::Display) -> Error {
    let message = format!(
        "{function} was not called for {of}: the QueueLock of its queue panicked or did not call what it was given; call \
         that once in locked, and do not panic there"
    );
    Error::misuse(Reason::Contradiction, message)
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} refused ({:?})", self.function, self.code)
    }
}

/// What a call gave, with its name where it was refused.
pub(super) fn answer<T>(function: &'static str, given: Result<T, vk::Result>) -> Answer<T> {
    given.map_err(|code| Refusal::new(function, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_which_call_of_which_device_and_what_to_do() {
        let refusal = Refusal::new("vkQueueSubmit", vk::Result::ERROR_OUT_OF_DEVICE_MEMORY);
        let error = refusal.error(&"vulkan:0");
        assert_eq!(error.kind(), Kind::Exhausted);
        assert_eq!(
            error.to_string(),
            "vkQueueSubmit refused for vulkan:0; free memory or objects of the device \
             (ERROR_OUT_OF_DEVICE_MEMORY -2)"
        );
    }

    #[test]
    fn whatever_a_driver_answers_to_a_submission_it_was_called() {
        let codes = [vk::Result::ERROR_NOT_PERMITTED_KHR, vk::Result::ERROR_INITIALIZATION_FAILED];
        for code in codes.into_iter().chain([vk::Result::ERROR_UNKNOWN]) {
            let refusal = Refusal::new(SUBMIT, code);
            assert!(!refusal.leaves_all() && refusal.is_in_doubt(), "{refusal}");
        }
        assert!(Refusal::unlocked(SUBMIT).leaves_all());
        assert!(!Refusal::lost(SUBMIT).is_in_doubt(), "a lost device comes to rest");
    }

    #[test]
    fn a_call_that_was_not_made_is_told_as_none() {
        let error = Refusal::misuse("vkCmdCopyBuffer").error(&"vulkan:0");
        assert!(error.message().starts_with("vkCmdCopyBuffer was not called, because"), "{error}");
    }

    #[test]
    fn a_lost_device_is_told_apart_from_every_other_trouble() {
        assert_eq!(Refusal::lost("vkWaitSemaphores").meaning(), Meaning::Lost);
        assert_eq!(Meaning::of(vk::Result::ERROR_UNKNOWN), Meaning::Other);
        assert_eq!(Meaning::of(vk::Result::ERROR_INCOMPATIBLE_DRIVER), Meaning::Absent);
    }
}
