//! Lanes: streams of our own on which a device waits for another process's word, and then opens latches of this one.
//!
//! A stream of the user's must not stand before the word itself: nobody here could let it go at the deadline of the gates,
//! since to write the word would let go all who wait for it, in every process. So it stands before a latch, which is
//! opened by whoever comes first: the lane, as the word is written; the host, as it hears of that; or the deadline.

use std::collections::VecDeque;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use syncpoint_base::Inside;
use syncpoint_core::contract::Import;

use crate::context::Context;
use crate::guarded::{Guard, Looks};
use crate::latch::{self, Latch};
use crate::poller::Poll;
use crate::reaper::Remains;
use crate::sync::{Lock, lock};
use crate::sys::{Refusal, SharedPage, Stream, Word};

/// The lane of one page.
pub(crate) struct Lane {
    /// There until the drop.
    parts: Option<Parts>,
    context: Arc<Context>,
    import: Arc<Import>,
}

struct Parts {
    stream: Stream,
    page: SharedPage,
    /// What the lane counts with, as it comes past each latch.
    counter: Word,
    /// Guards that waits are given one after the other. The driver is given the parts of one wait under it; taken under the
    /// order lock of the stream that waits.
    given: Lock<Given>,
}

struct Given {
    /// What the counter is once the lane is through.
    end: u64,
    /// As far as the lane was told to count: less than to the end where the driver refused a wait half-way.
    counted: u64,
    /// What the lane is not known to be past.
    steps: VecDeque<Step>,
    /// Whether the poller looks at it.
    is_watched: bool,
}

/// One wait of a lane.
struct Step {
    /// What the counter is behind it.
    end: u64,
    /// Which number of the page it is for, and what that has to be.
    word: (usize, u64),
    /// What the lane then writes to, so that nobody else has its word meanwhile.
    _latch: Latch,
}

/// So many waits a lane has at most: each is three commands, and a driver's stream takes about a thousand before a call
/// blocks, which would be under the order lock of who waits.
const LONGEST: usize = 85;

impl Lane {
    /// # Errors
    /// The driver's.
    pub(crate) fn new(context: &Arc<Context>, import: &Arc<Import>) -> Result<Arc<Self>, Refusal> {
        let stream = Stream::create(context.primary(), 0)?;
        let registered = SharedPage::register(context.primary(), import.page());
        let (page, counter) = match registered.and_then(|page| counted(context, page)) {
            Ok(made) => made,
            Err(refusal) => {
                context.reap(Remains::Stream(stream));
                return Err(refusal);
            }
        };
        let (end, steps) = (counter.value(), VecDeque::new());
        let given = Lock::new(Given { end, counted: end, steps, is_watched: false });
        let parts = Some(Parts { stream, page, counter, given });
        let (context, import) = (Arc::clone(context), Arc::clone(import));
        Ok(Arc::new(Self { parts, context, import }))
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
        self: &Arc<Self>,
        word: (usize, u64),
        latch: &Latch,
    ) -> Result<bool, Refusal> {
        let parts = self.parts();
        let mut given = parts.given.lock();
        let passed = given.take_passed(parts.counter.value());
        // First what was refused half-way: it would be counted among those to come for ever.
        let outcome = parts.count(&mut given).and_then(|()| {
            let has_room = given.steps.len() < LONGEST;
            if has_room {
                parts.give(&mut given, word, latch)?;
            }
            Ok(has_room)
        });
        let is_to_be_watched = given.is_to_be_watched();
        drop(given);
        drop(passed);
        if is_to_be_watched {
            let (lane, looks) = (Arc::downgrade(self), Looks::begin(LOOK, RARELY));
            self.context.poll(Poll::Guard(Box::new(Watch { lane, looks })));
        }
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
    /// What is refused may have been begun all the same.
    fn give(&self, given: &mut Given, word: (usize, u64), latch: &Latch) -> Result<(), Refusal> {
        given.end += 1;
        given.steps.push_back(Step { end: given.end, word, _latch: latch.clone() });
        let (index, value) = word;
        self.stream.wait_for_number(&self.page, index, value)?;
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
        self.counter.value() >= self.given.lock().end
    }

    /// On the poller: has the lane count what was refused half-way, which would be to come for ever, and lets it go before
    /// all that is settled. Time and again: of records that have failed the other device may write an earlier one's word
    /// over what let the lane go before, and never come further. Says whether there is anything to look at.
    fn look(&self, context: &Arc<Context>, import: &Import) -> bool {
        // Who has it may be inside a call of the driver.
        let Some(mut given) = self.given.try_lock() else { return true };
        let passed = given.take_passed(self.counter.value());
        let inside = Inside::enter_or_rest();
        let refused = context.asking().ask(|| self.count(&mut given));
        drop(inside);
        let words: Vec<_> = given.steps.iter().map(|step| step.word).collect();
        given.is_watched = !words.is_empty();
        drop(given);
        drop(passed);
        // Tried again with the next look, unless that broke the context.
        if let Err(refusal) = refused {
            context.refused(&refusal);
        }
        for (word, generation) in &words {
            import.let_go(*word, *generation);
        }
        !words.is_empty()
    }
}

impl Given {
    /// The steps that the lane is past.
    fn take_passed(&mut self, counter: u64) -> Vec<Step> {
        let passed = self.steps.partition_point(|step| step.end <= counter);
        self.steps.drain(..passed).collect()
    }

    /// Whether somebody has to have the poller look at it, who then does.
    fn is_to_be_watched(&mut self) -> bool {
        let is_news = !self.is_watched && !self.steps.is_empty();
        self.is_watched |= is_news;
        is_news
    }
}

/// A lane that stands before something, for the poller to look at.
struct Watch {
    lane: Weak<Lane>,
    looks: Looks,
}

impl Guard for Watch {
    fn at(&self) -> Instant {
        self.looks.at()
    }

    fn is_pending(&self) -> bool {
        self.lane.strong_count() > 0
    }

    fn pass(&mut self) -> bool {
        let Some(lane) = self.lane.upgrade() else { return false };
        let stays = lane.context.is_usable() && lane.parts().look(&lane.context, &lane.import);
        self.looks.pause();
        stays
    }
}

/// A lane that the device is not through with, because the other process lives and has not come so far, is ended later.
impl Drop for Lane {
    fn drop(&mut self) {
        let (context, import) = (Arc::clone(&self.context), Arc::clone(&self.import));
        let (parts, looks) = (self.parts.take(), Looks::begin(LOOK, RARELY));
        let mut left = Left { parts, context, import, looks };
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
    import: Arc<Import>,
    looks: Looks,
}

/// How often a lane is looked at, at first and at last: nobody waits for that.
const LOOK: Duration = Duration::from_millis(10);
const RARELY: Duration = Duration::from_secs(1);

impl Guard for Left {
    fn at(&self) -> Instant {
        self.looks.at()
    }

    fn is_pending(&self) -> bool {
        true
    }

    fn pass(&mut self) -> bool {
        if let Some(parts) = self.parts.as_ref().filter(|_| self.context.is_usable()) {
            parts.look(&self.context, &self.import);
        }
        self.stays()
    }
}

impl Left {
    /// Ends the lane if the device is through with it. Says whether it has to be looked at again.
    fn stays(&mut self) -> bool {
        if !self.context.is_usable() {
            return false;
        }
        let Some(parts) = self.parts.take_if(|parts| parts.is_through()) else {
            self.looks.pause();
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

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Watch({:?})", self.lane)
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = self.parts.as_ref().map(|parts| &parts.page);
        write!(formatter, "Lane({page:?})")
    }
}
