//! Sweeping: who exports removes, now and then, what processes left that have ended.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
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
    /// Removes what dead processes left in the folder, unless that was just done.
    pub(super) fn sweep(&mut self, folder: &Path, own: &OwnerName, now: Instant) {
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < PAUSE) {
            return;
        }
        self.swept = Some(now);
        sweep(folder, own);
    }
}

/// Removes what processes left that have ended: their pages, then their signs, so that one who is interrupted leaves
/// nothing that the next does not find. What cannot be looked at stays.
fn sweep(folder: &Path, own: &OwnerName) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let mut owners: Vec<_> = names.iter().filter_map(|name| OwnerName::of_file(name)).collect();
    owners.sort_unstable();
    owners.dedup();
    // Those of this process, other copies of this library included, are neither dead nor to be opened.
    owners.retain(|owner| !owner.is_beside(own.process, own.distinction));
    for dead in owners.into_iter().filter(|owner| is_dead(folder, owner)) {
        for name in names.iter().filter(|name| OwnerName::of_file(name) == Some(dead)) {
            if Path::new(name).extension() != Some(OsStr::new("sign")) {
                let _gone = fs::remove_file(folder.join(name));
            }
        }
        let _gone = fs::remove_file(folder.join(dead.sign()));
    }
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
    use std::path::PathBuf;

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
    fn a_folder_is_swept_once_in_a_while() {
        let folder = std::env::temp_dir().join(format!("test-of-sweeping-{:x}", random().unwrap()));
        fs::create_dir(&folder).unwrap();
        let (own, begin, mut broom) = (OwnerName::new(0), Instant::now(), Broom::default());
        let mut is_swept = |after: Duration| {
            let left = leave_a_page(&folder, &own);
            broom.sweep(&folder, &own, begin + after);
            !left.exists()
        };
        let at = [
            Duration::ZERO,
            Duration::from_secs(1),
            PAUSE,
            PAUSE + Duration::from_secs(59),
            2 * PAUSE,
        ];
        assert_eq!(at.map(&mut is_swept), [true, false, true, false, true]);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "the last took all");
        fs::remove_dir(&folder).unwrap();
    }
}
