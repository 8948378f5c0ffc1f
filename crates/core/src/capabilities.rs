//! What a device can do.

use std::fmt;

use crate::error::{Error, Reason, Result};

/// What a device can do: ask it before using what not every device has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
#[non_exhaustive]
pub struct Capabilities {
    /// Whether timed points are given.
    pub timing: bool,
    /// Whether events between processes are given.
    pub interprocess: bool,
    /// Whether events recorded and waited for inside a capture are given.
    pub external: bool,
    /// Whether an event can own a native handle.
    pub native_handle: bool,
    /// The priorities of streams.
    pub priorities: PriorityRange,
}

impl Capabilities {
    /// A device that has streams, points and host work, and nothing else.
    pub fn new(priorities: PriorityRange) -> Self {
        Self {
            timing: false,
            interprocess: false,
            external: false,
            native_handle: false,
            priorities,
        }
    }

    /// The same with timed points.
    #[must_use]
    pub fn with_timing(self) -> Self {
        Self { timing: true, ..self }
    }

    /// With events that own a native handle.
    #[must_use]
    pub fn with_native_handles(self) -> Self {
        Self { native_handle: true, ..self }
    }

    /// With events that captures record and wait for at every launch.
    #[must_use]
    pub fn with_external(self) -> Self {
        Self { external: true, ..self }
    }

    /// With events between processes, where the machine can share memory between them.
    #[must_use]
    pub fn with_interprocess(self) -> Self {
        Self { interprocess: syncpoint_base::page::refusal().is_none(), ..self }
    }
}

/// The priorities of a device's streams: a lower number is served first, as on CUDA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityRange {
    least: i32,
    greatest: i32,
}

impl PriorityRange {
    /// From `least` urgent, the larger number, to `greatest` urgent, the smaller.
    pub fn new(least: i32, greatest: i32) -> Self {
        Self { least: least.max(greatest), greatest: greatest.min(least) }
    }

    /// The least urgent priority: the largest number.
    pub fn least(self) -> i32 {
        self.least
    }

    /// The most urgent priority: the smallest number.
    pub fn greatest(self) -> i32 {
        self.greatest
    }

    /// The nearest priority inside the range.
    pub fn clamp(self, priority: i32) -> i32 {
        priority.clamp(self.greatest, self.least)
    }

    pub(crate) fn check(self, priority: i32) -> Result<i32> {
        if self.clamp(priority) == priority {
            return Ok(priority);
        }
        let message =
            format!("priority {priority} is outside {self}; choose one inside, or ask to clamp it");
        Err(Error::misuse(Reason::OutOfRange, message))
    }
}

impl fmt::Display for PriorityRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (least urgent) to {} (most urgent)", self.least, self.greatest)
    }
}
