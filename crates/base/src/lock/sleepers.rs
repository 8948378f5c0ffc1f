//! Where those sleep who wait for a lock: by a call of Linux at the word itself, elsewhere and in a model beside it.

#[cfg(all(target_os = "linux", not(syncpoint_loom)))]
pub(super) use at_the_word::Sleepers;
#[cfg(any(not(target_os = "linux"), syncpoint_loom))]
pub(super) use beside::Sleepers;

pub(super) use crate::sync::{AtomicU32, Ordering};

#[cfg(all(target_os = "linux", not(syncpoint_loom)))]
mod at_the_word {
    //! The kernel compares the word and puts the thread to sleep in one step.

    use std::time::Duration;

    use rustix::thread::futex::{self, Flags};

    use super::AtomicU32;

    #[derive(Default)]
    pub(in super::super) struct Sleepers;

    impl Sleepers {
        /// Sleeps while the word has this value, and at most this long; may wake early.
        #[expect(clippy::unused_self, reason = "as beside the word")]
        pub(in super::super) fn sleep_while(
            &self,
            word: &AtomicU32,
            value: u32,
            longest: Option<Duration>,
        ) {
            // One that the system cannot tell has no end.
            let longest = longest.and_then(|longest| longest.try_into().ok());
            // Interrupted, or the word has changed: whoever called looks again.
            let _woken_early = futex::wait(word, Flags::PRIVATE, value, longest.as_ref());
        }

        /// Wakes one that sleeps.
        #[expect(clippy::unused_self, reason = "as beside the word")]
        pub(in super::super) fn wake_one(&self, word: &AtomicU32) {
            let _nobody_slept = futex::wake(word, Flags::PRIVATE, 1);
        }
    }
}

#[cfg(any(not(target_os = "linux"), syncpoint_loom))]
mod beside {
    //! The word is compared under a lock of the standard library's, which whoever wakes takes too.

    use std::time::Duration;

    use super::{AtomicU32, Ordering};
    use crate::sync::{Condvar, Mutex, lock, wait, wait_at_most};

    pub(in super::super) struct Sleepers {
        door: Mutex<()>,
        bell: Condvar,
    }

    impl Default for Sleepers {
        fn default() -> Self {
            Self { door: Mutex::new(()), bell: Condvar::new() }
        }
    }

    impl Sleepers {
        /// Sleeps while the word has this value, and at most this long; may wake early.
        pub(in super::super) fn sleep_while(
            &self,
            word: &AtomicU32,
            value: u32,
            longest: Option<Duration>,
        ) {
            let door = lock(&self.door);
            // Relaxed: under the lock that whoever changed it takes before the wake, so it is that or something later.
            if word.load(Ordering::Relaxed) != value {
                return;
            }
            match longest {
                Some(longest) => drop(wait_at_most(&self.bell, door, longest)),
                None => drop(wait(&self.bell, door)),
            }
        }

        /// Wakes one that sleeps.
        pub(in super::super) fn wake_one(&self, _word: &AtomicU32) {
            let door = lock(&self.door);
            self.bell.notify_one();
            drop(door);
        }
    }
}
