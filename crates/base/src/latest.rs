//! The latest of some values of the whole process: read and replaced without a lock.

use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The latest of a few values, each of which lives as long as the process. A fork leaves a child with what was the latest
/// then: nothing of it is ever half made.
pub struct Latest<T: 'static> {
    value: AtomicPtr<T>,
}

impl<T: Send + Sync> Latest<T> {
    /// None yet.
    #[expect(clippy::new_without_default, reason = "made in statics, which call no traits")]
    pub const fn new() -> Self {
        Self { value: AtomicPtr::new(ptr::null_mut()) }
    }

    /// The latest, if there is one.
    #[expect(unsafe_code, reason = "the value is reached by a pointer")]
    pub fn get(&self) -> Option<&'static T> {
        // Acquire: pairs with the exchange in `replace`, so that the value is seen as it was made.
        let value = self.value.load(Ordering::Acquire);
        // SAFETY: null, or a box that `replace` leaked, which nobody frees and nobody has mutably.
        unsafe { value.as_ref() }
    }

    /// Makes `next` the latest, if `before` still is.
    ///
    /// # Errors
    /// Another was first: `next` is dropped.
    #[expect(unsafe_code, reason = "a box that was not leaked is dropped")]
    pub fn replace(&self, before: Option<&'static T>, next: T) -> Result<&'static T, Replaced> {
        let before = before.map_or(ptr::null_mut(), |before| ptr::from_ref(before).cast_mut());
        let next = Box::into_raw(Box::new(next));
        // Release: pairs with the load in `get`. Relaxed: what is there instead is asked for anew.
        if self.value.compare_exchange(before, next, Ordering::Release, Ordering::Relaxed).is_ok() {
            // SAFETY: made above from a box, and from now on shared only.
            return Ok(unsafe { &*next });
        }
        // SAFETY: made above from a box, and nobody else has seen it.
        drop(unsafe { Box::from_raw(next) });
        Err(Replaced)
    }
}

/// Another thread has replaced the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replaced;

impl<T> fmt::Debug for Latest<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Latest")
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn of_threads_that_replace_the_same_value_one_does() {
        static LATEST: Latest<usize> = Latest::new();
        assert_eq!(LATEST.get(), None);
        let first = LATEST.replace(None, 0);
        assert!(first.is_ok());
        let threads = [1, 2, 3, 4]
            .map(|next| thread::spawn(move || LATEST.replace(first.ok(), next).ok().copied()));
        let replaced = threads.map(|thread| thread.join().ok().flatten());
        let winners: Vec<_> = replaced.iter().flatten().copied().collect();
        assert_eq!(winners.len(), 1, "{replaced:?}");
        assert_eq!(LATEST.get().copied(), winners.first().copied());
        assert_eq!(LATEST.replace(None, 9), Err(Replaced));
    }
}
