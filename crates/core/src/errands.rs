//! Errands: a thread of ours that does what it is given, and is there only while there is something to do.

mod standing;

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

pub use standing::{Standing, Want};

use crate::ours::Ours;
use crate::sync::{AtomicBool, Condvar, Mutex, Ordering, lock, spawn, wait_at_most};

/// What a thread of a backend is given: it lives while there is something to do, and for ten seconds more.
pub struct Errands<T> {
    /// Guards the list, and whether there is a thread.
    inbox: Mutex<Inbox<T>>,
    rings: Condvar,
    /// Whether something may lie on the list that no thread could be made for. Written under the lock.
    is_left: AtomicBool,
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

impl Sleep {
    /// Up to this moment; where there is none, until something is given.
    pub fn until(end: Option<Instant>) -> Self {
        end.map_or(Self::UntilGiven, |end| {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() { Self::None } else { Self::For(left) }
        })
    }
}

impl<T: Send + 'static> Errands<T> {
    /// A list that a thread of this name will serve.
    pub fn new(name: &'static str) -> Arc<Self> {
        let inbox = Mutex::new(Inbox { items: Vec::new(), is_served: false });
        Arc::new(Self { inbox, rings: Condvar::new(), is_left: AtomicBool::new(false), name })
    }

    /// Gives the thread something; makes one that serves the list with `serve` where there is none. Where no thread can
    /// be made it stays on the list, for the next that can. Says whether there is one.
    pub fn give(self: &Arc<Self>, item: T, serve: fn(&Self)) -> bool {
        let mut inbox = lock(&self.inbox);
        inbox.items.push(item);
        let is_served = self.see_served(&mut inbox, serve);
        drop(inbox);
        self.rings.notify_one();
        is_served
    }

    /// The same, but what is given comes back where no thread can be made.
    ///
    /// # Errors
    /// What was to be given.
    pub fn offer(self: &Arc<Self>, item: T, serve: fn(&Self)) -> Result<(), T> {
        let mut inbox = lock(&self.inbox);
        if !self.see_served(&mut inbox, serve) {
            return Err(item);
        }
        inbox.items.push(item);
        drop(inbox);
        self.rings.notify_one();
        Ok(())
    }

    /// Makes a thread where there is none, for who is about to depend on one. Says whether there is one.
    pub fn see_to(self: &Arc<Self>, serve: fn(&Self)) -> bool {
        self.see_served(&mut lock(&self.inbox), serve)
    }

    /// Makes a thread for what lies on the list because none could be made. One load where there is nothing of that.
    #[inline]
    pub fn retry(self: &Arc<Self>, serve: fn(&Self)) {
        // Relaxed: what was left is read under the lock. Who misses it here has given nothing of their own, and waits for
        // nothing that was not on a thread's list before.
        if self.is_left.load(Ordering::Relaxed) {
            self.retry_what_is_left(serve);
        }
    }

    /// Takes what lies on the list because no thread could be made for it, for who does it in that thread's place.
    pub fn take_left(&self) -> Vec<T> {
        let mut inbox = lock(&self.inbox);
        if inbox.is_served {
            return Vec::new();
        }
        // Relaxed: as in `retry`.
        self.is_left.store(false, Ordering::Relaxed);
        std::mem::take(&mut inbox.items)
    }

    #[cold]
    fn retry_what_is_left(self: &Arc<Self>, serve: fn(&Self)) {
        let mut inbox = lock(&self.inbox);
        if !inbox.items.is_empty() {
            self.see_served(&mut inbox, serve);
        }
    }

    /// Makes a thread where there is none. Says whether there is one.
    fn see_served(self: &Arc<Self>, inbox: &mut Inbox<T>, serve: fn(&Self)) -> bool {
        if !inbox.is_served {
            let errands = Arc::clone(self);
            // Guarded there and not here: where no thread can be made, what it was to be given ends under the lock.
            let serving = move || {
                let guard = Serving { errands, serve };
                serve(&guard.errands);
            };
            inbox.is_served = spawn(self.name, serving).is_ok();
            // Relaxed: as in `retry`. What was refused and not kept leaves nothing.
            let is_left = !inbox.is_served && !inbox.items.is_empty();
            self.is_left.store(is_left, Ordering::Relaxed);
        }
        inbox.is_served
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

    /// The whole life of a thread that looks after nothing but what it is given: each by itself, until nothing comes for a
    /// while.
    pub fn serve_each(&self, mut serve: impl FnMut(T, Ours)) {
        let ours = Ours::begin();
        while let Some(given) = self.take(Sleep::UntilGiven) {
            for item in given {
                serve(item, ours);
                ours.go_on();
            }
        }
    }
}

/// The thread, for as long as it serves the list. One that panics leaves what was given since to another.
struct Serving<T: Send + 'static> {
    errands: Arc<Errands<T>>,
    serve: fn(&Errands<T>),
}

impl<T: Send + 'static> Drop for Serving<T> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let mut inbox = lock(&self.errands.inbox);
        inbox.is_served = false;
        if !inbox.items.is_empty() {
            self.errands.see_served(&mut inbox, self.serve);
        }
    }
}

impl<T> fmt::Debug for Errands<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Errands({})", self.name)
    }
}

#[cfg(test)]
#[cfg(not(syncpoint_loom))]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    fn serve(errands: &Errands<Sender<String>>) {
        errands.serve_each(|sender, _ours| {
            let name = thread::current().name().unwrap_or("").to_owned();
            sender.send(name).unwrap_or(());
        });
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

    /// Takes an errand, says so, waits for more than that, and panics.
    fn break_down(errands: &Errands<(Sender<()>, Receiver<()>)>) {
        let given = errands.take(Sleep::UntilGiven).and_then(|mut given| given.pop());
        let Some((taken, goes_on)) = given else { return };
        taken.send(()).unwrap_or(());
        goes_on.recv_timeout(IDLE).unwrap_or(());
        panic!("on purpose");
    }

    #[test]
    fn what_is_given_while_and_after_a_thread_breaks_down_is_served_by_another() {
        let errands = Errands::new("syncpoint-test");
        let give = || {
            let ((says, taken), (go_on, goes_on)) = (channel(), channel());
            errands.give((says, goes_on), break_down);
            (taken, go_on)
        };
        let (first, go_on) = give();
        assert_eq!(first.recv_timeout(IDLE), Ok(()));
        let (second, go_on_again) = give();
        drop(go_on);
        assert_eq!(second.recv_timeout(IDLE), Ok(()));
        drop(go_on_again);
        // Once it is gone, which nobody tells, or while it goes.
        let (third, _go_on) = give();
        assert_eq!(third.recv_timeout(IDLE), Ok(()));
    }

    #[test]
    fn nothing_is_waited_for_where_the_thread_does_not_sleep() {
        let errands = Errands::<u8>::new("syncpoint-test");
        assert_eq!(errands.take(Sleep::None), Some(Vec::new()));
        assert_eq!(errands.take(Sleep::For(Duration::from_micros(1))), Some(Vec::new()));
    }

    #[test]
    fn a_thread_sleeps_up_to_a_moment_or_until_it_is_given_something() {
        let now = Instant::now();
        assert_eq!(Sleep::until(None), Sleep::UntilGiven);
        assert_eq!(Sleep::until(Some(now)), Sleep::None);
        let hour = Duration::from_secs(3600);
        let sleep = Sleep::until(Some(now + hour));
        assert!(matches!(sleep, Sleep::For(left) if left <= hour && left > hour / 2));
    }
}
