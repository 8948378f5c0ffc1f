//! Metal's codes: what each says of a command buffer, of its device, and of what to do.

use syncpoint_core::{Error, Kind};

use crate::calls::{Killed, Refusal};

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// There is no room.
    NoRoom,
    /// The device is gone, or gone for this process.
    Lost,
    /// The command buffer alone.
    Killed,
}

impl Meaning {
    /// The one place where Metal's codes are converted. From Apple's manual of `MTLCommandBufferError` (*documented*).
    fn of(code: i64) -> (Self, &'static str) {
        match code {
            1 => (Self::Killed, "MTLCommandBufferErrorInternal"),
            TIMEOUT => (Self::Killed, "MTLCommandBufferErrorTimeout"),
            3 => (Self::Killed, "MTLCommandBufferErrorPageFault"),
            REVOKED => (Self::Lost, "MTLCommandBufferErrorAccessRevoked"),
            7 => (Self::Killed, "MTLCommandBufferErrorNotPermitted"),
            8 => (Self::NoRoom, "MTLCommandBufferErrorOutOfMemory"),
            9 => (Self::Killed, "MTLCommandBufferErrorInvalidResource"),
            10 => (Self::Killed, "MTLCommandBufferErrorMemoryless"),
            11 => (Self::Lost, "MTLCommandBufferErrorDeviceRemoved"),
            12 => (Self::Killed, "MTLCommandBufferErrorStackOverflow"),
            // Of another domain, or without a reason.
            0 => (Self::Killed, "NSError"),
            _ => (Self::Killed, "MTLCommandBufferError"),
        }
    }
}

impl Killed {
    pub(crate) fn meaning(&self) -> Meaning {
        Meaning::of(self.code).0
    }

    /// The error of a command buffer of `of` that was killed.
    #[cold]
    pub(crate) fn error(&self, of: &str) -> Error {
        let (meaning, name) = Meaning::of(self.code);
        let kind = match meaning {
            Meaning::NoRoom => Kind::Exhausted,
            Meaning::Lost => Kind::DeviceLost,
            Meaning::Killed => Kind::Driver,
        };
        let remedy = self.remedy(meaning);
        let message = format!("a command buffer of {of} was killed ({}); {remedy}", self.words);
        Error::new(kind, message).with_code(self.code, name)
    }

    fn remedy(&self, meaning: Meaning) -> &'static str {
        match (self.code, meaning) {
            (TIMEOUT, _) => {
                "a device works and waits for some seconds at a time: cut the work, and wait on the host for what lasts"
            }
            (REVOKED, _) => "start the program anew",
            (_, Meaning::NoRoom) => "free memory of the device",
            (_, Meaning::Lost) => "what is not complete has failed; open it anew",
            _ if self.is_victim() => "other work on the device failed; recover, and do this again",
            (_, Meaning::Killed) => "look the code up in Apple's manual of Metal",
        }
    }

    /// Whether it was in order, and taken along by what failed beside it, maybe in another process. No code says so: the
    /// words do (others have met them).
    fn is_victim(&self) -> bool {
        self.words.contains("InnocentVictim") || self.words.contains("Innocent Victim")
    }
}

/// Its work, or something that it waits for, has lasted too long.
const TIMEOUT: i64 = 2;

/// The process has caused too many timeouts: a device that it opens anew is refused to it as well.
const REVOKED: i64 = 4;

impl Refusal {
    /// The error of an operation of `of` that cannot be put together.
    #[cold]
    pub(crate) fn error(&self, of: &str) -> Error {
        match self {
            Self::NoRoom => no_room("a command buffer", of),
            Self::Kernel(words) => {
                let message = format!(
                    "Metal made no kernel for {of} that fills and copies single bytes ({words}); fill and copy parts that \
                     begin and end at multiples of 4 bytes"
                );
                Error::new(Kind::Driver, message)
            }
        }
    }
}

/// What Metal does not make: it says no more than that.
#[cold]
pub(crate) fn no_room(what: &str, of: &str) -> Error {
    let message = format!("Metal has no room for {what} of {of}; free memory or objects of it");
    Error::new(Kind::Exhausted, message)
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_killed_command_buffer_says_why_and_what_to_do() {
        let killed = Killed { code: 3, words: "page fault".to_owned() };
        let error = killed.error("metal:0");
        assert_eq!(error.kind(), Kind::Driver);
        assert_eq!(
            error.to_string(),
            "a command buffer of metal:0 was killed (page fault); look the code up in Apple's manual of Metal \
             (MTLCommandBufferErrorPageFault 3)"
        );
    }

    #[test]
    fn a_process_that_may_use_the_device_no_more_is_not_told_to_open_it_anew() {
        let error = |code| Killed { code, words: "gone".to_owned() }.error("metal:0");
        assert!(error(4).message().ends_with("(gone); start the program anew"));
        assert!(error(11).message().ends_with("open it anew"));
        assert_eq!(error(4).kind(), Kind::DeviceLost);
    }

    #[test]
    fn what_lasted_too_long_and_what_was_taken_along_say_what_helps() {
        let error = |code, words: &str| Killed { code, words: words.to_owned() }.error("metal:0");
        assert!(error(2, "late").message().ends_with("wait on the host for what lasts"));
        let victim = "Innocent Victim (00000005:kIOGPUCommandBufferCallbackErrorInnocentVictim)";
        assert!(error(1, victim).message().ends_with("recover, and do this again"));
        assert_eq!(error(1, victim).kind(), Kind::Driver);
        assert!(error(11, victim).message().ends_with("open it anew"), "it is lost all the same");
    }

    #[test]
    fn a_device_that_is_removed_is_told_apart_from_every_other_trouble() {
        assert_eq!(Meaning::of(11).0, Meaning::Lost);
        assert_eq!(Meaning::of(8).0, Meaning::NoRoom);
        assert_eq!(Meaning::of(99).0, Meaning::Killed);
    }
}
