//! Lanes: streams of our own on which a device waits for another process's word, and then opens latches of this one.
//!
//! A stream of the user's must not stand before the word itself: nobody here could let it go at the deadline of the gates,
//! since to write the word would let go all who wait for it, in every process. So it stands before a latch, which is
//! opened by whoever comes first: the lane, as the word is written; the host, as it hears of that; or the deadline.

use std::collections::VecDeque;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::Inside;
use syncpoint_core::contract;

use crate::context::Context;
use crate::guarded::Guard;
use crate::latch::{self, Latch};
use crate::poller::Poll;
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
    /// As far as the lane was told to count: less than to the end where the driver refused a wait half-way.
    counted: u64,
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
        let stream = Stream::create(context.primary(), 0)?;
        let registered = SharedPage::register(context.primary(), page);
        let (page, counter) = match registered.and_then(|page| counted(context, page)) {
            Ok(made) => made,
            Err(refusal) => {
                context.reap(Remains::Stream(stream));
                return Err(refusal);
            }
        };
        let given =
            Given { end: counter.value(), counted: counter.value(), latches: VecDeque::new() };
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
        // First what was refused half-way: it would be counted among those to come for ever.
        let outcome = parts.count(&mut given).and_then(|()| {
            let has_room = given.latches.len() < LONGEST;
            if has_room {
                parts.give(&mut given, (index, value), latch)?;
            }
            Ok(has_room)
        });
        drop(given);
        drop(passed);
        outcome
    }
}

/// A page with a word to count with, which comes last: nobody gives it back where something else is refused.
fn counted(context: &Context, page: SharedPage) -> Result<(SharedPage, Word), Refusal> {
    match latch::take(context) {
        Ok(counter) => Ok((page, counter)),
        Err(refusal) => {
            context.reap(Remains::Page(page));
            Err(refusal)
        }
    }
}

impl Parts {
    fn give(
        &self,
        given: &mut Given,
        (index, value): (usize, u64),
        latch: &Latch,
    ) -> Result<(), Refusal> {
        self.stream.wait_for_number(&self.page, index, value)?;
        given.end += 1;
        given.latches.push_back((given.end, latch.clone()));
        latch.open_on(&self.stream)?;
        self.count(given)
    }

    /// Has the lane count everything that it was given.
    fn count(&self, given: &mut Given) -> Result<(), Refusal> {
        if given.counted < given.end {
            self.stream.write_word(&self.counter, given.end)?;
            given.counted = given.end;
        }
        Ok(())
    }

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

/// A lane that the device is not through with, because the other process lives and has not come so far, is ended later.
impl Drop for Lane {
    fn drop(&mut self) {
        let (at, context) = (Instant::now(), Arc::clone(&self.context));
        let mut left = Left { parts: self.parts.take(), context, at, pause: LOOK };
        if left.stays() {
            self.context.poll(Poll::Guard(Box::new(left)));
        }
    }
}

/// A lane that nobody waits in any more, until the device is through with it.
struct Left {
    /// There until the lane is ended.
    parts: Option<Parts>,
    context: Arc<Context>,
    at: Instant,
    pause: Duration,
}

/// How often it is looked whether the device is through with a lane, at first and at last: nobody waits for that.
const LOOK: Duration = Duration::from_millis(10);
const RARELY: Duration = Duration::from_secs(1);

impl Guard for Left {
    fn at(&self) -> Instant {
        self.at
    }

    fn is_pending(&self) -> bool {
        true
    }

    fn pass(&mut self) -> bool {
        self.count();
        self.stays()
    }
}

impl Left {
    /// What was refused half-way would be to come for ever.
    fn count(&self) {
        let Some(parts) = self.parts.as_ref().filter(|_| self.context.is_usable()) else { return };
        let _inside = Inside::enter_or_rest();
        let refused = parts.count(&mut lock(&parts.given));
        // Tried again with the next look, unless that broke the context.
        if let Err(refusal) = refused {
            self.context.refused(&refusal);
        }
    }

    /// Ends the lane if the device is through with it. Says whether it has to be looked at again.
    fn stays(&mut self) -> bool {
        if !self.context.is_usable() {
            return false;
        }
        let Some(parts) = self.parts.take_if(|parts| parts.is_through()) else {
            self.at = Instant::now() + self.pause;
            self.pause = (self.pause * 2).min(RARELY);
            return true;
        };
        let Parts { stream, page, counter, given } = parts;
        drop(given);
        lock(self.context.words()).push(counter);
        self.context.reap(Remains::Stream(stream));
        self.context.reap(Remains::Page(page));
        false
    }
}

/// Of a context that is broken, or a parent's, everything is left to the device.
impl Drop for Left {
    fn drop(&mut self) {
        let _left = ManuallyDrop::new(self.parts.take());
    }
}

impl fmt::Debug for Left {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = self.parts.as_ref().map(|parts| &parts.page);
        write!(formatter, "Left({page:?})")
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = self.parts.as_ref().map(|parts| &parts.page);
        write!(formatter, "Lane({page:?})")
    }
}
