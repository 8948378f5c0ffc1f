//! Pages on Linux: files of a memory file system, futexes and record locks.

#![expect(unsafe_code, reason = "memory that processes share is mapped")]

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FallocateFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};
use rustix::process::{Flock, FlockType};
use rustix::rand::GetRandomFlags;
use rustix::thread::futex::{self, WaitFlags, WaitPtr, WaitvFlags};
use rustix::time::{ClockId, Timespec};

use super::NUMBERS;

/// A page that processes share.
pub struct Page {
    shared: NonNull<Shared>,
}

/// What lies in a page. Full of zeros when it is made.
#[repr(C)]
struct Shared {
    numbers: [AtomicU64; NUMBERS],
    bell: Bell,
    _unused: AtomicU32,
}

const LENGTH: usize = size_of::<Shared>();

// SAFETY: a page is atomics, mapped until it is dropped, and belongs to no thread.
unsafe impl Send for Page {}
// SAFETY: as above.
unsafe impl Sync for Page {}

impl Page {
    /// A new page, full of zeros, in a file of this name that did not exist. Only this user may open it.
    ///
    /// # Errors
    /// The system's; `AlreadyExists`.
    pub fn make(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?;
        // Its room is reserved now: a write to a page that the file system has no room for would be a signal.
        let length = u64::try_from(LENGTH).unwrap_or(u64::MAX);
        let reserved = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, length);
        let page = reserved.map_err(io::Error::from).and_then(|()| Self::map(&file));
        page.inspect_err(|_| drop(fs::remove_file(path)))
    }

    /// The page of a file that another process, or this one, has made.
    ///
    /// # Errors
    /// The system's; `InvalidData` where the file is not a page.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty())?;
        let about = rustix::fs::fstat(&file)?;
        let is_file = FileType::from_raw_mode(about.st_mode) == FileType::RegularFile;
        if !is_file || usize::try_from(about.st_size) != Ok(LENGTH) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is not a page"));
        }
        Self::map(&file)
    }

    fn map(file: &OwnedFd) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping where the kernel likes it overlaps nothing. The file has room for all of it.
        let page = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), LENGTH, access, MapFlags::SHARED, file, 0)
        }?;
        let shared = NonNull::new(page.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { shared })
    }

    /// The numbers of the page, which every process that has it may write.
    pub fn numbers(&self) -> &[AtomicU64; NUMBERS] {
        &self.shared().numbers
    }

    /// The bell of the page.
    pub fn bell(&self) -> &Bell {
        &self.shared().bell
    }

    fn shared(&self) -> &Shared {
        // SAFETY: mapped for as long as the page lives, aligned as a page is, and nothing but atomics, for which every
        // content is valid.
        unsafe { self.shared.as_ref() }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length, and no reference to it outlives the page. A failure would leave it
        // mapped, which harms nobody.
        let _left_mapped = unsafe { rustix::mm::munmap(self.shared.as_ptr().cast(), LENGTH) };
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Page")
    }
}

/// What wakes threads that listen, in every process that has it.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Bell(AtomicU32);

impl Bell {
    /// How often it was rung: to be read before whatever the ringing tells of, and given to [`listen`].
    pub fn rung(&self) -> u32 {
        // Acquire: pairs with the release in `ring`; what was written before the ringing is seen after this.
        self.0.load(Ordering::Acquire)
    }

    /// Wakes whoever listens.
    pub fn ring(&self) {
        // Release: pairs with the acquire in `rung`.
        self.0.fetch_add(1, Ordering::Release);
        // The call fails for addresses that are none; this one is.
        let _nobody_listens = futex::wake(&self.0, futex::Flags::empty(), u32::MAX >> 1);
    }
}

/// Sleeps until one of the bells has been rung more often than given, and at most this long; may wake early. Of more
/// than [`BELLS`](super::BELLS) it hears the first.
pub fn listen(bells: &[(&Bell, u32)], longest: Duration) {
    let wait = |(bell, rung): &(&Bell, u32)| {
        let mut wait = futex::Wait::new();
        wait.val = u64::from(*rung);
        wait.uaddr = WaitPtr::new(bell.0.as_ptr().cast());
        wait.flags = WaitFlags::SIZE_U32;
        wait
    };
    let waits: Vec<_> = bells.iter().take(super::BELLS).map(wait).collect();
    let until = after(longest);
    let woken = futex::waitv(&waits, WaitvFlags::empty(), Some(&until), ClockId::Monotonic);
    // Whatever ended the sleep, the caller looks; but a kernel that does not let it sleep must not make it spin.
    let expected = [Errno::AGAIN, Errno::INTR, Errno::TIMEDOUT];
    if woken.is_err_and(|error| !expected.contains(&error)) {
        thread::park_timeout(longest.min(UNHEARD));
    }
}

/// How long a thread sleeps that the kernel does not let listen.
const UNHEARD: Duration = Duration::from_millis(1);

/// An instant of the monotonic clock.
fn after(longest: Duration) -> Timespec {
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    let nanos = now.tv_nsec + i64::from(longest.subsec_nanos());
    let whole = i64::try_from(longest.as_secs()).unwrap_or(i64::MAX);
    Timespec {
        tv_sec: now.tv_sec.saturating_add(whole).saturating_add(nanos / 1_000_000_000),
        tv_nsec: nanos % 1_000_000_000,
    }
}

/// Why processes cannot share pages here; asks the kernel once, without a side effect.
pub fn refusal() -> Option<&'static str> {
    /// 0 until the kernel was asked. No lock: a fork may come in between.
    static ANSWER: AtomicU32 = AtomicU32::new(0);
    const CAN: u32 = 1;
    const CANNOT: u32 = 2;
    // Relaxed: who comes beside it asks again.
    let mut answer = ANSWER.load(Ordering::Relaxed);
    if answer == 0 {
        answer = if can_listen() { CAN } else { CANNOT };
        ANSWER.store(answer, Ordering::Relaxed);
    }
    (answer == CANNOT).then_some(
        "the kernel does not let a thread wait for several processes at once (Linux 5.16 does)",
    )
}

/// Whether the kernel knows the call: then it refuses to wait for nothing. Older ones do not know it, and containers may
/// forbid it.
fn can_listen() -> bool {
    let until = after(Duration::ZERO);
    futex::waitv(&[], WaitvFlags::empty(), Some(&until), ClockId::Monotonic) == Err(Errno::INVAL)
}

/// Whether an error says that a bound was reached: of files, of room or of memory.
pub fn is_exhausted(error: &io::Error) -> bool {
    let bounds = [Errno::MFILE, Errno::NFILE, Errno::NOSPC, Errno::DQUOT, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|error| bounds.contains(&error))
}

/// A sign that a process lives: a file whose lock it holds.
#[derive(Debug)]
pub struct Sign {
    file: OwnedFd,
}

impl Sign {
    /// The sign of this process, in a file of this name that did not exist. Nobody sees it before it is locked. Closing
    /// any descriptor of the file in this process takes the lock off, so nobody here opens it again.
    ///
    /// # Errors
    /// The system's; `AlreadyExists`; where the file system makes no unnamed files, its error for that.
    pub fn give(path: &Path) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(path);
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        let file = rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR)?;
        rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let own = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        rustix::fs::linkat(CWD, own, CWD, path, AtFlags::SYMLINK_FOLLOW)?;
        Ok(Self { file })
    }

    /// The sign of another process.
    ///
    /// # Errors
    /// The system's.
    pub fn find(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Self { file: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// Whether the other process lives. True where the kernel does not say.
    pub fn is_alive(&self) -> bool {
        let lock = Flock::from(FlockType::WriteLock);
        !matches!(rustix::process::fcntl_getlk(&self.file, &lock), Ok(None))
    }
}

/// What tells this process from another of its number: the namespace of the number, and when the process began. 0 where
/// the system does not say.
pub fn distinction() -> u64 {
    let namespace = fs::metadata("/proc/self/ns/pid").map_or(0, |about| about.ino());
    let began = fs::read_to_string("/proc/self/stat").ok().and_then(|words| began(&words));
    namespace.rotate_left(32) ^ began.unwrap_or(0)
}

/// When a process began, in ticks since the machine did: the twentieth word behind its name, which may hold anything.
fn began(words: &str) -> Option<u64> {
    words.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Bytes that nobody can guess.
///
/// # Errors
/// The system's.
pub fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    rustix::rand::getrandom(&mut bytes[..], GetRandomFlags::empty())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unused_path() -> std::path::PathBuf {
        let name = u128::from_ne_bytes(random().unwrap());
        Path::new("/dev/shm").join(format!("test-of-syncpoint-{name:032x}"))
    }

    #[test]
    fn what_one_mapping_writes_another_reads() {
        let path = unused_path();
        let page = Page::make(&path).unwrap();
        let other = Page::open(&path).unwrap();
        page.numbers()[510].store(7, Ordering::Relaxed);
        assert_eq!(other.numbers()[510].load(Ordering::Relaxed), 7);
        assert!(Page::make(&path).is_err(), "a page is made once");
        fs::remove_file(&path).unwrap();
        assert!(Page::open(&path).is_err());
    }

    #[test]
    fn a_bell_wakes_who_listens_and_none_is_missed() {
        let path = unused_path();
        let page = Page::make(&path).unwrap();
        let other = Page::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let rung = other.bell().rung();
        page.bell().ring();
        // Rung before: it does not sleep at all, or this test would take an hour.
        listen(&[(&Bell::default(), 0), (other.bell(), rung)], Duration::from_secs(3600));
        let listener = thread::spawn(move || {
            while other.numbers()[0].load(Ordering::Relaxed) == 0 {
                let rung = other.bell().rung();
                if other.numbers()[0].load(Ordering::Relaxed) == 0 {
                    listen(&[(other.bell(), rung)], Duration::from_secs(3600));
                }
            }
        });
        page.numbers()[0].store(1, Ordering::Relaxed);
        page.bell().ring();
        listener.join().unwrap();
    }

    #[test]
    fn the_beginning_of_a_process_is_found_behind_any_name() {
        let words = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(began(words), Some(4711));
        assert_eq!(began("7 (a) S 1"), None);
        assert_ne!(distinction(), 0);
    }

    #[test]
    fn what_is_not_a_page_is_refused() {
        let path = unused_path();
        fs::write(&path, "short").unwrap();
        assert_eq!(Page::open(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
        fs::remove_file(&path).unwrap();
        assert!(Page::open(Path::new("/dev/shm")).is_err());
        assert!(Page::open(Path::new("/dev/null")).is_err());
    }
}
