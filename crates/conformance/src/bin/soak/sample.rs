//! A sample: what the process has at one moment.

use std::fmt;
use std::fs;

use syncpoint_conformance::allocation;

/// What is looked at, in the order of the table, with what may come on top of a tenth without being growth: what the
/// system's allocator and a burst of threads do from one minute to the next.
pub(crate) const MEASURES: [(&str, u64); 5] = [
    ("resident KB", 4096),
    ("live KB", 256),
    ("descriptors", 4),
    ("threads", 16),
    ("shared files", 8),
];

/// One value of each measure, and how many acts were done so far.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) values: [u64; MEASURES.len()],
    acts: u64,
}

impl Sample {
    pub(crate) fn take(folder: &str, acts: u64) -> Self {
        let live = u64::try_from(allocation::live() / 1024).unwrap_or(0);
        let values =
            [status("VmRSS:"), live, entries("/proc/self/fd"), status("Threads:"), entries(folder)];
        Self { values, acts }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((name, _), value) in MEASURES.iter().zip(self.values) {
            write!(formatter, "{name} {value}, ")?;
        }
        write!(formatter, "{} acts", self.acts)
    }
}

/// A number that the system tells of this process.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn entries(folder: &str) -> u64 {
    fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}
