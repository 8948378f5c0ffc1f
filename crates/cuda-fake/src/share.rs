//! Events that processes share: what any of them records, and what of it has come, as numbers on a page that all map.
//!
//! Each record has a number, the next of its event in whichever process. A record that has come leaves its number in its
//! place of a ring on the page. A process that ends leaves files behind, which the next that shares sweeps away.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use syncpoint_base::page::{self, NUMBERS, Page, Sign};

use crate::code::{Code, Result};
use crate::sync::lock;

/// An exported event as the driver passes it on.
pub(crate) type Exported = [u8; 64];

/// How an exported event begins, so that other bytes are refused.
const MARK: &[u8; 16] = b"syncpoint fake 1";

/// How the files of this library begin.
const PREFIX: &str = "syncpoint-cuda-fake-";

/// The folder of pages, and the variable that names another one, as for events of syncpoint's own.
const FOLDER: &str = "/dev/shm";
const VARIABLE: &str = "SYNCPOINT_IPC_DIR";

/// Where the number of the latest record stands, and whether the exporter has destroyed the event; the ring lies behind.
const LATEST: usize = 0;
const DESTROYED: usize = 1;
const FIRST: usize = 2;
const RING: u64 = (NUMBERS - FIRST) as u64;

/// The records of one event.
#[derive(Debug)]
pub(crate) struct Shared {
    page: Page,
    name: Name,
    whose: Whose,
}

/// Who has made the event.
#[derive(Debug)]
enum Whose {
    /// This process: the file is to be removed with the event.
    Ours(PathBuf),
    /// Another, by whose sign one sees that it lives.
    Others(Sign),
}

/// Which event it is, on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name {
    process: u32,
    /// One copy of this library in that process.
    copy: u64,
    event: u64,
}

impl Shared {
    /// The records of a new event.
    pub(crate) fn make() -> Result<Self> {
        let owner = owner().map_err(|error| refused(&error))?;
        // Relaxed: a number, ordered with nothing.
        let event = owner.events.fetch_add(1, Ordering::Relaxed);
        let name = Name { event, ..owner.name };
        let file = folder().join(name.page());
        let page = Page::make(&file).map_err(|error| refused(&error))?;
        Ok(Self { page, name, whose: Whose::Ours(file) })
    }

    /// Those of an event that another process has exported. The driver refuses one of this process.
    pub(crate) fn open(exported: &Exported) -> Result<Self> {
        let name = Name::read(exported).ok_or(Code::INVALID_VALUE)?;
        if name.process == process::id() {
            return Err(Code::INVALID_CONTEXT);
        }
        let gone = |_| Code::INVALID_HANDLE;
        let sign = Sign::find(&folder().join(name.sign())).map_err(gone)?;
        let page = Page::open(&folder().join(name.page())).map_err(gone)?;
        Ok(Self { page, name, whose: Whose::Others(sign) })
    }

    /// Refuses an event whose process has ended or has destroyed it: what a driver does then nobody knows.
    pub(crate) fn check(&self) -> Result {
        let Whose::Others(sign) = &self.whose else { return Ok(()) };
        // Acquire: pairs with the release in `destroy`.
        let is_destroyed = self.page.numbers()[DESTROYED].load(Ordering::Acquire) != 0;
        if is_destroyed || !sign.is_alive() { Err(Code::INVALID_HANDLE) } else { Ok(()) }
    }

    /// The event is destroyed in this process.
    pub(crate) fn destroy(&self) {
        if let Whose::Ours(_) = self.whose {
            // Release: pairs with the acquire in `check`.
            self.page.numbers()[DESTROYED].store(1, Ordering::Release);
        }
    }

    pub(crate) fn export(&self) -> Exported {
        self.name.write()
    }

    /// Begins a record, which is the latest from now on.
    pub(crate) fn begin(&self) -> u64 {
        // AcqRel: pairs with itself and with the load in `latest`, so that records have an order between processes.
        self.page.numbers()[LATEST].fetch_add(1, Ordering::AcqRel) + 1
    }

    /// A record has come.
    pub(crate) fn come(&self, record: u64) {
        // Release: pairs with the load in `has_come`; whoever sees it come sees what came before it.
        self.place(record).fetch_max(record, Ordering::Release);
    }

    /// The number of the latest record; 0 if there is none.
    pub(crate) fn latest(&self) -> u64 {
        // Acquire: pairs with `begin`.
        self.page.numbers()[LATEST].load(Ordering::Acquire)
    }

    pub(crate) fn has_come(&self, record: u64) -> bool {
        // Acquire: pairs with `come`.
        record == 0 || self.place(record).load(Ordering::Acquire) >= record
    }

    fn place(&self, record: u64) -> &AtomicU64 {
        let index = usize::try_from(record % RING).unwrap_or(0);
        &self.page.numbers()[FIRST + index]
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // What another has swept away is gone already.
        if let Whose::Ours(file) = &self.whose {
            let _gone = fs::remove_file(file);
        }
    }
}

impl Name {
    fn common(self) -> String {
        format!("{PREFIX}{}-{:016x}", self.process, self.copy)
    }

    fn sign(self) -> String {
        format!("{}.sign", self.common())
    }

    fn page(self) -> String {
        format!("{}-{:x}.page", self.common(), self.event)
    }

    fn write(self) -> Exported {
        let mut exported = [0; 64];
        exported[..16].copy_from_slice(MARK);
        exported[16..20].copy_from_slice(&self.process.to_le_bytes());
        exported[24..32].copy_from_slice(&self.copy.to_le_bytes());
        exported[32..40].copy_from_slice(&self.event.to_le_bytes());
        exported
    }

    fn read(exported: &Exported) -> Option<Self> {
        let process = u32::from_le_bytes(*exported[16..].first_chunk()?);
        let copy = u64::from_le_bytes(*exported[24..].first_chunk()?);
        let event = u64::from_le_bytes(*exported[32..].first_chunk()?);
        let name = Self { process, copy, event };
        (name.write() == *exported).then_some(name)
    }
}

/// This copy of the library as one that shares.
#[derive(Debug)]
struct Owner {
    name: Name,
    events: AtomicU64,
    /// By its lock others see that this process lives.
    _sign: Sign,
}

/// Guards that there is one; files are made and removed under it, once.
static OWNER: Mutex<Option<Arc<Owner>>> = Mutex::new(None);

fn owner() -> io::Result<Arc<Owner>> {
    let mut owner = lock(&OWNER);
    if let Some(owner) = owner.as_ref() {
        return Ok(Arc::clone(owner));
    }
    sweep(&folder());
    let random = page::random()?;
    let copy = random.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let name = Name { process: process::id(), copy, event: 0 };
    let sign = Sign::give(&folder().join(name.sign()))?;
    let events = AtomicU64::new(0);
    Ok(Arc::clone(owner.insert(Arc::new(Owner { name, events, _sign: sign }))))
}

/// Removes what processes left that have ended. A sign of this process must not be opened: that would take its lock off.
fn sweep(folder: &Path) {
    let own = format!("{PREFIX}{}-", process::id());
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let ours = names.iter().filter(|name| name.starts_with(PREFIX) && !name.starts_with(&own));
    let signs = ours.filter_map(|name| name.strip_suffix(".sign"));
    for dead in signs.filter(|common| is_dead(&folder.join(format!("{common}.sign")))) {
        for name in names.iter().filter(|name| name.starts_with(dead)) {
            let _gone = fs::remove_file(folder.join(name));
        }
    }
}

fn is_dead(sign: &Path) -> bool {
    Sign::find(sign).is_ok_and(|sign| !sign.is_alive())
}

fn folder() -> PathBuf {
    env::var_os(VARIABLE).map_or_else(|| FOLDER.into(), PathBuf::from)
}

fn refused(error: &io::Error) -> Code {
    match error.kind() {
        _ if page::refusal().is_some() => Code::NOT_SUPPORTED,
        io::ErrorKind::OutOfMemory | io::ErrorKind::StorageFull => Code::OUT_OF_MEMORY,
        _ => Code::MAP_FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_exported_event_are_refused() {
        let name = Name { process: 7, copy: u64::MAX, event: 3 };
        assert_eq!(Name::read(&name.write()), Some(name));
        for place in [0, 20, 63] {
            let mut bytes = name.write();
            bytes[place] ^= 1;
            assert_eq!(Name::read(&bytes), None, "byte {place}");
        }
    }

    #[test]
    fn a_record_comes_by_itself_and_the_latest_counts() {
        let shared = Shared::make().unwrap();
        assert!(shared.has_come(shared.latest()), "never recorded");
        let (first, second) = (shared.begin(), shared.begin());
        shared.come(second);
        assert!(shared.has_come(shared.latest()) && !shared.has_come(first));
        shared.come(first);
        assert!(shared.has_come(first));
    }

    #[test]
    fn an_event_of_the_own_process_is_refused_as_the_driver_refuses_it() {
        let shared = Shared::make().unwrap();
        assert_eq!(Shared::open(&shared.export()).unwrap_err(), Code::INVALID_CONTEXT);
    }
}
