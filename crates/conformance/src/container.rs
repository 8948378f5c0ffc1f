//! Containers: what a child sees of the machine, as far as the system lets a user choose.

#![expect(unsafe_code, reason = "namespaces and mounts are calls of C")]

use std::ffi::{CStr, CString};
use std::fs;
use std::path::Path;

use crate::child::{self, set_variable};
use crate::run::tell;

/// Where a container has the folder that it shares: one that every system has.
pub const SHARED: &str = "/mnt";

/// The variable that says where processes share events.
const VARIABLE: &str = "SYNCPOINT_IPC_DIR";

const SHARED_MEMORY: &CStr = c"/dev/shm";

/// Runs `code` as the first process of a container: with numbers of processes, users and mounts of its own, and with
/// nothing of the machine's shared memory but this folder, in which its events are shared. Gives what it exits with;
/// `None` where the system allows no containers. Called in a child, which comes to its end with it.
pub fn contained(folder: &Path, code: impl FnOnce() -> i32) -> Option<i32> {
    let folder = CString::new(folder.to_str()?).ok()?;
    if !be_root_of_its_own() || !share_only(&folder) {
        return None;
    }
    let first = child::start(|| {
        // A view of its own numbers, which a container within a container may be refused: nothing here needs it.
        mount(c"proc", c"/proc", Some(c"proc"), 0);
        set_variable(VARIABLE, SHARED);
        code()
    });
    let ended = first.outlast();
    if !ended.said.is_empty() {
        tell(&ended.said);
    }
    Some(ended.code.unwrap_or(1))
}

/// The user's own number stays: files are theirs inside and outside.
fn be_root_of_its_own() -> bool {
    // SAFETY: the call only answers.
    let user = unsafe { libc::getuid() };
    // SAFETY: as above.
    let group = unsafe { libc::getgid() };
    unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID)
        && fs::write("/proc/self/setgroups", "deny").is_ok()
        && fs::write("/proc/self/uid_map", format!("{user} {user} 1")).is_ok()
        && fs::write("/proc/self/gid_map", format!("{group} {group} 1")).is_ok()
}

fn share_only(folder: &CStr) -> bool {
    let shared = CString::new(SHARED).expect("no zeros");
    keep_mounts_here()
        && mount(folder, &shared, None, libc::MS_BIND)
        && mount(c"tmpfs", SHARED_MEMORY, Some(c"tmpfs"), 0)
}

/// Gives this process, which must be a child, a shared memory folder of its own, which may be one that cannot be written.
/// `false` where the system does not allow it.
pub fn hide_shared_memory(read_only: bool) -> bool {
    let flags = if read_only { libc::MS_RDONLY } else { 0 };
    let alone = unshare(libc::CLONE_NEWNS) || unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS);
    alone && keep_mounts_here() && mount(c"tmpfs", SHARED_MEMORY, Some(c"tmpfs"), flags)
}

fn unshare(namespaces: libc::c_int) -> bool {
    // SAFETY: the call takes a number, and the child is alone with what it gets.
    unsafe { libc::unshare(namespaces) == 0 }
}

/// What is mounted from now on is seen nowhere else.
fn keep_mounts_here() -> bool {
    mount(c"none", c"/", None, libc::MS_REC | libc::MS_PRIVATE)
}

fn mount(what: &CStr, at: &CStr, kind: Option<&CStr>, flags: libc::c_ulong) -> bool {
    let (kind, nothing) = (kind.map_or(std::ptr::null(), CStr::as_ptr), std::ptr::null());
    // SAFETY: the names are texts of C or absent, and the call keeps none.
    unsafe { libc::mount(what.as_ptr(), at.as_ptr(), kind, flags, nothing) == 0 }
}
