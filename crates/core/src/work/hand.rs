//! What a worker or helper has set free and not yet passed on: its hand.
//!
//! Completing a point puts the woken streams here, and they are served after the present item returns: a chain of any
//! length needs no stack. Before the next function of the user's runs the hand is published, or a long one would
//! strand what it set free. A worker's hand is its tray, from which others take: there publishing is calling them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::Serve;
use super::pool::Pool;
use super::ready::is_urgent;
use super::seat::Seat;
use crate::inherited::Own;

/// The hand of one thread for one kind of stream. `None` on threads that serve no streams: what they wake goes to the
/// run queue. So it does where a thread that serves forked: its copy in the child serves nobody.
pub struct Hand<S: Serve + ?Sized>(RefCell<Option<Own<Kept<S>>>>);

/// Where a thread keeps what it sets free.
enum Kept<S: Serve + ?Sized> {
    /// A helper, for itself.
    Here(VecDeque<Arc<S>>),
    /// A worker, for whoever comes first.
    OnTray(Arc<Seat<S>>, Arc<Pool<S>>),
}

impl<S: Serve + ?Sized> Hand<S> {
    /// No hand: this thread serves no streams.
    #[expect(clippy::new_without_default, reason = "made in a constant, where there is no default")]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }
}

impl<S: Serve + ?Sized> fmt::Debug for Hand<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hand")
    }
}

/// Makes this thread keep what it sets free, until it is dropped; what it then still has is published. Inside another,
/// as when an observer that a worker calls synchronizes, it leaves the other's hand as it was.
#[must_use = "what this thread sets free is kept only while this lives"]
pub struct Keep<S: Serve + ?Sized> {
    before: Option<Own<Kept<S>>>,
    _on_this_thread: PhantomData<*const S>,
}

impl<S: Serve + ?Sized> Hand<S> {
    /// The hand of a helper. `None` while the thread ends and its hand is gone: then it serves no streams.
    pub fn keep() -> Option<Keep<S>> {
        Self::keep_in(Kept::Here(VecDeque::new()))
    }

    /// The hand of the worker that has this seat.
    pub(super) fn keep_on_tray(seat: &Arc<Seat<S>>, pool: &Arc<Pool<S>>) -> Option<Keep<S>> {
        Self::keep_in(Kept::OnTray(Arc::clone(seat), Arc::clone(pool)))
    }

    fn keep_in(kept: Kept<S>) -> Option<Keep<S>> {
        let before = S::hand().try_with(|hand| hand.0.replace(Some(Own::new(kept))));
        before.ok().map(|before| Keep { before, _on_this_thread: PhantomData })
    }

    /// Sees to it that what is on the hand is not stranded by what comes next on this thread.
    #[inline]
    pub fn publish() {
        // While a thread ends its hand may be gone; then there is nothing on it.
        let hand = S::hand().try_with(|hand| match hand.0.borrow_mut().as_mut()?.get()? {
            Kept::Here(streams) if streams.is_empty() => None,
            Kept::Here(streams) => Some(std::mem::take(streams)),
            Kept::OnTray(seat, pool) => {
                pool.offer(seat);
                None
            }
        });
        if let Ok(Some(streams)) = hand {
            submit(streams);
        }
    }

    /// Keeps a woken stream on the hand of this thread, or lists it where the thread has none. A worker lists an urgent
    /// one too, which goes before others there, and one of another pool.
    #[inline]
    pub fn keep_or_submit(stream: Arc<S>) {
        let mut woken = Some(stream);
        // While a thread ends its hand may be gone; then it keeps nothing.
        let _gone = S::hand().try_with(|hand| {
            let mut hand = hand.0.borrow_mut();
            match hand.as_mut().and_then(Own::get) {
                Some(Kept::Here(streams)) => streams.extend(woken.take()),
                Some(Kept::OnTray(seat, pool)) => {
                    let stays = |stream: &mut Arc<S>| belongs_on_tray(stream, pool);
                    if let Some(stream) = woken.take_if(stays) {
                        seat.tray.put(stream);
                    }
                }
                None => {}
            }
        });
        if let Some(stream) = woken {
            let pool = Arc::clone(stream.pool());
            pool.submit(stream);
        }
    }
}

/// A worker of another pool serves only what is listed with that.
fn belongs_on_tray<S: Serve + ?Sized>(stream: &Arc<S>, pool: &Arc<Pool<S>>) -> bool {
    !is_urgent(stream.level()) && Arc::ptr_eq(stream.pool(), pool)
}

impl<S: Serve + ?Sized> Drop for Keep<S> {
    fn drop(&mut self) {
        let hand = S::hand().try_with(|hand| hand.0.replace(self.before.take()));
        if let Some(Kept::Here(streams)) = hand.ok().flatten().and_then(Own::take)
            && !streams.is_empty()
        {
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
