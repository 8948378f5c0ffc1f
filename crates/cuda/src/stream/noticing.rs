//! Noticing how far the device has come on a stream: its events are asked, by whoever queries, waits, polls or records.

use std::sync::Arc;

use syncpoint_core::hold::HeldStream;

use super::CudaStream;
use crate::marks::Marks;
use crate::pool::Borrowed;
use crate::sync::MutexGuard;
use crate::sys::{Event, Meaning, Refusal};

impl CudaStream {
    /// Finds out by this query whether the device has come to `value`.
    pub(super) fn ask(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        query: fn(&Event) -> Result<bool, Refusal>,
    ) {
        let driver = stream.driver();
        if driver.context.check().is_err() {
            return;
        }
        let mut marks = driver.marks();
        let (known, asked) = (marks.take_news(), marks.beyond(value));
        drop(marks);
        let found = asked.and_then(|(value, event)| {
            driver.count(1);
            // Given back before the rest is looked through: what somebody else has is not kept.
            let answer = query(&driver.borrow(event));
            match answer {
                Ok(true) => driver.reach(value).take_news(),
                Ok(false) => None,
                // Worth asking again.
                Err(refusal) if refusal.meaning() == Meaning::Capturing => None,
                Err(refusal) => {
                    Self::was_refused(stream, &refusal);
                    None
                }
            }
        });
        if let Some(value) = found.or(known) {
            stream.complete(value);
        }
    }

    /// Asks the oldest event, and then others in leaps that grow, as long as the device had come to them. Says whether it
    /// had come to the oldest.
    pub(crate) fn leap(&self, oldest: (u64, Arc<Event>)) -> Result<bool, Refusal> {
        let (mut next, mut index, mut passed) = (Some(oldest), 0, None);
        let mut ended = Ok(());
        while let Some((value, event)) = next {
            let answer = self.borrow(event).query();
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

    /// Finds out with one question whether half of the events are needed no more.
    #[inline(never)]
    pub(super) fn reap(&self) {
        let Some((value, event)) = self.marks().middle() else { return };
        // Given back before the rest is looked through: what somebody else has is not kept.
        let answer = self.borrow(event).query_unnoticed();
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
    pub(crate) fn was_refused(stream: &Arc<HeldStream<Self>>, refusal: &Refusal) {
        let driver = stream.driver();
        let error = driver.context.refused(refusal);
        // Of a context that is lost everything fails, on the poller.
        if driver.context.check().is_ok() {
            let first_unknown = driver.marks().reached() + 1;
            stream.fail_unnoticed(first_unknown, &error);
        }
    }

    /// The device has come to `value`. What the stream does not keep goes back to its pool, under no lock of the stream.
    fn reach(&self, value: u64) -> MutexGuard<'_, Marks> {
        loop {
            let mut marks = self.marks();
            let Some(surplus) = marks.reach(value) else { return marks };
            drop(marks);
            self.context.give_back(surplus);
        }
    }

    /// An event of the stream's, for a call.
    #[inline]
    pub(super) fn borrow(&self, event: Arc<Event>) -> Borrowed<'_> {
        Borrowed::new(event, &self.context)
    }
}
