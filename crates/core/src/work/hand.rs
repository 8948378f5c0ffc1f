//! What a worker or helper has set free and not yet passed on: its hand.
//!
//! Completing a point puts the woken streams here, and they are served after the present item returns: a chain of any
//! length needs no stack. Before the next function of the user's runs the hand is published, or a long one would
//! strand what it set free.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::Serve;
use crate::inherited::Own;

/// The hand of one thread for one kind of stream. `None` on threads that serve no streams: what they wake goes to the
/// run queue. So it does where a thread that serves forked: its copy in the child serves nobody.
pub struct Hand<S: ?Sized>(RefCell<Option<Own<VecDeque<Arc<S>>>>>);

impl<S: ?Sized> Hand<S> {
    /// No hand: this thread serves no streams.
    #[expect(clippy::new_without_default, reason = "made in a constant, where there is no default")]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }
}

impl<S: ?Sized> fmt::Debug for Hand<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hand")
    }
}

/// Makes this thread keep what it sets free, until it is dropped; what it then still has is published. Inside another,
/// as when an observer that a worker calls synchronizes, it leaves the other's hand as it was.
#[must_use = "what this thread sets free is kept only while this lives"]
pub struct Keep<S: Serve + ?Sized> {
    before: Option<Own<VecDeque<Arc<S>>>>,
    _on_this_thread: PhantomData<*const S>,
}

impl<S: Serve + ?Sized> Hand<S> {
    /// `None` while the thread ends and its hand is gone: then it serves no streams.
    pub fn keep() -> Option<Keep<S>> {
        let before = S::hand().try_with(|hand| hand.0.replace(Some(Own::new(VecDeque::new()))));
        before.ok().map(|before| Keep { before, _on_this_thread: PhantomData })
    }

    /// Takes a stream off the hand.
    pub(super) fn take() -> Option<Arc<S>> {
        S::hand().try_with(|hand| hand.0.borrow_mut().as_mut()?.get()?.pop_front()).ok()?
    }

    /// Puts what is on the hand into the run queue.
    #[inline]
    pub fn publish() {
        // While a thread ends its hand may be gone; then there is nothing on it.
        let hand = S::hand().try_with(|hand| {
            let mut hand = hand.0.borrow_mut();
            hand.as_mut()?.get().filter(|hand| !hand.is_empty()).map(std::mem::take)
        });
        if let Ok(Some(streams)) = hand {
            submit(streams);
        }
    }

    /// Keeps a woken stream on the hand of this thread, or lists it where the thread has none.
    #[inline]
    pub fn keep_or_submit(stream: Arc<S>) {
        let mut kept = Some(stream);
        // While a thread ends its hand may be gone; then it keeps nothing.
        let _gone = S::hand().try_with(|hand| {
            if let Some(hand) = hand.0.borrow_mut().as_mut().and_then(Own::get)
                && let Some(stream) = kept.take()
            {
                hand.push_back(stream);
            }
        });
        if let Some(stream) = kept {
            let pool = Arc::clone(stream.pool());
            pool.submit(stream);
        }
    }
}

impl<S: Serve + ?Sized> Drop for Keep<S> {
    fn drop(&mut self) {
        let hand = S::hand().try_with(|hand| hand.0.replace(self.before.take()));
        let streams = hand.ok().flatten().and_then(Own::take);
        if let Some(streams) = streams.filter(|streams| !streams.is_empty()) {
            submit(streams);
        }
    }
}

impl<S: Serve + ?Sized> fmt::Debug for Keep<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keep")
    }
}

/// Lists streams that a helper has not taken meanwhile, those of one pool in one go.
fn submit<S: Serve + ?Sized>(mut streams: VecDeque<Arc<S>>) {
    streams.retain(|stream| stream.is_still_needed());
    while let Some(first) = streams.front() {
        let pool = Arc::clone(first.pool());
        let same = streams.iter().take_while(|stream| Arc::ptr_eq(stream.pool(), &pool)).count();
        pool.submit_all(streams.drain(..same));
    }
}
