//! Sweeping: who exports removes, now and then, what processes left that have ended.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use syncpoint_base::page::Sign;

use super::handle::OwnerName;

/// How long after it swept a process leaves it at that. Looking through ten thousand files takes some milliseconds, and
/// what dead processes leave is a page of 4 KiB for each of their events, so that once a minute is neither felt nor late.
pub(super) const PAUSE: Duration = Duration::from_secs(60);

/// When this process swept last.
#[derive(Debug, Default)]
pub(super) struct Broom {
    swept: Option<Instant>,
}

impl Broom {
    /// Whether it is time to sweep. Who hears so is to sweep, outside every lock: it looks through a folder.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < PAUSE) {
            return false;
        }
        self.swept = Some(now);
        true
    }
}

/// Removes what processes left that have ended: their pages, then their signs, so that one who is interrupted leaves
/// nothing that the next does not find. What cannot be looked at stays. Two may sweep at once: what is gone is gone.
pub(super) fn sweep(folder: &Path, own: &OwnerName) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for (owner, files) in by_owner(entries.flatten().map(|entry| entry.file_name())) {
        // Those of this process, other copies of this library included, are neither dead nor to be opened.
        if owner.is_beside(own.process, own.distinction) || !is_dead(folder, &owner) {
            continue;
        }
        for page in files.iter().filter(|file| file.extension() != Some(OsStr::new("sign"))) {
            let _gone = fs::remove_file(folder.join(page));
        }
        let _gone = fs::remove_file(folder.join(owner.sign()));
    }
}

/// The files of each process. One look at each name: a process may have left ten thousand, and so may ten thousand have.
fn by_owner(names: impl Iterator<Item = OsString>) -> BTreeMap<OwnerName, Vec<PathBuf>> {
    let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for name in names {
        if let Some(owner) = OwnerName::of_file(&name) {
            files.entry(owner).or_default().push(name.into());
        }
    }
    files
}

/// A process gives its sign before it makes a page, and takes it back after its last page is gone.
fn is_dead(folder: &Path, owner: &OwnerName) -> bool {
    match Sign::find(&folder.join(owner.sign())) {
        Ok(sign) => !sign.is_alive(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
pub(super) mod tests {
    use super::*;
    use crate::ipc::owner::{random, wide_random};

    /// Leaves a page as a process does that is killed.
    pub(in crate::ipc) fn leave_a_page(folder: &Path, own: &OwnerName) -> PathBuf {
        // Another number than that of whoever sweeps, and no process has its sign.
        let dead = OwnerName { process: own.process ^ 1, random: random().unwrap(), ..*own };
        let left = folder.join(dead.page(wide_random().unwrap()));
        fs::write(&left, "").unwrap();
        left
    }

    #[test]
    fn a_sweep_is_due_once_in_a_while() {
        let (begin, mut broom) = (Instant::now(), Broom::default());
        let at = [
            Duration::ZERO,
            Duration::from_secs(1),
            PAUSE,
            PAUSE + Duration::from_secs(59),
            2 * PAUSE,
        ];
        let is_due = at.map(|after| broom.is_due(begin + after));
        assert_eq!(is_due, [true, false, true, false, true]);
    }

    #[test]
    fn what_many_processes_left_is_swept_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("test-of-sweeping-{:x}", random().unwrap()));
        fs::create_dir(&folder).unwrap();
        let own = OwnerName::new(random().unwrap());
        let mine = folder.join(own.page(wide_random().unwrap()));
        fs::write(&mine, "").unwrap();
        fs::write(folder.join("of another"), "").unwrap();
        for _ in 0..100 {
            leave_a_page(&folder, &own);
        }
        sweep(&folder, &own);
        let mut left: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        left.sort_unstable();
        assert_eq!(left, [folder.join("of another"), mine]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
