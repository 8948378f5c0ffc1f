//! A lock that no panic poisons: one word, with one exchange to take it and one to let go of it.
//!
//! The standard library's asks at each end whether the thread panics, and keeps a flag of it. Who uses this one leaves
//! its data whole before it calls anything that can panic, so there is nothing to flag.

#![expect(unsafe_code, reason = "whoever has the word has the value")]

#[cfg(all(test, syncpoint_loom))]
mod model;
mod sleepers;
mod word;

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use word::Word;

/// A value that one thread at a time has.
pub struct Lock<T> {
    word: Word,
    value: UnsafeCell<T>,
}

/// The value of a [`Lock`], which is let go of as this is dropped.
#[must_use = "the lock is let go of at once"]
pub struct Locked<'a, T> {
    lock: &'a Lock<T>,
    /// As with the standard library's, it is let go of on the thread that took it.
    _here: PhantomData<*const ()>,
}

// SAFETY: one thread at a time has the value, and it may be moved between them.
unsafe impl<T: Send> Sync for Lock<T> {}

// SAFETY: shared, it gives out the value shared.
unsafe impl<T: Sync> Sync for Locked<'_, T> {}

/// Whoever uses it leaves its data whole before it calls anything that can panic.
impl<T> UnwindSafe for Lock<T> {}

/// As above.
impl<T> RefUnwindSafe for Lock<T> {}

impl<T> Lock<T> {
    /// A lock that nobody has.
    pub fn new(value: T) -> Self {
        Self { word: Word::default(), value: UnsafeCell::new(value) }
    }

    /// Takes the lock; blocks while another thread has it. A thread that has it already waits for ever.
    #[inline]
    pub fn lock(&self) -> Locked<'_, T> {
        self.word.take();
        self.taken()
    }

    /// Takes the lock, unless a thread has it.
    pub fn try_lock(&self) -> Option<Locked<'_, T>> {
        self.word.try_take().then(|| self.taken())
    }

    /// Takes the lock; blocks while another thread has it, and at most about this long.
    pub fn lock_within(&self, longest: Duration) -> Option<Locked<'_, T>> {
        self.word.take_within(longest).then(|| self.taken())
    }

    #[inline]
    fn taken(&self) -> Locked<'_, T> {
        Locked { lock: self, _here: PhantomData }
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: who has this has the word, so nobody else has the value; it is lent for as long as this is.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Locked<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and this is borrowed by nobody else.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Locked<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.word.let_go();
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// What it holds is shown to nobody: that would take the lock.
impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lock(..)")
    }
}

impl<T: fmt::Debug> fmt::Debug for Locked<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::thread;
    use std::time::Duration;

    use super::Lock;

    #[test]
    fn one_thread_at_a_time_has_the_value() {
        let lock = Lock::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let mut count = lock.lock();
                        // Two steps, between which another thread would be seen.
                        let before = *count;
                        std::hint::black_box(&before);
                        *count = before + 1;
                    }
                });
            }
        });
        assert_eq!(*lock.lock(), 40_000);
    }

    #[test]
    fn whoever_sleeps_for_it_gets_it_once_it_is_let_go() {
        let lock = Lock::new(1);
        thread::scope(|scope| {
            let mut held = lock.lock();
            let sleepers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| std::mem::replace(&mut *lock.lock(), 3))).collect();
            while !lock.word.is_awaited() {
                thread::yield_now();
            }
            *held = 2;
            drop(held);
            let mut seen: Vec<_> =
                sleepers.into_iter().filter_map(|sleeper| sleeper.join().ok()).collect();
            seen.sort_unstable();
            assert_eq!(seen, [2, 3, 3, 3, 3, 3, 3, 3]);
        });
    }

    #[test]
    fn who_waits_for_it_so_long_at_most_has_it_or_leaves_it_to_the_others() {
        let (lock, long) = (Lock::new(0), Duration::from_secs(3600));
        drop(lock.try_lock().expect("nobody has it"));
        thread::scope(|scope| {
            let (held, lock) = (lock.lock(), &lock);
            let moment = Duration::from_millis(1);
            let tries = scope.spawn(|| lock.try_lock().is_none());
            let gives_up = scope.spawn(move || lock.lock_within(moment).is_none());
            assert!(tries.join().unwrap_or(false) && gives_up.join().unwrap_or(false));
            // One that gives up beside those who do not takes no wake of theirs along.
            let add = || lock.lock_within(long).map(|mut count| *count += 1).is_some();
            let others = [(); 4].map(|()| scope.spawn(add));
            while !lock.word.is_awaited() {
                thread::yield_now();
            }
            scope.spawn(move || drop(lock.lock_within(moment)));
            drop(held);
            assert!(others.into_iter().all(|other| other.join().unwrap_or(false)));
        });
        assert_eq!(*lock.lock(), 4);
    }

    #[test]
    fn a_panic_lets_go_of_it_and_poisons_nothing() {
        let lock = Lock::new(1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            *lock.lock() += 1;
            let _held = lock.lock();
            resume_unwind(Box::new("on purpose"));
        }));
        assert!(panicked.is_err());
        assert_eq!(*lock.lock(), 2);
    }

    #[test]
    fn it_takes_no_room_but_a_word() {
        #[cfg(target_os = "linux")]
        assert_eq!(size_of::<Lock<u32>>(), 8);
        assert_eq!(format!("{:?} {:?}", Lock::new(7), Lock::new(7).lock()), "Lock(..) 7");
    }
}
