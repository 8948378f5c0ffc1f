//! The turn to record an event and the driver's beside it: one thread at a time, which may come back to it.
//!
//! No lock: what is told while a stream takes a record, to wakers and observers, may record the same event.

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
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thread_comes_back_to_its_turn_and_others_wait_until_it_is_given_back() {
        let turn = Turn::default();
        let taken = turn.take();
        drop(turn.take());
        thread::scope(|scope| {
            let (send, receive) = channel();
            let turn = &turn;
            scope.spawn(move || {
                drop(turn.take());
                send.send(())
            });
            let early = receive.recv_timeout(Duration::from_millis(10));
            assert_eq!(early, Err(RecvTimeoutError::Timeout), "it is another thread's turn");
            drop(taken);
            assert_eq!(receive.recv(), Ok(()));
        });
    }
}
