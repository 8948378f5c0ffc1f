//! Errands: a thread of ours that does what it is given, and is there only while there is something to do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::sync::{Builder, Condvar, Mutex, lock, wait_at_most};

/// What a thread of a backend is given: it lives while there is something to do, and for ten seconds more.
pub struct Errands<T> {
    /// Guards the list, and whether there is a thread.
    inbox: Mutex<Inbox<T>>,
    rings: Condvar,
    /// The name of the thread.
    name: &'static str,
}

struct Inbox<T> {
    items: Vec<T>,
    is_served: bool,
}

/// How long the thread waits for more before it ends: a program in its stride makes no thread anew.
const IDLE: Duration = Duration::from_secs(10);

/// For how long a thread sleeps when nothing was given.
#[expect(clippy::exhaustive_enums, reason = "for backends, outside the semver promise")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// Not at all.
    None,
    /// At most this long.
    For(Duration),
    /// Until something is given; after a while without, the thread ends.
    UntilGiven,
}

impl<T: Send + 'static> Errands<T> {
    /// A list that a thread of this name will serve.
    pub fn new(name: &'static str) -> Arc<Self> {
        let inbox = Mutex::new(Inbox { items: Vec::new(), is_served: false });
        Arc::new(Self { inbox, rings: Condvar::new(), name })
    }

    /// Gives the thread something; makes one that serves the list with `serve` where there is none. Where no thread can
    /// be made it stays on the list, for the next that can.
    pub fn give(self: &Arc<Self>, item: T, serve: fn(&Self)) {
        let mut inbox = lock(&self.inbox);
        inbox.items.push(item);
        if !inbox.is_served {
            let own = Arc::clone(self);
            let builder = Builder::new().name(self.name.to_owned());
            inbox.is_served = builder.spawn(move || serve(&own)).is_ok();
        }
        drop(inbox);
        self.rings.notify_one();
    }

    /// Takes what was given, for the thread. `None`: nothing came for so long that the thread ends.
    pub fn take(&self, sleep: Sleep) -> Option<Vec<T>> {
        let mut inbox = lock(&self.inbox);
        if inbox.items.is_empty() {
            match sleep {
                Sleep::None => {}
                Sleep::For(longest) => inbox = wait_at_most(&self.rings, inbox, longest),
                Sleep::UntilGiven => inbox = wait_at_most(&self.rings, inbox, IDLE),
            }
        }
        if inbox.items.is_empty() && sleep == Sleep::UntilGiven {
            inbox.is_served = false;
            return None;
        }
        Some(std::mem::take(&mut inbox.items))
    }
}

impl<T> fmt::Debug for Errands<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Errands({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread;

    use super::*;

    fn serve(errands: &Errands<Sender<String>>) {
        while let Some(given) = errands.take(Sleep::UntilGiven) {
            let name = thread::current().name().unwrap_or("").to_owned();
            for sender in given {
                sender.send(name.clone()).unwrap_or(());
            }
        }
    }

    #[test]
    fn one_thread_does_all_that_is_given() {
        let errands = Errands::new("syncpoint-test");
        let (sender, receiver) = channel();
        for _ in 0..100 {
            errands.give(sender.clone(), serve);
        }
        for _ in 0..100 {
            assert_eq!(receiver.recv_timeout(IDLE).as_deref(), Ok("syncpoint-test"));
        }
    }

    #[test]
    fn nothing_is_waited_for_where_the_thread_does_not_sleep() {
        let errands = Errands::<u8>::new("syncpoint-test");
        assert_eq!(errands.take(Sleep::None), Some(Vec::new()));
        assert_eq!(errands.take(Sleep::For(Duration::from_micros(1))), Some(Vec::new()));
    }
}
