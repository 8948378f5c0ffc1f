//! Event options: what an event can do besides naming a point.

use std::fmt;

use crate::capabilities::Capabilities;
use crate::error::{Error, Reason, Result};

/// What an event can do besides naming a point.
///
/// # Examples
/// A contradiction is refused when the options are built:
/// ```
/// # use syncpoint::{EventOptions, Kind, Reason};
/// let refused = EventOptions::builder().timing().interprocess().build().unwrap_err();
/// assert_eq!(refused.kind(), Kind::Misuse(Reason::Contradiction));
/// ```
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventOptions {
    timing: bool,
    blocking: bool,
    interprocess: bool,
    external: bool,
    native_handle: bool,
}

impl EventOptions {
    /// No time, adaptive waits, this process only.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with timed points.
    pub fn timed() -> Self {
        Self { timing: true, ..Self::default() }
    }

    /// Options to be chosen one by one.
    pub fn builder() -> EventOptionsBuilder {
        EventOptionsBuilder(Self::default())
    }

    /// Whether it records timed points.
    pub fn timing(self) -> bool {
        self.timing
    }

    /// Whether the host's waits sleep at once.
    pub fn blocking(self) -> bool {
        self.blocking
    }

    /// Whether other processes may open it.
    pub fn interprocess(self) -> bool {
        self.interprocess
    }

    /// Whether it is external to captures.
    pub fn external(self) -> bool {
        self.external
    }

    /// Whether it owns an event of the driver's, whose handle can be given out.
    pub fn native_handle(self) -> bool {
        self.native_handle
    }

    /// Refuses what a device lacks: an option is never accepted and ignored.
    pub(crate) fn check(self, has: &Capabilities, device: &dyn fmt::Display) -> Result<()> {
        let lacking = [
            (self.timing && !has.timing, "timed points"),
            (self.interprocess && !has.interprocess, "events between processes"),
            (self.external && !has.external, "external events"),
            (self.native_handle && !has.native_handle, "native handles of events"),
        ];
        match lacking.iter().find(|(lacks, _)| *lacks) {
            None => Ok(()),
            Some((_, option)) => Err(Error::unsupported(format!(
                "{device} has no {option}; ask capabilities() and leave it off"
            ))),
        }
    }
}

/// Chooses the options of an event one by one.
#[derive(Clone, Copy, Debug)]
#[must_use = "the options exist once they are built"]
pub struct EventOptionsBuilder(EventOptions);

impl EventOptionsBuilder {
    /// Records timed points. Costs more, so it is off unless asked for.
    pub fn timing(self) -> Self {
        Self(EventOptions { timing: true, ..self.0 })
    }

    /// The *host's* waits for the event sleep at once instead of helping or spinning first: `synchronize`,
    /// `synchronize_timeout` and `synchronize_deadline`. It changes nothing for streams.
    pub fn blocking(self) -> Self {
        Self(EventOptions { blocking: true, ..self.0 })
    }

    /// Other processes may open the event. Linux 5.16 or later; elsewhere `Unsupported`.
    pub fn interprocess(self) -> Self {
        Self(EventOptions { interprocess: true, ..self.0 })
    }

    /// Inside a capture the event is recorded and waited for at every replay, and is no edge of the graph. With `timing`
    /// the driver records a time, readable only through the native handle; there are no timed points.
    pub fn external(self) -> Self {
        Self(EventOptions { external: true, ..self.0 })
    }

    /// The event owns a native event of the driver for life, recorded in addition to its points, whose handle the backend
    /// gives out: for other code that waits for it. Costs one driver call more with each record. One thread at a time records it: a waker or
    /// observer that a record calls must not wait for another thread that records the same event.
    pub fn native_handle(self) -> Self {
        Self(EventOptions { native_handle: true, ..self.0 })
    }

    /// The options.
    ///
    /// # Errors
    /// `Misuse(Contradiction)`: an event between processes has no time, and an external one is of one process.
    pub fn build(self) -> Result<EventOptions> {
        let EventOptions { timing, interprocess, external, .. } = self.0;
        let message = match (interprocess, timing, external) {
            (true, true, _) => "an event between processes has no time; leave timing off",
            (true, false, true) => {
                "an external event is recorded and waited for by graphs of one process; leave interprocess off"
            }
            _ => return Ok(self.0),
        };
        Err(Error::misuse(Reason::Contradiction, message))
    }
}
