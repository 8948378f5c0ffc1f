//! A table of the whole process: a child has its own, as if it were new.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::Process;

/// A value that each process makes for itself at the first need.
///
/// A lock inside one that some other thread held while the process forked would stay locked in the child for ever. The
/// child makes its own; what the parent's held is left where it is, since its threads are not there to let it go.
pub struct PerProcess<T: 'static> {
    latest: AtomicPtr<Made<T>>,
    make: fn() -> T,
}

struct Made<T> {
    process: Process,
    value: T,
}

impl<T: Send + Sync> PerProcess<T> {
    /// A table that `make` makes. Two threads that come first may both call it; one value stays.
    pub const fn new(make: fn() -> T) -> Self {
        Self { latest: AtomicPtr::new(std::ptr::null_mut()), make }
    }

    #[inline]
    #[expect(
        unsafe_code,
        reason = "the value is reached by a pointer that the fork made stale or not"
    )]
    fn get(&self) -> &T {
        // Acquire: pairs with the exchange in `renew`, so that the value is seen as it was made.
        let latest = self.latest.load(Ordering::Acquire);
        // SAFETY: null, or a leaked box from `renew`, which nobody frees and nobody has mutably.
        match unsafe { latest.as_ref() } {
            Some(made) if made.process.is_current() => &made.value,
            _ => self.renew(latest),
        }
    }

    #[cold]
    #[expect(unsafe_code, reason = "one of two boxes wins")]
    fn renew(&self, old: *mut Made<T>) -> &T {
        let made = Box::new(Made { process: Process::current(), value: (self.make)() });
        let made = Box::into_raw(made);
        match self.latest.compare_exchange(old, made, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: made above from a box, and from now on shared only.
            Ok(_) => unsafe { &(*made).value },
            Err(first) => {
                // SAFETY: made above from a box, and nobody else has seen it.
                drop(unsafe { Box::from_raw(made) });
                // SAFETY: as in `get`; it is of this process, for every exchange is.
                unsafe { &(*first).value }
            }
        }
    }
}

impl<T: Send + Sync> Deref for PerProcess<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.get()
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PerProcess")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::PerProcess;

    #[test]
    fn all_threads_of_a_process_share_one_value() {
        static TABLE: PerProcess<Mutex<u32>> = PerProcess::new(Mutex::default);
        let threads: Vec<_> = (0..8)
            .map(|_| std::thread::spawn(|| TABLE.lock().map(|mut count| *count += 1).is_ok()))
            .collect();
        assert!(threads.into_iter().all(|thread| thread.join().is_ok_and(|counted| counted)));
        assert_eq!(TABLE.lock().map(|count| *count).ok(), Some(8));
    }
}
