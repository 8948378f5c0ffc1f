//! A place for one thread to sleep, of which a waker may be made.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use crate::graph;
use crate::inherited::Own;
use crate::point::Point;
use crate::sync::{self, Condvar, Mutex, lock};
use crate::timeline::Ticket;

/// A place for one thread to sleep. Ours, and not the thread's own token: taking that would lose a wake-up of the
/// user's.
pub(crate) struct Parker {
    /// Whether a wake came since the last sleep. Guards nothing else.
    woken: Mutex<bool>,
    wakes: Condvar,
}

sync::local! {
    /// Another thread of the parent may have held its lock as this one forked: the child has its own.
    static PARKER: RefCell<Option<Own<Arc<Parker>>>> = RefCell::new(None);
}

impl Parker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { woken: Mutex::new(false), wakes: Condvar::new() })
    }

    /// This thread's own; while the thread ends, a new one.
    pub(crate) fn of_this_thread() -> Arc<Self> {
        let parker = PARKER.try_with(|parker| {
            let mut parker = parker.borrow_mut();
            if let Some(parker) = parker.as_mut().and_then(Own::get) {
                return Arc::clone(parker);
            }
            let made = Self::new();
            *parker = Some(Own::new(Arc::clone(&made)));
            made
        });
        parker.unwrap_or_else(|_| Self::new())
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

/// A thread among the waiters of a point, until it is dropped.
pub(crate) struct Waiting<'a> {
    point: &'a Point,
    ticket: Option<Ticket>,
}

impl<'a> Waiting<'a> {
    /// Lists a parker with the waiters of a point. One that has settled lists nobody: look before you sleep.
    pub(crate) fn list(point: &'a Point, parker: &Arc<Parker>) -> Self {
        let waker = Waker::from(Arc::clone(parker));
        let ticket = point.timeline().register(point.value(), waker);
        if ticket.is_some() {
            graph::expect(point);
        }
        Self { point, ticket }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.point.timeline().unregister(ticket);
        }
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        *lock(&self.woken) = true;
        self.wakes.notify_one();
    }
}
