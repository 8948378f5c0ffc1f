//! The exporting process: where its pages lie, and the sign that it lives.
//!
//! One locked file for all events of a process, not one each: ten thousand exported events need one descriptor, and a
//! descriptor that is closed takes the lock off no other event.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Weak};
use std::time::Instant;

use syncpoint_base::PerProcess;
use syncpoint_base::page::{self, Page, Sign};

use super::handle::OwnerName;
use super::sweep::{Broom, sweep};
use crate::error::{Error, Kind, Result};
use crate::sync::process::{Mutex, lock};

/// The folder in which pages and signs lie, if the program was told of none: shared memory on Linux.
const FOLDER: &str = "/dev/shm";

/// The variable that names another: one that both processes see and that can make unnamed files.
const VARIABLE: &str = "SYNCPOINT_IPC_DIR";

/// How every file of ours begins.
const PREFIX: &str = "syncpoint-";

/// This process as one that exports. Its sign goes with the last exported event.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) name: OwnerName,
    folder: PathBuf,
    _sign: Sign,
}

/// This process as one that exports, while it does. Guards that there is one; its sign is given under it, and no call but
/// an export takes it.
static HERE: PerProcess<Mutex<Here>> = PerProcess::new(Mutex::default);

/// Who exports in this process, and what it sweeps with.
#[derive(Default)]
struct Here {
    owner: Weak<Owner>,
    broom: Broom,
}

impl Here {
    /// The owner, which appears where there is none, and whether it is to sweep.
    fn owner(&mut self, now: Instant) -> Result<(Arc<Owner>, bool)> {
        let owner = self.owner.upgrade().map_or_else(|| self.appear(), Ok)?;
        Ok((owner, self.broom.is_due(now)))
    }

    fn appear(&mut self) -> Result<Arc<Owner>> {
        let owner = Arc::new(Owner::appear(folder())?);
        self.owner = Arc::downgrade(&owner);
        Ok(owner)
    }
}

impl Owner {
    /// This process, with the sign that it lives. Sweeps away, now and then, what dead processes left.
    pub(super) fn here() -> Result<Arc<Self>> {
        Self::of(&HERE, Instant::now())
    }

    /// No other export waits for the sweep.
    fn of(here: &Mutex<Here>, now: Instant) -> Result<Arc<Self>> {
        let (owner, is_to_sweep) = lock(here).owner(now)?;
        if is_to_sweep {
            sweep(&owner.folder, &owner.name);
        }
        Ok(owner)
    }

    fn appear(folder: PathBuf) -> Result<Self> {
        let refused = |error| cannot_share(&folder, error);
        let name = OwnerName::new(random().map_err(refused)?);
        let sign = Sign::give(&folder.join(name.sign())).map_err(refused)?;
        Ok(Self { name, folder, _sign: sign })
    }

    /// A page for an event of this process.
    pub(super) fn make_page(&self, event: u128) -> Result<Page> {
        Page::make(&self.page(event)).map_err(|error| cannot_share(&self.folder, error))
    }

    /// The event's page is found no more. Who has it keeps it.
    pub(super) fn remove_page(&self, event: u128) {
        // Another may have swept it away: what is gone is gone.
        let _gone = fs::remove_file(self.page(event));
    }

    fn page(&self, event: u128) -> PathBuf {
        self.folder.join(self.name.page(event))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if self.name.is_this_process() {
            let _gone = fs::remove_file(self.folder.join(self.name.sign()));
        }
    }
}

impl OwnerName {
    pub(super) fn new(random: u64) -> Self {
        Self { process: process::id(), distinction: distinction(), random }
    }

    /// Whether this process has that number, be it another copy of this library in it: its sign must not be opened here.
    pub(super) fn is_this_process(&self) -> bool {
        self.is_beside(process::id(), distinction())
    }

    /// Whether it may be a copy of this library in the process of that number. One that the system does not distinguish
    /// counts as one.
    pub(super) fn is_beside(&self, process: u32, distinction: u32) -> bool {
        let same = [0, self.distinction].contains(&distinction) || self.distinction == 0;
        self.process == process && same
    }

    fn common(&self) -> String {
        format!("{PREFIX}{:x}-{:x}-{:016x}", self.process, self.distinction, self.random)
    }

    pub(super) fn sign(&self) -> String {
        format!("{}.sign", self.common())
    }

    pub(super) fn page(&self, event: u128) -> String {
        format!("{}-{event:032x}.page", self.common())
    }

    /// The owner of a file with this name, if it is one of ours.
    pub(super) fn of_file(name: &OsStr) -> Option<Self> {
        let mut parts = name.to_str()?.strip_prefix(PREFIX)?.split(['-', '.']);
        let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
        let (process, distinction, random) = (number()?, number()?, number()?);
        let (process, distinction) = (process.try_into().ok()?, distinction.try_into().ok()?);
        Some(Self { process, distinction, random })
    }
}

/// What tells this process from others of its number, folded; 0 where the system does not say.
fn distinction() -> u32 {
    fold(page::distinction())
}

/// Every bit counts for those above it, so that numbers which differ little are not folded to the same. The first
/// processes of two containers that were started together have the same number, namespaces that follow one another, and
/// the same beginning or nearly: their halves laid over each other are often equal.
fn fold(wide: u64) -> u32 {
    // The golden ratio, as a part of 2 to the 64: what is next to each other is put far apart.
    let spread = wide.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    u32::try_from(spread).unwrap_or(0).max(u32::from(wide != 0))
}

/// A process that exports, as one that imports sees it.
#[derive(Debug)]
pub(super) struct Peer {
    folder: PathBuf,
    name: OwnerName,
    sign: Sign,
}

impl Peer {
    /// The process of this name.
    pub(super) fn find(name: OwnerName) -> Result<Arc<Self>> {
        if name.is_this_process() {
            let message = "the event was exported in this process, where it was dropped since, or another copy of this \
                           library has it; keep the event, and pass it itself";
            return Err(Error::failed(message));
        }
        let mut known = lock(&PEERS);
        known.retain(|peer| peer.strong_count() > 0);
        let same = known.iter().filter_map(Weak::upgrade).find(|peer| peer.name == name);
        if let Some(peer) = same {
            return Ok(peer);
        }
        let folder = folder();
        let sign = Sign::find(&folder.join(name.sign())).map_err(|error| gone(&folder, error))?;
        let peer = Arc::new(Self { folder, name, sign });
        known.push(Arc::downgrade(&peer));
        Ok(peer)
    }

    /// Whether the process lives. Never blocks.
    pub(super) fn is_alive(&self) -> bool {
        self.sign.is_alive()
    }

    /// The page of an event of that process.
    pub(super) fn open_page(&self, event: u128) -> Result<Page> {
        let path = self.folder.join(self.name.page(event));
        Page::open(&path).map_err(|error| gone(&self.folder, error))
    }
}

/// The exporting processes that this one knows. Guards the list; a file is opened under it, and no call but an import
/// takes it.
static PEERS: PerProcess<Mutex<Vec<Weak<Peer>>>> = PerProcess::new(Mutex::default);

fn folder() -> PathBuf {
    env::var_os(VARIABLE)
        .filter(|folder| !folder.is_empty())
        .unwrap_or_else(|| FOLDER.into())
        .into()
}

/// A number that nobody can guess.
pub(super) fn random() -> io::Result<u64> {
    wide_random().map(|wide| u64::try_from(wide & u128::from(u64::MAX)).unwrap_or(0))
}

/// A wide number that nobody can guess.
pub(super) fn wide_random() -> io::Result<u128> {
    page::random().map(u128::from_le_bytes)
}

/// Why nothing can be shared in a folder.
#[cold]
pub(super) fn cannot_share(folder: &Path, error: io::Error) -> Error {
    let kind = if page::is_exhausted(&error) { Kind::Exhausted } else { Kind::Unavailable };
    let message = format!(
        "an event cannot be shared in {}: {error}; make room there, or name a folder of a memory file system in {VARIABLE}",
        folder.display()
    );
    Error::new(kind, message).caused_by(error)
}

/// Why an exported event is not found.
#[cold]
fn gone(folder: &Path, error: io::Error) -> Error {
    if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) {
        return cannot_share(folder, error);
    }
    let message = format!(
        "the exported event is not in {}: {error}; its process has ended or dropped it, or sees another folder there \
         (keep the event, and share the folder or name one in {VARIABLE})",
        folder.display()
    );
    Error::failed(message).caused_by(error)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::ipc::sweep::{PAUSE, tests::leave_a_page};

    #[test]
    fn a_process_that_always_exports_sweeps_again() {
        let (here, begin) = (Mutex::default(), Instant::now());
        let first = Owner::of(&here, begin).unwrap();
        let left = leave_a_page(&first.folder, &first.name);
        let second = Owner::of(&here, begin + PAUSE).unwrap();
        assert_eq!(first.name, second.name, "it has exported all the time");
        assert!(!left.exists(), "{} has been swept away", left.display());
    }

    #[test]
    fn processes_of_one_number_are_told_apart_also_where_little_differs() {
        // Numbers of namespaces and moments of beginning, as Linux gives them.
        for (namespace, began) in
            [(0xf000_0003_u64, 0), (0xf000_0ff0, 4711), (4_026_532_513, 1 << 24)]
        {
            let nearby = (0..64).flat_map(|more| (0..64).map(move |later| (more, later)));
            let wide = nearby.map(|(more, later)| ((namespace + more) << 32) ^ (began + later));
            let folded: HashSet<u32> = wide.map(fold).collect();
            assert_eq!(folded.len(), 64 * 64);
        }
        assert_eq!(fold(0), 0, "what the system does not say stays unsaid");
    }
}
