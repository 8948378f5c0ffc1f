//! The events of Chrome's trace format, as this program writes them.

use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;

/// A time in nanoseconds, written as microseconds without rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Micros(pub(super) u64);

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = format!("{}.{:03}", self.0 / 1_000, self.0 % 1_000);
        RawValue::from_string(number).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// The name or the place of a process or a track.
#[derive(Debug, Serialize)]
pub(super) struct Metadata<A> {
    pub(super) ph: &'static str,
    pub(super) name: &'static str,
    pub(super) pid: usize,
    pub(super) tid: usize,
    pub(super) args: A,
}

#[derive(Debug, Serialize)]
pub(super) struct Name {
    pub(super) name: String,
}

#[derive(Debug, Serialize)]
pub(super) struct SortIndex {
    pub(super) sort_index: usize,
}

/// A step that ran.
#[derive(Debug, Serialize)]
pub(super) struct Complete<'r> {
    pub(super) ph: &'static str,
    pub(super) name: String,
    pub(super) cat: &'static str,
    pub(super) pid: usize,
    pub(super) tid: usize,
    pub(super) ts: Micros,
    pub(super) dur: Micros,
    pub(super) args: Details<'r>,
}

/// What a viewer shows of a slice that is picked.
#[derive(Debug, Serialize)]
pub(super) struct Details<'r> {
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'r str>,
    pub(super) critical_path: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) waited_for: Vec<&'r str>,
    /// Waits without an arrow, because by the clock their point was recorded after this step had ended.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) reversed_waits: &'r [&'r str],
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) output: &'r str,
}

/// One end of an arrow.
#[derive(Debug, Serialize)]
pub(super) struct Flow<'r> {
    pub(super) ph: &'static str,
    /// Binds the arriving end to the slice around it; without it, viewers take the next slice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bp: Option<&'static str>,
    pub(super) id: u64,
    pub(super) name: &'r str,
    pub(super) cat: &'static str,
    pub(super) pid: usize,
    pub(super) tid: usize,
    pub(super) ts: Micros,
}

/// What the file says of the run as a whole.
#[derive(Debug, Serialize)]
pub(super) struct Other<'r> {
    pub(super) pipeline: &'r str,
    pub(super) clock: &'r str,
    pub(super) resolution_ns: u64,
    pub(super) error_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) began_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) began_error_ns: Option<u64>,
    /// Steps that have no slice, because they did not run or nobody knows when.
    pub(super) without_slice: Vec<&'r str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_keep_every_nanosecond() {
        let text = |nanos| serde_json::to_string(&Micros(nanos)).unwrap();
        assert_eq!([text(1), text(1_000), text(1_234_567)], ["0.001", "1.000", "1234.567"]);
        assert_eq!(text(u64::MAX), "18446744073709551.615");
    }
}
