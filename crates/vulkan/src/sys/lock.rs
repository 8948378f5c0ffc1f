//! The lock of a queue, which others may have written: what is done under it is done once at most, whatever the lock does.

use std::sync::Arc;

use syncpoint_core::contract::{Owner, contain};

use super::borrow::Access;
use super::code::{Answer, Refusal};

/// Who else submits to a queue.
pub(crate) enum Lock {
    /// Nobody.
    Alone,
    /// Others, who hold their lock meanwhile.
    Others(TheirLock),
}

/// A lock of others, which ends on a thread of ours: whoever drops the last of its device may hold a lock that its end takes.
pub(crate) struct TheirLock {
    /// Dropped before the owner, which has the last name.
    lock: Arc<dyn QueueLock>,
    _owner: Owner,
}

/// The lock under which the owner of a queue submits to it.
///
/// One that panics, or does not call `submit`, has what was to be submitted refused, and a lost device given up, whose rest
/// it was to wait for. What was submitted before a panic stays submitted, and the panic goes no further. A second call does
/// nothing.
pub trait QueueLock: Send + Sync {
    /// Calls `submit` once, at once and on this thread, while the lock is held.
    ///
    /// Called while a stream takes an operation, from any thread: whoever holds the lock may not wait for a stream, nor
    /// enqueue on one.
    fn locked(&self, submit: &mut dyn FnMut());
}

/// A lock that its owner keeps a name of.
impl<T: QueueLock + ?Sized> QueueLock for Arc<T> {
    fn locked(&self, submit: &mut dyn FnMut()) {
        T::locked(self, submit);
    }
}

impl Lock {
    /// How a queue of others is used.
    pub(crate) fn of(access: Access) -> Self {
        match access {
            Access::Dedicated => Self::Alone,
            Access::Locked(lock) => {
                let lock = Arc::<dyn QueueLock>::from(lock);
                Self::Others(TheirLock { _owner: Owner::new(Arc::clone(&lock)), lock })
            }
        }
    }

    /// Calls `code`, which calls `function` of the driver's, under the lock.
    ///
    /// # Errors
    /// Others' lock did not call it, or panicked before it did.
    #[inline]
    pub(super) fn run<T>(&self, function: &'static str, code: impl FnOnce() -> T) -> Answer<T> {
        match self {
            Self::Alone => Ok(code()),
            Self::Others(TheirLock { lock, .. }) => {
                under(&**lock, code).ok_or_else(|| Refusal::unlocked(function))
            }
        }
    }
}

/// What `code` gave, if the lock has called it. Its panic was put into words where it came.
fn under<T>(lock: &dyn QueueLock, code: impl FnOnce() -> T) -> Option<T> {
    let (mut code, mut given) = (Some(code), None);
    let mut once = || {
        if let Some(code) = code.take() {
            given = Some(code());
        }
    };
    let _it_counts_what_was_called = contain(|| lock.locked(&mut once));
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Meaning;

    /// Calls so many times, and panics at the end.
    struct Breaking(u32);

    impl QueueLock for Breaking {
        fn locked(&self, submit: &mut dyn FnMut()) {
            (0..self.0).for_each(|_| submit());
            panic!("on purpose");
        }
    }

    #[test]
    fn what_is_done_under_a_lock_is_done_once_at_most_and_told_as_done() {
        for calls in 0..3 {
            let (lock, mut done) = (Lock::of(Access::Locked(Box::new(Breaking(calls)))), 0);
            let outcome = lock.run("vkQueueSubmit", || done += 1);
            assert_eq!((outcome.is_ok(), done), (calls > 0, calls.min(1)));
            let meaning = outcome.err().map(|refusal| refusal.meaning());
            assert_eq!(meaning, (calls == 0).then_some(Meaning::Unlocked));
        }
    }
}
