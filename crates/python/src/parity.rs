//! Parity: the time between two events, checked in the order and told in the words of PyTorch.

use std::fmt;

use syncpoint::{Event, Kind, Reason};

use crate::event::is_recorded;
use crate::span::Span;

/// Why there is no time between two events: the first of these that is so.
#[derive(Debug)]
pub(crate) enum NoTime {
    /// One is of another kind of device.
    OtherKind { own: String, other: String },
    /// One was made without timing.
    NotTimed,
    /// One was never recorded.
    NotRecorded,
    /// They were recorded on different devices.
    OtherDevice { own: String, other: String },
    /// One is not complete.
    NotComplete,
    /// Anything else.
    Refused(syncpoint::Error),
}

/// What lies between `start` and `end`. Negative where `end` came first. `kinds` are those of the devices that they are for, where
/// they were named; they count for as long as there is no device.
///
/// # Errors
/// The first of [`NoTime`].
pub(crate) fn between([start, end]: [&Event; 2], kinds: [Option<&str>; 2]) -> Result<Span, NoTime> {
    let devices = [start, end].map(|event| event.device().map(|device| device.to_string()));
    let [own, other] = [0, 1].map(|at| devices[at].as_deref().or(kinds[at]).map(kind));
    if let (Some(own), Some(other)) = (own, other)
        && own != other
    {
        return Err(NoTime::OtherKind { own: own.to_owned(), other: other.to_owned() });
    }
    if [start, end].iter().any(|event| !event.options().timing()) {
        return Err(NoTime::NotTimed);
    }
    if [start, end].iter().any(|event| !is_recorded(event)) {
        return Err(NoTime::NotRecorded);
    }
    if let [Some(own), Some(other)] = devices
        && own != other
    {
        return Err(NoTime::OtherDevice { own, other });
    }
    let times = start.timed_point().and_then(|start| Ok((start, end.timed_point()?)));
    times.and_then(|(start, end)| Span::between(&start, &end)).map_err(|error| match error.kind() {
        Kind::Misuse(Reason::NotComplete) => NoTime::NotComplete,
        _ => NoTime::Refused(error),
    })
}

/// What torch says where an event of a device, or of a kind of device, is recorded on a stream of another; `None` where it is
/// the same.
pub(crate) fn other_device(event: &str, stream: &str) -> Option<String> {
    let (own, other) = (kind(event), kind(stream));
    if own != other {
        let [own, other] = [own, other].map(str::to_uppercase);
        return Some(format!(
            "Event device type {own} does not match recording stream's device type {other}."
        ));
    }
    let (_, own) = event.split_once(':')?;
    let (_, other) = stream.split_once(':')?;
    (own != other).then(|| {
        format!("Event device index {own} does not match recording stream's device index {other}.")
    })
}

/// The kind of a device and its number: of `cuda:1`, or of `cuda:1 context 5`, which is over another context of it.
pub(crate) fn parts(name: &str) -> (&str, &str) {
    let mut parts = name.split([':', ' ']);
    (parts.next().unwrap_or(name), parts.next().unwrap_or("0"))
}

/// The kind of a device by its name.
pub(crate) fn kind(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}

/// PyTorch's number of the kind of a device: `DeviceType` of c10.
pub(crate) fn device_type(name: &str) -> u8 {
    match kind(name) {
        "cuda" => 1,
        "vulkan" => 10,
        "metal" => 13,
        "sim" => 20,
        _ => 0,
    }
}

/// In PyTorch's words, where it has some.
impl fmt::Display for NoTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKind { own, other } => write!(
                formatter,
                "Event device type {} does not match other's device type {}.",
                own.to_uppercase(),
                other.to_uppercase()
            ),
            Self::NotTimed => formatter
                .write_str("Both events must be created with argument 'enable_timing=True'."),
            Self::NotRecorded => {
                formatter.write_str("Both events must be recorded before calculating elapsed time.")
            }
            Self::OtherDevice { own, other } => {
                write!(formatter, "Event device {own} does not match other's device {other}.")
            }
            Self::NotComplete => formatter
                .write_str("Both events must be completed before calculating elapsed time."),
            Self::Refused(error) => error.fmt(formatter),
        }
    }
}
