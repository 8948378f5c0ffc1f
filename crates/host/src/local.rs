//! What a worker or helper has set free and not yet passed on: its hand.
//!
//! Completing a point puts the woken streams here, and they are served after the present item returns: a chain of any
//! length needs no stack. Before the next function of the user's runs the hand is published, or a long one would
//! strand what it set free.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::stream::HostStream;
use crate::sync::local;

local! {
    /// `None` on threads that run no streams: what they wake goes to the run queue.
    static HAND: RefCell<Option<VecDeque<Arc<HostStream>>>> = RefCell::new(None);
}

/// Makes this thread keep what it sets free, until it is dropped; what it then still has is published. Inside another,
/// as when an observer that a worker calls synchronizes, it leaves the other's hand as it was.
pub(crate) struct Local {
    before: Option<VecDeque<Arc<HostStream>>>,
}

impl Local {
    /// `None` while the thread ends and its hand is gone: then it runs no streams.
    pub(crate) fn enter() -> Option<Self> {
        let before = HAND.try_with(|hand| hand.replace(Some(VecDeque::new())));
        before.ok().map(|before| Self { before })
    }

    /// Takes a stream off the hand.
    pub(crate) fn take() -> Option<Arc<HostStream>> {
        HAND.with(|hand| hand.borrow_mut().as_mut()?.pop_front())
    }

    /// Puts what is on the hand into the run queue.
    pub(crate) fn publish() {
        let hand = HAND.with(|hand| {
            hand.borrow_mut().as_mut().filter(|hand| !hand.is_empty()).map(std::mem::take)
        });
        if let Some(streams) = hand {
            submit(streams);
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let hand = HAND.with(|hand| hand.replace(self.before.take()));
        if let Some(streams) = hand.filter(|streams| !streams.is_empty()) {
            submit(streams);
        }
    }
}

/// Lists streams that a helper has not taken meanwhile, those of one scheduler in one go.
fn submit(mut streams: VecDeque<Arc<HostStream>>) {
    streams.retain(|stream| stream.order().is_still_runnable());
    while let Some(first) = streams.front() {
        let scheduler = Arc::clone(&first.scheduler);
        let same =
            streams.iter().take_while(|stream| Arc::ptr_eq(&stream.scheduler, &scheduler)).count();
        scheduler.submit_all(streams.drain(..same));
    }
}

/// Keeps a woken stream on the hand of this thread, or lists it where the thread has none.
pub(crate) fn keep_or_submit(stream: Arc<HostStream>) {
    let mut kept = Some(stream);
    // While a thread ends its hand may be gone; then it keeps nothing.
    let _gone = HAND.try_with(|hand| {
        if let Some(hand) = hand.borrow_mut().as_mut()
            && let Some(stream) = kept.take()
        {
            hand.push_back(stream);
        }
    });
    if let Some(stream) = kept {
        let scheduler = Arc::clone(&stream.scheduler);
        scheduler.submit(stream);
    }
}
