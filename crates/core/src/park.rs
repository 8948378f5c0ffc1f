//! A place for one thread to sleep, of which a waker may be made.

use std::cell::OnceCell;
use std::sync::Arc;
use std::task::Wake;
use std::time::Duration;

use crate::sync::{self, Condvar, Mutex, lock};

/// A place for one thread to sleep. Ours, and not the thread's own token: taking that would lose a wake-up of the
/// user's.
pub(crate) struct Parker {
    /// Whether a wake came since the last sleep. Guards nothing else.
    woken: Mutex<bool>,
    wakes: Condvar,
}

sync::local! {
    static PARKER: OnceCell<Arc<Parker>> = OnceCell::new();
}

impl Parker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { woken: Mutex::new(false), wakes: Condvar::new() })
    }

    /// This thread's own; while the thread ends, a new one.
    pub(crate) fn of_this_thread() -> Arc<Self> {
        PARKER
            .try_with(|parker| Arc::clone(parker.get_or_init(Self::new)))
            .unwrap_or_else(|_| Self::new())
    }

    /// Sleeps until a wake, and at most this long; may wake early. A wake that came before is not lost, and one of an
    /// earlier wait only costs a look.
    pub(crate) fn park(&self, longest: Duration) {
        let mut woken = lock(&self.woken);
        if !*woken {
            woken = sync::wait_at_most(&self.wakes, woken, longest);
        }
        *woken = false;
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        *lock(&self.woken) = true;
        self.wakes.notify_one();
    }
}
