//! Which process this is: after a fork the child is told apart from its parent by one load.
//!
//! A page that the kernel gives to a child full of zeros holds the number of the process among its ancestors. The child
//! finds 0 there and takes the number after its parent's. No handler runs in the child for that, so a child that was
//! made by a raw system call is told apart as well. Where the kernel has no such pages (Linux before 4.14, macOS) a
//! handler of the C library's `fork` sets the number back to 0; where there is no fork it never changes.
//!
//! The lowest bit of the word says that somebody watches the process. So a call whose object compares equal to the word
//! knows with one look that it was not inherited *and* that nobody has to be told of it: it takes the short way.

use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// A process among its ancestors: the process that made an object and a child that inherited it are not equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u32);

/// Somebody watches the process.
const WATCHED: u32 = 1;

/// What the number lies in before there is a page: 0 for ever.
static UNMARKED: AtomicU32 = AtomicU32::new(0);

/// The number of this process, 0 until somebody asks.
static NUMBER: AtomicPtr<AtomicU32> = AtomicPtr::new((&raw const UNMARKED).cast_mut());

/// At least the largest number given so far to this process and its ancestors. A child gets its parent's value.
static LATEST: AtomicU32 = AtomicU32::new(0);

/// The number of the first of the processes that was given one. A child gets its parent's value.
static FIRST: AtomicU32 = AtomicU32::new(0);

impl Process {
    /// The process that calls.
    #[inline]
    pub fn current() -> Self {
        // Relaxed: a number that another thread has just given is found again by `number`.
        match word().load(Ordering::Relaxed) {
            0 => number(),
            word => Self(word & !WATCHED),
        }
    }

    /// Whether this is the process that calls. If not, an ancestor of it: what belongs to it was inherited.
    #[inline]
    pub fn is_current(self) -> bool {
        self == Self::current()
    }

    /// Whether this is the process that calls, and nobody watches it. One look and one comparison.
    #[inline]
    pub fn is_current_and_unwatched(self) -> bool {
        // Relaxed: whoever begins to watch beside a call may miss it.
        word().load(Ordering::Relaxed) == self.0
    }

    /// Whether the process that calls was forked from one that was given a number before.
    pub fn is_child() -> bool {
        let current = Self::current();
        // Relaxed: a fork copies what the parent wrote before.
        current.0 != FIRST.load(Ordering::Relaxed)
    }

    /// Whether somebody watches the process that calls.
    #[inline]
    pub fn is_watched() -> bool {
        // Relaxed: as in `is_current_and_unwatched`.
        word().load(Ordering::Relaxed) & WATCHED != 0
    }

    /// Says whether somebody watches the process that calls. By one thread at a time.
    pub fn set_watched(watched: bool) {
        Self::current();
        // Relaxed: as in `is_current_and_unwatched`.
        if watched {
            word().fetch_or(WATCHED, Ordering::Relaxed);
        } else {
            word().fetch_and(!WATCHED, Ordering::Relaxed);
        }
    }
}

#[inline]
#[expect(unsafe_code, reason = "the page is reached by a pointer")]
fn word() -> &'static AtomicU32 {
    // Acquire: pairs with the exchange in `number`, so that the page is seen as the kernel made it.
    let word = NUMBER.load(Ordering::Acquire);
    // SAFETY: it points to `UNMARKED` or to a word that `page::make` gave out, both of which live for ever and are only
    // ever used as this atomic.
    unsafe { &*word }
}

/// Gives this process its number, or finds the one that another thread has given it.
#[cold]
fn number() -> Process {
    let unmarked = (&raw const UNMARKED).cast_mut();
    if std::ptr::eq(word(), unmarked) {
        let made = std::ptr::from_ref(page::make()).cast_mut();
        // Release: pairs with the acquire in `word`. A second page, made meanwhile, is left unused.
        let _another_was_first =
            NUMBER.compare_exchange(unmarked, made, Ordering::AcqRel, Ordering::Acquire);
    }
    // Before the number is given: a fork in between must not give the child the number of its parent. Relaxed: only
    // this process and, by the copy that fork makes, its children read it.
    let next = (LATEST.fetch_add(1, Ordering::Relaxed) + 1) << 1;
    match word().compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => {
            // A child finds that of its parent. Relaxed: as above.
            let _its_parents =
                FIRST.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed);
            Process(next)
        }
        Err(given) => Process(given & !WATCHED),
    }
}

#[cfg(unix)]
mod page {
    //! A word that is 0 in a child.

    use std::sync::atomic::{AtomicU32, Ordering};

    pub(super) fn make() -> &'static AtomicU32 {
        wiped().unwrap_or_else(reset_by_handler)
    }

    /// A word on a page of its own that the kernel wipes in a child; `None` where the kernel cannot.
    #[cfg(target_os = "linux")]
    #[expect(unsafe_code, reason = "mapping a page and advising the kernel are calls of C")]
    fn wiped() -> Option<&'static AtomicU32> {
        const LENGTH: usize = size_of::<AtomicU32>();
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping where the kernel likes it overlaps nothing.
        let page = unsafe { libc::mmap(std::ptr::null_mut(), LENGTH, access, kind, -1, 0) };
        if page == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: the page was mapped above, is private and anonymous, and nobody else knows it.
        if unsafe { libc::madvise(page, LENGTH, libc::MADV_WIPEONFORK) } != 0 {
            // SAFETY: as above; it is used no more.
            unsafe { libc::munmap(page, LENGTH) };
            return None;
        }
        // SAFETY: the page is aligned, full of zeros, and never unmapped.
        Some(unsafe { &*page.cast::<AtomicU32>() })
    }

    #[cfg(not(target_os = "linux"))]
    fn wiped() -> Option<&'static AtomicU32> {
        None
    }

    /// A word that the C library's `fork` sets to 0 in the child. A child made by a raw system call keeps its parent's.
    #[expect(unsafe_code, reason = "a call of C")]
    fn reset_by_handler() -> &'static AtomicU32 {
        static WORD: AtomicU32 = AtomicU32::new(0);
        extern "C" fn reset() {
            // Relaxed: the child has one thread.
            WORD.store(0, Ordering::Relaxed);
        }
        // SAFETY: the handler stores to an atomic and nothing else. Where there is no memory for it a child is not told
        // apart, which nobody can be told here.
        unsafe { libc::pthread_atfork(None, None, Some(reset)) };
        &WORD
    }
}

#[cfg(not(unix))]
mod page {
    //! Without fork a word is enough.

    use std::sync::atomic::AtomicU32;

    pub(super) fn make() -> &'static AtomicU32 {
        static WORD: AtomicU32 = AtomicU32::new(0);
        &WORD
    }
}

#[cfg(test)]
mod tests {
    use super::Process;

    #[test]
    fn a_process_is_the_same_for_all_its_threads() {
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(Process::current)).collect();
        for thread in threads {
            assert_eq!(thread.join().ok(), Some(Process::current()));
        }
    }
}
