//! Lanes: streams of our own on which a device waits for another process's word, and then opens latches of this one.
//!
//! A stream of the user's must not stand before the word itself: nobody here could let it go at the deadline of the gates,
//! since to write the word would let go all who wait for it, in every process. So it stands before a latch, which is
//! opened by whoever comes first: the lane, as the word is written; the host, as it hears of that; or the deadline.

use std::collections::VecDeque;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use syncpoint_core::contract;

use crate::context::Context;
use crate::latch::{self, Latch};
use crate::reaper::Remains;
use crate::sync::{Mutex, lock};
use crate::sys::{Refusal, SharedPage, Stream, Word};

/// The lane of one page.
pub(crate) struct Lane {
    /// There until the drop.
    parts: Option<Parts>,
    context: Arc<Context>,
}

struct Parts {
    stream: Stream,
    page: SharedPage,
    /// What the lane counts with, as it comes past each latch.
    counter: Word,
    /// Guards that waits are given one after the other. The driver is given the parts of one wait under it; taken under the
    /// order lock of the stream that waits.
    given: Mutex<Given>,
}

struct Given {
    /// What the counter is once the lane is through.
    end: u64,
    /// The latches that the lane will write to, so that nobody else has their words meanwhile.
    latches: VecDeque<(u64, Latch)>,
}

/// So many waits a lane has at most: each is three commands, and a driver's stream takes about a thousand before a call
/// blocks, which would be under the order lock of who waits.
const LONGEST: usize = 85;

impl Lane {
    /// # Errors
    /// The driver's.
    pub(crate) fn new(context: &Arc<Context>, page: contract::SharedPage) -> Result<Self, Refusal> {
        let counter = latch::take(context)?;
        let stream = Stream::create(context.primary(), 0)?;
        let page = match SharedPage::register(context.primary(), page) {
            Ok(page) => page,
            Err(refusal) => {
                context.reap(Remains::Stream(stream));
                return Err(refusal);
            }
        };
        let given = Given { end: counter.value(), latches: VecDeque::new() };
        let parts = Parts { stream, page, counter, given: Mutex::new(given) };
        Ok(Self { parts: Some(parts), context: Arc::clone(context) })
    }

    fn parts(&self) -> &Parts {
        self.parts.as_ref().unwrap_or_else(|| unreachable!("they are taken by the drop alone"))
    }

    /// Has the device open a latch once a number of the page is at least so much. False: so many are to come that it was
    /// given nothing.
    ///
    /// # Errors
    /// The driver's: then the latch may stay closed.
    pub(crate) fn open_at(
        &self,
        (index, value): (usize, u64),
        latch: &Latch,
    ) -> Result<bool, Refusal> {
        let parts = self.parts();
        let mut given = lock(&parts.given);
        let passed = given.take_passed(parts.counter.value());
        if given.latches.len() >= LONGEST {
            drop(given);
            return Ok(false);
        }
        let outcome = parts.stream.wait_for_number(&parts.page, index, value).and_then(|()| {
            given.end += 1;
            let end = given.end;
            given.latches.push_back((end, latch.clone()));
            latch.open_on(&parts.stream)?;
            parts.stream.write_word(&parts.counter, end)
        });
        drop(given);
        drop(passed);
        outcome.map(|()| true)
    }
}

impl Parts {
    fn is_through(&self) -> bool {
        self.counter.value() >= lock(&self.given).end
    }
}

impl Given {
    /// The latches that the lane has come past.
    fn take_passed(&mut self, counter: u64) -> Vec<(u64, Latch)> {
        let passed = self.latches.partition_point(|(end, _)| *end <= counter);
        self.latches.drain(..passed).collect()
    }
}

/// A lane that the device is through with is ended. Of another one everything is left to the device for good: the other
/// process lives, and has not come so far.
impl Drop for Lane {
    fn drop(&mut self) {
        let Some(parts) = self.parts.take() else { return };
        if !self.context.is_usable() || !parts.is_through() {
            let _left = ManuallyDrop::new(parts);
            return;
        }
        let Parts { stream, page, counter, given } = parts;
        drop(given);
        lock(self.context.words()).push(counter);
        self.context.reap(Remains::Stream(stream));
        self.context.reap(Remains::Page(page));
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = self.parts.as_ref().map(|parts| &parts.page);
        write!(formatter, "Lane({page:?})")
    }
}
