//! Marks: that somebody can ask for a value, and that the driver notices when it comes to it.

use std::sync::Arc;
use std::time::Instant;

use super::flight::{Flight, News};
use super::order::{Order, OrderLocked, Turn};
use super::{Driver, HeldStream, Need, Operation};
use crate::contract::{Line, Placed};
use crate::error::{Error, Result};
use crate::point::State;
use crate::sync::Locked;

impl<D: Driver> HeldStream<D> {
    /// A record that is not quick.
    #[inline(never)]
    pub(super) fn record_further(&self) -> Result<Placed> {
        self.this().refuse_capturing()?;
        self.record_under(self.order_in_room(Need::Item)?)
    }

    /// A record by who has a deadline.
    pub(super) fn record_by(&self, deadline: Instant, line: &mut Line) -> Result<Placed> {
        self.this().refuse_capturing()?;
        self.record_under(self.order_in_room_by(Need::Item, deadline, line)?)
    }

    fn record_under(&self, mut order: OrderLocked<'_, D>) -> Result<Placed> {
        let this = self.this();
        if self.timeline.has_failed() {
            return Ok(Placed::new(self.failed_value(&mut order)));
        }
        if !self.is_managed() {
            return this.mark_here(order).or_else(|refusal| self.failed_meanwhile(refusal));
        }
        let value = order.row.enqueued();
        let news = this.ask(&order, value)?;
        let placed = Placed::new(value);
        drop(order);
        if let Some(news) = news {
            this.tell(news);
        }
        Ok(placed)
    }

    /// Somebody will ask for `value`: marks it, now or when it is passed. `None`: nothing changed.
    #[inline]
    pub(super) fn ask(self: &Arc<Self>, order: &Order<D>, value: u64) -> Result<Option<News>> {
        let passed = order.row.passed();
        // A mark while a function of the user's is at work would be one of the function too, before it has submitted.
        if value > passed || order.turn == Turn::Away {
            self.flight().ask(value);
            return Ok(None);
        }
        // What is complete needs no mark, and neither does what is signalled, or signalled up to there.
        if self.signals.completed() >= passed {
            return Ok(None);
        }
        self.mark(passed).map(Some)
    }

    /// Marks `value`, the latest passed, unless it can be asked for already.
    pub(super) fn mark(self: &Arc<Self>, value: u64) -> Result<News> {
        let flight = self.flight();
        if !flight.needs_mark(value) || (self.marks_at_once() && !flight.is_unsignalled()) {
            return Ok(flight.news());
        }
        drop(flight);
        self.submit_mark(value)
    }

    pub(super) fn submit_mark(self: &Arc<Self>, value: u64) -> Result<News> {
        D::submit(self, value, Operation::Mark)?;
        let mut flight = self.flight();
        flight.submit(value, true);
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
        if is_signalled || self.flight().is_asked(value) || self.is_settled(value) {
            return;
        }
        let order = self.order();
        let asked = self.ask(&order, value);
        drop(order);
        match asked {
            Ok(news) => news.into_iter().for_each(|news| self.tell(news)),
            Err(error) => self.fail_unmarked(&error),
        }
    }

    /// Somebody sleeps until `value` is complete. Takes no order lock: where a mark is needed now, the crew makes it.
    pub(super) fn expect_under(&self, mut flight: Locked<'_, Flight>, value: u64) {
        flight.expect(value);
        let (unmarked, signal) = (flight.has_due_ask(), flight.expects_signal());
        drop(flight);
        if unmarked {
            self.rouse();
        }
        if let Some(signal) = signal {
            D::expect(&self.this(), signal);
        }
    }

    /// Somebody asked for what has passed already, a sleeper, who takes no order lock, or one whom a function at work
    /// held back.
    pub(super) fn answer_asked(self: &Arc<Self>) {
        if !self.flight().has_due_ask() {
            return;
        }
        let order = self.order();
        // What the function is asked for is answered when it ends.
        if order.turn != Turn::Away {
            let (passed, news) = (order.row.passed(), self.flight().news());
            self.go_on(order, passed, news);
        }
    }

    /// Everything up to `passed`, the latest passed, is held no more: answers who asked for it.
    #[inline]
    pub(super) fn go_on(self: &Arc<Self>, order: OrderLocked<'_, D>, passed: u64, news: News) {
        if news.asked {
            return self.answer_and_go_on(order, passed, news);
        }
        drop(order);
        self.tell(news);
    }

    #[cold]
    fn answer_and_go_on(self: &Arc<Self>, order: OrderLocked<'_, D>, passed: u64, news: News) {
        let marked = self.answer(passed);
        drop(order);
        self.tell_marked(marked, news);
    }

    /// Marks `passed`, the latest, for whoever asked for it or for one before it.
    pub(super) fn answer(self: &Arc<Self>, passed: u64) -> Result<News> {
        self.flight().answer(passed);
        self.mark(passed)
    }

    /// Tells the news of a mark, or that there is none: nobody could ask for the value.
    pub(super) fn tell_marked(self: &Arc<Self>, marked: Result<News>, before: News) {
        match marked {
            Ok(news) => self.tell(news),
            Err(error) => {
                self.tell(before);
                self.fail_unmarked(&error);
            }
        }
    }

    fn is_settled(&self, value: u64) -> bool {
        !matches!(self.timeline.state(value), State::Pending)
    }

    /// A stream that nobody can ask any more would leave its waiters asleep.
    fn fail_unmarked(&self, error: &Error) {
        let noticed = self.flight().noticed();
        self.fail_unnoticed(noticed + 1, error);
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
