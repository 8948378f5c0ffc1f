//! Noticing how far the device has come on a stream: its events are asked, by whoever queries, waits, polls or records.

use std::sync::Arc;

use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Error, Result};

use super::CudaStream;
use crate::marks::Marks;
use crate::sync::Locked;
use crate::sys::{Event, Meaning, Refusal, Timing};

impl CudaStream {
    /// Finds out by this query whether the device has come to `value`.
    #[inline]
    pub(super) fn ask(
        stream: &HeldStream<Self>,
        value: u64,
        query: impl FnOnce(&Event) -> Result<bool, Refusal>,
    ) {
        let driver = stream.driver();
        if driver.context.check().is_err() {
            return;
        }
        let mut marks = driver.marks();
        let (news, asked) = (marks.take_news(), marks.beyond(value));
        drop(marks);
        // Before the driver is asked, which may take long: nobody else tells it.
        if let Some(known) = news {
            stream.complete(known);
            // Where a waker forked, in its child the driver is asked nothing.
            if stream.timeline().is_inherited() {
                return;
            }
        }
        let Some((value, event)) = asked else { return };
        driver.count(1);
        // Given back before the rest is looked through: what somebody else has is not kept.
        let answer = driver.context.lend(event, query);
        Self::hear(stream, value, answer);
    }

    /// What the driver says of the event behind `value`.
    #[inline]
    fn hear(stream: &HeldStream<Self>, value: u64, answer: Result<bool, Refusal>) {
        let found = match answer {
            Ok(true) => stream.driver().reach(value).take_news(),
            Ok(false) => return,
            // Worth asking again.
            Err(refusal) if refusal.meaning() == Meaning::Capturing => return,
            Err(refusal) => return Self::was_refused(stream, &refusal),
        };
        if let Some(value) = found {
            stream.complete(value);
        }
    }

    /// Asks the oldest event, and then others in leaps that grow, as long as the device had come to them. Says whether it
    /// had come to the oldest.
    pub(crate) fn leap(&self, oldest: (u64, Arc<Event>)) -> Result<bool, Refusal> {
        let (mut next, mut index, mut passed) = (Some(oldest), 0, None);
        let mut ended = Ok(());
        while let Some((value, event)) = next {
            let answer = self.context.lend(event, Event::query);
            match answer {
                Ok(true) => passed = Some(value),
                Ok(false) => break,
                Err(refusal) => {
                    ended = Err(refusal);
                    break;
                }
            }
            index = index * 2 + 1;
            next = self.marks().nth(index);
        }
        if let Some(value) = passed {
            drop(self.reach(value));
        }
        ended.map(|()| passed.is_some())
    }

    /// An event for a record, where none that the device has passed lies ready: by one question half of them may.
    #[cold]
    pub(super) fn another_event(&self) -> Result<Arc<Event>> {
        let asked = self.marks().worth_asking();
        if let Some((value, event)) = asked {
            self.ask_for_want(value, event);
        }
        let passed = self.marks().take_passed();
        passed.map_or_else(|| self.context.pool(Timing::Untimed).take(&self.context), Ok)
    }

    fn ask_for_want(&self, value: u64, event: Arc<Event>) {
        // Given back before the rest is looked through: what somebody else has is not recorded anew.
        let answer = self.context.lend(event, Event::query_unnoticed);
        match answer {
            Ok(true) => drop(self.reach(value)),
            // Nobody asked: a broken context is noted, and anything else is told to who asks next.
            Err(refusal) if refusal.meaning() == Meaning::Lost => {
                self.context.refused(&refusal);
            }
            Ok(false) | Err(_) => {}
        }
    }

    /// A question about the stream was refused, and not because a capture was in the way: the stream fails.
    #[cold]
    pub(crate) fn was_refused(stream: &HeldStream<Self>, refusal: &Refusal) {
        let driver = stream.driver();
        let error = driver.context.refused(refusal);
        // Of a context that is lost everything fails, on the poller.
        if driver.context.check().is_ok() {
            stream.fail_unnoticed(driver.first_unknown(), &error);
        }
    }

    /// The poller cannot ask about the stream any more: the stream fails.
    #[cold]
    pub(crate) fn was_given_up(stream: &HeldStream<Self>, error: &Error) {
        let driver = stream.driver();
        // First: whom the failure rouses may wait for the stream again, and put it on the list anew.
        driver.marks().leave();
        stream.fail_unnoticed(driver.first_unknown(), error);
    }

    fn first_unknown(&self) -> u64 {
        self.marks().reached() + 1
    }

    /// The device has come to `value`, which no event has told.
    pub(crate) fn come_to(stream: &HeldStream<Self>, value: u64) {
        let told = stream.driver().reach(value).take_news();
        stream.complete(told.map_or(value, |told| told.max(value)));
    }

    /// The device has come to `value`. What the stream does not keep goes back to its pool, under no lock of the stream.
    #[inline]
    fn reach(&self, value: u64) -> Locked<'_, Marks> {
        let mut marks = self.marks();
        let surplus = marks.reach(value);
        if surplus.is_empty() {
            return marks;
        }
        drop(marks);
        for event in surplus {
            self.context.give_back(event);
        }
        self.marks()
    }
}
