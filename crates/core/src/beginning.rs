//! The beginning of a driver: once in a process, and in no child of one where it has begun.

use syncpoint_base::{PerProcess, watch_driver};

use crate::error::{Error, Kind, Result};
use crate::sync::process::{AtomicBool, Mutex, Ordering, lock};

/// What a driver gave as it began, if it has.
#[derive(Debug)]
pub struct Beginning<T: 'static> {
    /// Of what, such as `Vulkan`.
    of: &'static str,
    /// Whether the driver has begun, or may have, in this process or one before it.
    has_begun: AtomicBool,
    /// Held while it begins, which may take long: nobody goes on before.
    here: PerProcess<Mutex<Here<T>>>,
}

/// What came of it in this process.
#[derive(Debug)]
enum Here<T> {
    /// Nobody has begun it.
    Nothing,
    /// It begins, or the function that begins it panicked: then it is begun again.
    Tried,
    /// It gave this.
    Given(T),
}

impl<T: Copy + Send> Beginning<T> {
    /// It has not begun.
    pub const fn new(of: &'static str) -> Self {
        let here = PerProcess::new(|| Mutex::new(Here::Nothing));
        Self { of, has_begun: AtomicBool::new(false), here }
    }

    /// What it gave, where it has begun in this process.
    pub fn given(&self) -> Option<T> {
        match *lock(&self.here) {
            Here::Given(given) => Some(given),
            Here::Nothing | Here::Tried => None,
        }
    }

    /// What it gave, or gives now. From then on the end of the process waits for threads of ours that are inside it.
    ///
    /// # Errors
    /// `Unavailable`: it has begun, or was about to, in the process from which this one was forked. What `begin` refuses:
    /// then it may begin later.
    pub fn once(&self, begin: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut here = lock(&self.here);
        match *here {
            Here::Given(given) => return Ok(given),
            // Relaxed: what a fork copied is seen by the child, and this process begins under the lock.
            Here::Nothing if self.has_begun.load(Ordering::Relaxed) => return Err(self.forked()),
            Here::Nothing | Here::Tried => {}
        }
        *here = Here::Tried;
        // Relaxed: as above.
        self.has_begun.store(true, Ordering::Relaxed);
        let begun = begin();
        if let Ok(begun) = &begun {
            watch_driver();
            *here = Here::Given(*begun);
        } else {
            *here = Here::Nothing;
            // Relaxed: as above.
            self.has_begun.store(false, Ordering::Relaxed);
        }
        begun
    }

    #[cold]
    fn forked(&self) -> Error {
        let of = self.of;
        let message = format!(
            "the driver of {of} was in use as this process was forked, and works in the parent alone; fork before the \
             first use of {of}, or start the child as a program of its own"
        );
        Error::new(Kind::Unavailable, message)
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_was_refused_begins_later_and_then_once() {
        static BEGINNING: Beginning<u32> = Beginning::new("tests");
        let refused = BEGINNING.once(|| Err(Error::new(Kind::Unavailable, "not now")));
        assert_eq!((refused.is_err(), BEGINNING.given()), (true, None));
        assert_eq!(BEGINNING.once(|| Ok(3)).ok(), Some(3));
        assert_eq!(BEGINNING.once(|| Ok(4)).ok(), Some(3));
        assert_eq!(BEGINNING.given(), Some(3));
    }

    #[test]
    fn a_driver_whose_beginning_panicked_is_begun_again() {
        static BEGINNING: Beginning<u32> = Beginning::new("tests");
        let panicked = std::panic::catch_unwind(|| BEGINNING.once(|| panic!("on purpose")));
        assert!(panicked.is_err() && BEGINNING.given().is_none());
        assert_eq!(BEGINNING.once(|| Ok(3)).ok(), Some(3));
    }
}
