//! The turn to record an event and the driver's beside it: one thread at a time, which may come back to it.
//!
//! A lock that its thread may take again: what is told while a stream takes a record, to wakers and observers, may record
//! the same event. Users' code runs under it, as under no other lock of ours: a waker or an observer must not wait for
//! another thread that records the event, for that thread waits for the turn.

use std::thread::{self, ThreadId};

use crate::sync::process::{Condvar, Mutex, lock, wait};

/// Whose turn it is.
#[derive(Default)]
pub(super) struct Turn {
    /// Guards the name alone.
    holder: Mutex<Option<ThreadId>>,
    given_back: Condvar,
}

/// A turn that was taken, given back with the drop.
pub(super) struct Taken<'a> {
    /// None: the thread has had it already.
    turn: Option<&'a Turn>,
}

impl Turn {
    /// Takes the turn, and sleeps while another thread has it.
    pub(super) fn take(&self) -> Taken<'_> {
        let this = thread::current().id();
        let mut holder = lock(&self.holder);
        loop {
            match *holder {
                None => {
                    *holder = Some(this);
                    return Taken { turn: Some(self) };
                }
                Some(thread) if thread == this => return Taken { turn: None },
                Some(_) => holder = wait(&self.given_back, holder),
            }
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(turn) = self.turn {
            *lock(&turn.holder) = None;
            turn.given_back.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_thread_comes_back_to_its_turn_and_no_other_has_it_meanwhile() {
        const TURNS: u32 = 1000;
        let (turn, inside, taken) = (Turn::default(), AtomicU32::new(0), AtomicU32::new(0));
        let takes_turns = || {
            for _ in 0..TURNS {
                let _turn = turn.take();
                // Relaxed: what orders them is the turn, and a count past one shows that it does not.
                assert_eq!(
                    inside.fetch_add(1, Ordering::Relaxed),
                    0,
                    "it is another thread's turn"
                );
                drop(turn.take());
                thread::yield_now();
                inside.fetch_sub(1, Ordering::Relaxed);
                taken.fetch_add(1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(takes_turns);
            }
        });
        assert_eq!(taken.into_inner(), 2 * TURNS);
    }
}
