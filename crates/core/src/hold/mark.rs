//! Marks: that somebody can ask for a value, and that the driver notices when it comes to it.

use std::sync::Arc;

use super::flight::News;
use super::order::{Order, Turn};
use super::{Driver, HeldStream, Operation};
use crate::error::Result;

impl<D: Driver> HeldStream<D> {
    /// Somebody will ask for `value`, which is enqueued: marks it, now or when it is passed. `None`: nothing changed.
    #[inline]
    pub(super) fn ask(self: &Arc<Self>, order: &mut Order<D>, value: u64) -> Result<Option<News>> {
        let passed = order.row.passed();
        // A mark while a function of the user's is at work would be one of the function too, before it has submitted.
        if value > passed || order.turn == Turn::Away {
            self.ask_later(order, value);
            return Ok(None);
        }
        // What is complete needs no mark, and neither does what is signalled, or signalled up to there.
        if self.signals.completed() >= passed {
            return Ok(None);
        }
        self.mark(passed).map(Some)
    }

    fn ask_later(&self, order: &mut Order<D>, value: u64) {
        self.flight().ask(value);
        if order.asks.back().is_none_or(|asked| *asked < value) {
            order.asks.push_back(value);
        }
    }

    /// Marks `value`, the latest passed, unless it can be asked for already.
    pub(super) fn mark(self: &Arc<Self>, value: u64) -> Result<News> {
        let flight = self.flight();
        if !flight.needs_mark(value) {
            return Ok(flight.news());
        }
        drop(flight);
        self.submit_mark(value)
    }

    fn submit_mark(self: &Arc<Self>, value: u64) -> Result<News> {
        D::submit(self, value, Operation::Mark)?;
        let mut flight = self.flight();
        let _nothing_kept = flight.submit(value, true, None);
        Ok(flight.news())
    }

    /// Sees to it that the driver tells when it comes to what was submitted, all of it up to `passed`.
    pub(super) fn notice(self: &Arc<Self>, passed: u64) -> Result<()> {
        let unsignalled = self.flight().is_unsignalled();
        if unsignalled { self.mark(passed).map(|_told_with_what_comes| ()) } else { Ok(()) }
    }

    /// Asks for a value of this stream on behalf of another that waits for it. Under no order lock.
    pub(super) fn ask_for(self: &Arc<Self>, value: u64) {
        let is_signalled = self.signals.completed() >= value;
        if is_signalled || self.flight().is_asked(value) || self.timeline.has_failed() {
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
            Ok(news) => news.into_iter().for_each(|news| self.tell(news)),
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

    /// Tells of new signals whoever waits for them, and the driver of whoever sleeps, and lands what can. Under no lock.
    pub(super) fn tell(self: &Arc<Self>, news: News) {
        self.signals.complete(news.signalled);
        if let Some(value) = news.expects {
            D::expect(self, value);
        }
        if news.lands {
            self.land();
        }
    }

    /// Tells what there is to tell.
    pub(super) fn tell_news(self: &Arc<Self>) {
        let news = self.flight().news();
        self.tell(news);
    }
}
