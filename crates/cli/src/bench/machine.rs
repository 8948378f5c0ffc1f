//! What is to be known of the machine and the build beside a figure.

use std::{env, fs, num::NonZero, thread};

use super::rival;

/// The machine and the build.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Machine {
    /// How many threads of this process can run at once.
    pub cores: usize,
    /// Whether there are cores that this process may not use, by `taskset`, a container or the like; if that is known.
    pub pinned: Option<bool>,
    /// How many threads of the machine ran or wanted to, over the minute before the measurement; if that is known.
    pub load: Option<f64>,
    /// The system and the processor, as Rust calls them.
    pub target: String,
    /// The version of syncpoint.
    pub version: String,
    /// Whether rivals are built in.
    pub rivals: bool,
    /// Whether it was built without optimization, so that the figures mean nothing.
    pub debug: bool,
}

impl Machine {
    /// This one, now.
    pub(super) fn here() -> Self {
        Self {
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            pinned: pinned(),
            load: load(),
            target: format!("{} {}", env::consts::OS, env::consts::ARCH),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rivals: rival::BUILT_IN,
            debug: cfg!(debug_assertions),
        }
    }

    /// The build, as cargo calls it.
    pub(super) fn profile(&self) -> &'static str {
        if self.debug { "debug" } else { "release" }
    }
}

fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

fn pinned() -> Option<bool> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let online = fs::read_to_string("/sys/devices/system/cpu/online").ok()?;
    Some(count(allowed)? < count(&online)?)
}

/// How many numbers a list such as `0-2,5` has.
fn count(list: &str) -> Option<u32> {
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        (last.checked_sub(first)?).checked_add(1)
    };
    list.trim().split(',').map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_counted() {
        let cases = [("0", Some(1)), ("0-3\n", Some(4)), ("\t0-2,5,8-9", Some(6))];
        for (list, cores) in cases.into_iter().chain([("", None), ("3-1", None), ("a", None)]) {
            assert_eq!(count(list), cores, "{list:?}");
        }
    }

    #[test]
    fn a_machine_has_a_core() {
        assert!(Machine::here().cores > 0);
    }
}
