//! How a stream is to be.

use crate::capabilities::PriorityRange;
use crate::error::Result;

/// How a stream is to be.
///
/// # Examples
/// An urgent stream with a name, on any device:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// # use syncpoint::StreamOptions;
/// let device = syncpoint::open("host:0")?;
/// let options = StreamOptions::new().named("load").clamped_priority(-5);
/// let stream = device.stream_with(options)?;
/// assert_eq!(stream.priority(), device.priority_range().greatest().max(-5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamOptions<'a> {
    name: Option<&'a str>,
    priority: Priority,
}

#[derive(Clone, Copy, Debug, Default)]
enum Priority {
    #[default]
    Least,
    Strict(i32),
    Clamped(i32),
}

impl<'a> StreamOptions<'a> {
    /// No name, the least urgent priority.
    pub fn new() -> Self {
        Self::default()
    }

    /// A name for messages, reports and traces.
    #[must_use]
    pub fn named(self, name: &'a str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// This priority exactly; one outside the device's range is refused. Lower is served first.
    #[must_use]
    pub fn with_priority(self, priority: i32) -> Self {
        Self { priority: Priority::Strict(priority), ..self }
    }

    /// The nearest priority that the device has; ask the stream which it became.
    #[must_use]
    pub fn clamped_priority(self, priority: i32) -> Self {
        Self { priority: Priority::Clamped(priority), ..self }
    }

    pub(crate) fn name(&self) -> Option<&'a str> {
        self.name
    }

    pub(crate) fn priority(&self, range: PriorityRange) -> Result<i32> {
        match self.priority {
            Priority::Least => Ok(range.least()),
            Priority::Strict(priority) => range.check(priority),
            Priority::Clamped(priority) => Ok(range.clamp(priority)),
        }
    }
}
