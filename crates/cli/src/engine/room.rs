//! How much memory there is to have: a system that promises more than it has kills the program later.

use std::fs;

use super::cgroup;
use crate::plan::{Buffer, DeviceName, Finding};

/// Finds the buffer, if there is one, with which the file asks for more memory than the machine has left.
///
/// A system may refuse a single buffer that is too large, but grants many that are too large together, and ends the
/// program without a word when they are written.
pub(super) fn check(buffers: &[Buffer]) -> Option<Finding> {
    let machine = available(&fs::read_to_string("/proc/meminfo").unwrap_or_default());
    exceeding(buffers, Room::least(machine, cgroup::left())?)
}

/// The memory that is left, and who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Room {
    bytes: u64,
    whose: &'static str,
}

impl Room {
    /// What can be had of both, where anybody says.
    fn least(machine: Option<u64>, group: Option<u64>) -> Option<Self> {
        let machine = machine.map(|bytes| Self { bytes, whose: "the machine" });
        let group = group.map(|bytes| Self { bytes, whose: "the control group of this program" });
        machine.into_iter().chain(group).min()
    }
}

fn exceeding(buffers: &[Buffer], room: Room) -> Option<Finding> {
    let Room { bytes: available, whose } = room;
    let mut sum = 0_u64;
    let too_many = |buffer: &&Buffer| {
        sum = sum.saturating_add(buffer.bytes);
        sum > available
    };
    let last = buffers.iter().filter(|buffer| in_host_memory(&buffer.device)).find(too_many)?;
    let alone = last.bytes > available;
    let who = if alone { "has" } else { "and those before it have" };
    let bytes = if alone { last.bytes } else { sum };
    let message = format!(
        "buffer {:?} {who} {bytes} bytes, and {whose} has {available} left; make it smaller, or free memory",
        last.name
    );
    Some(Finding::new(&last.bytes_at, message))
}

/// Whether a device has its buffers in the memory of this machine.
fn in_host_memory(device: &DeviceName) -> bool {
    matches!(device.backend(), "host" | "sim")
}

/// The bytes that can be had without pressing others out of memory, as Linux estimates them; elsewhere nobody says.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    const BUFFERS: &str = "
[[buffer]]
name = \"a\"
bytes = 600
[[buffer]]
name = \"elsewhere\"
bytes = 600
device = \"cuda:0\"
[[buffer]]
name = \"b\"
bytes = 600
[[stream]]
name = \"s\"
[[step]]
name = \"x\"
stream = \"s\"
delay = \"0s\"
";

    fn told(available: u64) -> Option<String> {
        let plan = Plan::parse("f.toml".as_ref(), BUFFERS, &DeviceName::HOST).unwrap();
        let finding = exceeding(plan.buffers(), Room { bytes: available, whose: "the machine" })?;
        plan.problems(vec![finding]).to_string().lines().next().map(str::to_owned)
    }

    #[test]
    fn the_memory_that_is_left_is_read_off_the_table_of_linux() {
        let table = "MemTotal:       24618068 kB\nMemAvailable:   23 kB\n";
        assert_eq!((available(table), available("")), (Some(23 << 10), None));
    }

    #[test]
    fn who_has_less_says_how_much_is_left() {
        let whose =
            |machine, group| Room::least(machine, group).map(|room| (room.bytes, room.whose));
        let group = "the control group of this program";
        assert_eq!(whose(Some(9), Some(8)), Some((8, group)));
        assert_eq!(whose(Some(9), None), Some((9, "the machine")));
        assert_eq!(whose(Some(9), Some(u64::MAX)), Some((9, "the machine")));
        assert_eq!((whose(None, Some(3)), whose(None, None)), (Some((3, group)), None));
    }

    #[test]
    fn buffers_that_are_too_large_only_together_are_told_by_the_last() {
        assert_eq!(told(1_200), None);
        let together = "f.toml:11: buffer \"b\" and those before it have 1200 bytes, and the machine has 1199 left; make it smaller, or free memory";
        assert_eq!(told(1_199).as_deref(), Some(together));
        let alone = "f.toml:4: buffer \"a\" has 600 bytes, and the machine has 599 left; make it smaller, or free memory";
        assert_eq!(told(599).as_deref(), Some(alone));
    }
}
