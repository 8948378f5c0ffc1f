//! How much memory the control groups of this process leave it: a container has less than its machine.
//!
//! Linux has two versions of them, which may be there side by side. A group is a folder; its limit holds for all below it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// How a version calls what is read.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    limit: &'static str,
    usage: &'static str,
    /// The lines of `memory.stat` for what is given back to whoever needs it: files that lie in memory because they were
    /// read or written, lately or not, and what the kernel keeps to be quick.
    given_back: &'static [&'static str],
}

const FIRST: Version = Version {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    given_back: &["total_inactive_file", "total_active_file"],
};

const SECOND: Version = Version {
    limit: "memory.max",
    usage: "memory.current",
    given_back: &["inactive_file", "active_file", "slab_reclaimable"],
};

impl Version {
    /// What is given back, from the lines of `memory.stat`.
    fn given_back(&self, counts: &str) -> u64 {
        let counts = counts.lines().filter_map(|line| line.split_once(' '));
        let given_back = counts.filter(|(name, _)| self.given_back.contains(name));
        given_back.filter_map(|(_, bytes)| bytes.parse::<u64>().ok()).sum()
    }
}

/// The bytes that this process can still have; `None` where there is no limit, or nobody says.
pub(super) fn left() -> Option<u64> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    left_to(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"))
}

/// The same from the two tables of the kernel: the groups of a process, and what is mounted where.
fn left_to(groups: &str, mounts: &str) -> Option<u64> {
    let mounts = mounts.lines().filter_map(Mount::read);
    mounts.filter_map(|mount| mount.left(groups)).min()
}

/// Where groups are seen as folders.
struct Mount<'m> {
    version: &'static Version,
    /// The group whose folder the mount shows as its uppermost.
    top: &'m Path,
    at: &'m Path,
}

impl<'m> Mount<'m> {
    /// `NUMBER NUMBER DEVICE TOP AT OPTION.. - KIND SOURCE OPTION,..`
    fn read(line: &'m str) -> Option<Self> {
        let (place, about) = line.split_once(" - ")?;
        let mut about = about.split(' ');
        let (kind, options) = (about.next()?, about.nth(1)?);
        let version = match kind {
            "cgroup2" => &SECOND,
            "cgroup" if options.split(',').any(|option| option == "memory") => &FIRST,
            _ => return None,
        };
        let mut place = place.split(' ').skip(3);
        Some(Self { version, top: Path::new(place.next()?), at: Path::new(place.next()?) })
    }

    /// The least that the group of the process and those above it leave.
    fn left(&self, groups: &str) -> Option<u64> {
        let folder = self.folder(groups)?;
        let groups = folder.ancestors().take_while(|folder| folder.starts_with(self.at));
        groups.filter_map(|group| self.left_by(group)).min()
    }

    /// The folder of the group. One that the mount does not show lies above all that it shows.
    fn folder(&self, groups: &str) -> Option<PathBuf> {
        let group = groups.lines().find_map(|line| self.group(line))?;
        let below = group.strip_prefix(self.top).unwrap_or_else(|_| Path::new(""));
        Some(self.at.join(below))
    }

    /// `NUMBER:CONTROLLER,..:GROUP`; the second version has the number 0 and no controllers.
    fn group<'g>(&self, line: &'g str) -> Option<&'g Path> {
        let (number, rest) = line.split_once(':')?;
        let (controllers, group) = rest.split_once(':')?;
        let is_it = if *self.version == FIRST {
            controllers.split(',').any(|controller| controller == "memory")
        } else {
            number == "0"
        };
        is_it.then_some(Path::new(group))
    }

    fn left_by(&self, group: &Path) -> Option<u64> {
        let read = |name| fs::read_to_string(group.join(name)).ok();
        let number = |name| read(name)?.trim().parse::<u64>().ok();
        // Without a limit the second version says `max`, and the first a number beyond every machine.
        let (limit, usage) = (number(self.version.limit)?, number(self.version.usage)?);
        let counts = read("memory.stat").unwrap_or_default();
        Some(limit.saturating_sub(usage.saturating_sub(self.version.given_back(&counts))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    /// A group with what its files say.
    fn group(scratch: &Scratch, path: &str, files: &[(&str, &str)]) {
        let folder = scratch.folder().join(path);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
    }

    fn mounted(scratch: &Scratch, top: &str, kind: &str) -> String {
        let at = scratch.folder().display();
        format!(
            "27 1 254:0 / / rw - ext4 /dev/vda rw\n35 31 0:32 {top} {at} rw,nosuid shared:9 - {kind}\n"
        )
    }

    #[test]
    fn the_group_that_leaves_least_is_the_one_that_counts() {
        let scratch = Scratch::new().unwrap();
        group(&scratch, "", &[("memory.stat", "inactive_file 7\n")]);
        let files = [("memory.max", "1000\n"), ("memory.current", "600\n")];
        group(&scratch, "a", &files);
        group(&scratch, "a/b", &[("memory.max", "max\n"), ("memory.current", "500\n")]);
        group(&scratch, "a/b/c", &[("memory.max", "900\n"), ("memory.current", "10\n")]);
        let mounts = mounted(&scratch, "/", "cgroup2 cgroup rw,nsdelegate");
        assert_eq!(left_to("0::/a/b/c\n", &mounts), Some(400));
        assert_eq!(left_to("0::/a/b\n", &mounts), Some(400));
        assert_eq!(left_to("0::/\n", &mounts), None, "the uppermost has no limit");
        assert_eq!(left_to("", &mounts), None);
    }

    #[test]
    fn files_in_memory_and_what_the_kernel_keeps_to_be_quick_are_given_back() {
        let scratch = Scratch::new().unwrap();
        let files = [
            ("memory.max", "1000"),
            ("memory.current", "990"),
            (
                "memory.stat",
                "anon 30\nshmem 20\ninactive_anon 1\ninactive_file 500\nactive_file 300\nunevictable 4\n\
                 slab_reclaimable 100\nslab_unreclaimable 40\nslab 140\nworkingset_activate_file 7\n",
            ),
        ];
        group(&scratch, "a", &files);
        let mounts = mounted(&scratch, "/", "cgroup2 cgroup rw");
        assert_eq!(left_to("0::/a\n", &mounts), Some(910));
    }

    #[test]
    fn groups_of_the_first_version_are_found_in_and_outside_a_container() {
        let scratch = Scratch::new().unwrap();
        let files = [
            ("memory.limit_in_bytes", "5000\n"),
            ("memory.usage_in_bytes", "4000\n"),
            (
                "memory.stat",
                "inactive_file 1\nactive_file 2\ntotal_inactive_file 300\ntotal_active_file 200\n",
            ),
        ];
        group(&scratch, "", &files);
        let groups = "5:cpu,cpuacct:/x\n4:memory,hugetlb:/docker/4711\n0::/system\n";
        let inside = mounted(&scratch, "/docker/4711", "cgroup cgroup rw,memory");
        assert_eq!(left_to(groups, &inside), Some(1500));
        let outside = mounted(&scratch, "/", "cgroup cgroup rw,memory");
        assert_eq!(left_to(groups, &outside), Some(1500), "those above are looked at, too");
        let other = mounted(&scratch, "/", "cgroup cgroup rw,cpu,cpuacct");
        assert_eq!(left_to(groups, &other), None);
    }
}
