//! Marks: that somebody can ask for a value, and that the driver notices when it comes to it.

use std::sync::Arc;

use super::order::{Order, Turn};
use super::{Driver, HeldStream, Operation};
use crate::error::Result;

impl<D: Driver> HeldStream<D> {
    /// Somebody will ask for `value`, which is enqueued: marks it, now or when it is passed.
    pub(super) fn ask(self: &Arc<Self>, order: &mut Order<D>, value: u64) -> Result<()> {
        self.flight().ask(value);
        let passed = order.row.passed();
        // A mark while a function of the user's is at work would be one of the function too, before it has submitted.
        if value > passed || order.turn == Turn::Away {
            if order.asks.back().is_none_or(|asked| *asked < value) {
                order.asks.push_back(value);
            }
            return Ok(());
        }
        self.mark(passed)
    }

    /// Marks `value`, the latest passed, unless it can be asked for already.
    pub(super) fn mark(self: &Arc<Self>, value: u64) -> Result<()> {
        if !self.flight().needs_mark(value) {
            return Ok(());
        }
        D::submit(self, value, Operation::Mark)?;
        let _nothing_kept = self.flight().submit(value, true, None);
        Ok(())
    }

    /// Sees to it that the driver tells when it comes to what was submitted, all of it up to `passed`.
    pub(super) fn notice(self: &Arc<Self>, passed: u64) -> Result<()> {
        if self.flight().is_unsignalled() { self.mark(passed) } else { Ok(()) }
    }

    /// Asks for a value of this stream on behalf of another that waits for it. Under no order lock.
    pub(super) fn ask_for(self: &Arc<Self>, value: u64) {
        if self.flight().is_asked(value) || self.timeline.has_failed() {
            return;
        }
        let mut order = self.order();
        // A point may name a value that nobody has enqueued.
        let value = value.min(order.row.enqueued());
        if self.flight().is_asked(value) {
            return;
        }
        let asked = self.ask(&mut order, value);
        drop(order);
        match asked {
            Ok(()) => self.after_submission(),
            // A stream that nobody can ask any more would leave its waiters asleep.
            Err(error) => self.fail(value, &error),
        }
    }

    /// Somebody sleeps for a value that nobody has asked for: the crew asks, because a host wait takes no order lock.
    pub(super) fn ask_for_expected(self: &Arc<Self>) {
        let unasked = self.flight().unasked();
        if let Some(value) = unasked {
            self.ask_for(value);
        }
    }

    /// Tells of new signals whoever waits for them, and the driver of whoever sleeps. Under no lock.
    pub(super) fn after_submission(self: &Arc<Self>) {
        let flight = self.flight();
        let (signalled, expects) = (flight.signalled(), flight.expects_signal());
        let has_news = flight.has_news();
        drop(flight);
        self.signals.complete(signalled);
        if let Some(value) = expects {
            D::expect(self, value);
        }
        if has_news {
            self.land();
        }
    }
}
