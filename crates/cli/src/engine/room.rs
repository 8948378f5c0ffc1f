//! How much memory the machine has to give: a system that promises more than it has kills the program later.

use std::fs;

use crate::plan::{Buffer, DeviceName, Finding};

/// Finds the buffer, if there is one, with which the file asks for more memory than the machine has left.
///
/// A system may refuse a single buffer that is too large, but grants many that are too large together, and ends the
/// program without a word when they are written.
pub(super) fn check(buffers: &[Buffer]) -> Option<Finding> {
    let available = available(&fs::read_to_string("/proc/meminfo").unwrap_or_default())?;
    exceeding(buffers, available)
}

fn exceeding(buffers: &[Buffer], available: u64) -> Option<Finding> {
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
        "buffer {:?} {who} {bytes} bytes, and the machine has {available} left; make it smaller, or free memory",
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
        let finding = exceeding(plan.buffers(), available)?;
        plan.problems(vec![finding]).to_string().lines().next().map(str::to_owned)
    }

    #[test]
    fn the_memory_that_is_left_is_read_off_the_table_of_linux() {
        let table = "MemTotal:       24618068 kB\nMemAvailable:   23 kB\n";
        assert_eq!((available(table), available("")), (Some(23 << 10), None));
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
