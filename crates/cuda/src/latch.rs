//! Latches: what holds a stream on the device itself, until the host lets it go on.
//!
//! A stream that others launch on too cannot be held on the host. Where the device was opened with gates, the driver
//! makes the stream wait for a word of memory that the host writes (`cuStreamWaitValue64`). A device that stands before
//! such a word is a hazard: what shares its hardware queue may stand behind it, and nothing else lets it go. So every latch has a
//! deadline, at which it is opened with its stream failed; and a device that only says it can is not believed.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Error, Result};

use crate::context::Context;
use crate::guarded::Guard;
use crate::reaper::Remains;
use crate::stream::CudaStream;
use crate::sync::lock;
use crate::sys::{Event, Refusal, Stream, Timing, Word, Words};

/// A word that a stream waits for, until it is opened. Dropping it opens it.
#[derive(Clone, Debug)]
pub(crate) struct Latch(Arc<Closed>);

#[derive(Debug)]
struct Closed {
    /// There until the drop.
    word: Option<Word>,
    /// What the word has to be.
    value: u64,
    context: Arc<Context>,
}

/// How long each step of the trial of a device may take: only one that never goes on takes it all. A second was too little
/// on a machine that had ten threads to run for each of its cores, and gates were refused there.
const TRIAL: Duration = Duration::from_secs(30);

/// How long a device is given to go on where it must not: a hundred times what it needs for an event.
const TEMPTATION: Duration = Duration::from_millis(1);

impl Latch {
    /// A closed latch.
    ///
    /// # Errors
    /// `Unsupported`: the device was opened without gates. The driver's.
    pub(crate) fn close(context: &Arc<Context>) -> Result<Self> {
        if context.gates().is_none() {
            return Err(no_gates(context.name()));
        }
        let word = take(context).map_err(|refusal| context.refused(&refusal))?;
        let value = word.value() + 1;
        Ok(Self(Arc::new(Closed { word: Some(word), value, context: Arc::clone(context) })))
    }

    /// Makes a stream wait for it.
    pub(crate) fn hold(&self, stream: &Stream) -> Result<(), Refusal> {
        stream.wait_for_word(self.0.word(), self.0.value)
    }

    /// Has a stream open it as it comes to that. It must not be dropped before: lent anew, it would be written once more.
    pub(crate) fn open_on(&self, stream: &Stream) -> Result<(), Refusal> {
        stream.write_word(self.0.word(), self.0.value)
    }

    /// Opens it, if it is not open.
    pub(crate) fn open(&self) {
        self.0.open();
    }
}

impl Closed {
    fn word(&self) -> &Word {
        self.word.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    /// Nothing in a child of a fork, which does not have the word: the latch is its parent's.
    fn open(&self) {
        if !self.context.is_inherited() {
            self.word().raise(self.value);
        }
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        // The words of a parent are the parent's.
        if !self.context.is_usable() {
            return;
        }
        self.open();
        // Lent anew it waits for more, so that whoever has not looked yet is let go all the same.
        if let Some(word) = self.word.take() {
            lock(self.context.words()).push(word);
        }
    }
}

/// A word that nobody has.
pub(crate) fn take(context: &Context) -> Result<Word, Refusal> {
    if let Some(word) = lock(context.words()).pop() {
        return Ok(word);
    }
    let mut words = Words::allocate(context.primary())?;
    let word = words.pop().unwrap_or_else(|| unreachable!("a block has words"));
    lock(context.words()).extend(words);
    Ok(word)
}

#[cold]
fn no_gates(device: &str) -> Error {
    let message = format!(
        "a stream of {device} that others launch on too cannot be held for this; use submit, wait with a stream made \
         here, or open the device with device_gates"
    );
    Error::unsupported(message)
}

/// Finds out whether streams of a device do wait for words, and go on: not every one does that says so.
///
/// # Errors
/// `Unsupported`: they do not. The driver's.
pub(crate) fn try_out(context: &Arc<Context>) -> Result<()> {
    let primary = context.primary();
    let works = primary.says_that_streams_wait_for_words()
        && trial(context).map_err(|refusal| context.refused(&refusal))? == Found::Gates;
    if works {
        return Ok(());
    }
    let message = format!(
        "streams of {} cannot wait for the host on the device, or all of its queues stand already; open it without device_gates, \
         or once no stream stands",
        context.name()
    );
    Err(Error::unsupported(message))
}

/// What the trial of a device has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// A stream stands before each of two words in a row, and goes on as the host raises them.
    Gates,
    /// A stream passes a word.
    Passes,
    /// A stream stands for ever.
    Hangs,
}

fn trial(context: &Arc<Context>) -> Result<Found, Refusal> {
    let mut trial = Trial::default();
    let outcome = trial.run(context);
    trial.let_go();
    let has_ended = match outcome {
        // It was asked, and a driver that refuses to say so again leaves nothing behind.
        Ok(Found::Gates) => true,
        // One that hangs is not waited for again.
        Ok(Found::Hangs) => trial.has_ended(Duration::ZERO),
        Ok(Found::Passes) | Err(_) => trial.has_ended(TRIAL),
    };
    if has_ended {
        trial.end(context);
    }
    outcome
}

/// What a device is tried with, as far as it is made.
#[derive(Default)]
struct Trial {
    word: Option<Word>,
    stream: Option<Stream>,
    /// Behind waits for the next two values of the word.
    events: Vec<Event>,
}

impl Trial {
    fn run(&mut self, context: &Arc<Context>) -> Result<Found, Refusal> {
        let word = self.word.insert(take(context)?);
        let stream = self.stream.insert(Stream::create(context.primary(), 0)?);
        for value in [word.value() + 1, word.value() + 2] {
            stream.wait_for_word(word, value)?;
            self.events.push(Event::create(context.primary(), Timing::Untimed)?);
            self.events.last().map_or(Ok(()), |event| event.record(stream))?;
        }
        for event in &self.events {
            if !comes_to_a_witness(context)? {
                return Ok(Found::Hangs);
            }
            if event.settle_within(TEMPTATION)? {
                return Ok(Found::Passes);
            }
            word.raise(word.value() + 1);
            if !event.settle_within(TRIAL)? {
                return Ok(Found::Hangs);
            }
        }
        Ok(Found::Gates)
    }

    /// Lets the stream go, whatever came of it.
    fn let_go(&self) {
        if let Some(word) = &self.word {
            word.raise(word.value() + 2);
        }
    }

    /// Whether the stream has ended, which may take so long. Of one that has not, nothing can be ended: it is left as it is.
    fn has_ended(&self, patience: Duration) -> bool {
        let has_ended = |event: &Event| event.settle_within(patience).is_ok_and(|ended| ended);
        self.events.iter().all(has_ended)
    }

    /// Ends everything, which the device uses no more.
    fn end(self, context: &Arc<Context>) {
        lock(context.words()).extend(self.word);
        let events = self.events.into_iter().map(Remains::Event);
        events.chain(self.stream.map(Remains::Stream)).for_each(|remains| context.reap(remains));
    }
}

/// Whether the device comes to what another stream was given later than what it is to stand before. That a new event is
/// pending shows nothing before that: the device may not have looked yet.
fn comes_to_a_witness(context: &Arc<Context>) -> Result<bool, Refusal> {
    let witness = Event::create(context.primary(), Timing::Untimed)?;
    let seen = witness.record(context.transfers()).and_then(|()| witness.settle_within(TRIAL));
    context.reap(Remains::Event(witness));
    seen
}

/// A latch that is opened at its deadline, with its stream failed, unless it is gone by then. The time runs from when the
/// device has come to it: what is before it on the stream may take as long as it likes. While the poller is at a round of questions
/// for long nobody hears that, and the time runs as if the device had come.
#[derive(Debug)]
pub(crate) struct Deadline {
    at: Instant,
    longest: Duration,
    seen: Seen,
    stream: Weak<HeldStream<CudaStream>>,
    value: u64,
    latch: Weak<Closed>,
    /// There while something is awaited; the latch may be there for longer.
    awaiting: Weak<dyn Any + Send + Sync>,
}

/// Whether the device stands before a latch, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    NotYet,
    /// It may: nobody hears how far it is, since then, of which so much counts up to the last look. What is between two looks
    /// does not all count where it is long: a process that is stopped looks at nothing, and so does its poller.
    Perhaps {
        since: Instant,
        last: Instant,
        counts: Duration,
    },
    Known(Instant),
}

/// How often it is looked whether the device has come to a latch: by as much its deadline may be late, on a machine that lets the
/// keeper run in time. For longer no question lasts of itself.
const LOOK: Duration = Duration::from_millis(10);

/// Later than anybody is there.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

impl Deadline {
    pub(crate) fn new(
        longest: Duration,
        stream: &Arc<HeldStream<CudaStream>>,
        value: u64,
        latch: &Latch,
    ) -> Self {
        let awaiting: Arc<dyn Any + Send + Sync> = Arc::<Closed>::clone(&latch.0);
        Self::of(longest, (stream, value), latch, &awaiting)
    }

    /// The same for as long as something else is there.
    pub(crate) fn of(
        longest: Duration,
        (stream, value): (&Arc<HeldStream<CudaStream>>, u64),
        latch: &Latch,
        awaiting: &Arc<dyn Any + Send + Sync>,
    ) -> Self {
        let (stream, latch) = (Arc::downgrade(stream), Arc::downgrade(&latch.0));
        let (at, awaiting) = (Instant::now(), Arc::downgrade(awaiting));
        Self { at, longest, seen: Seen::NotYet, stream, value, latch, awaiting }
    }

    /// When to look again. `None`: its time is over.
    fn next_look(&self) -> Option<Instant> {
        let now = Instant::now();
        match self.seen {
            Seen::Perhaps { counts, .. } if counts >= self.longest => None,
            Seen::NotYet | Seen::Perhaps { .. } => Some(now + LOOK),
            // Nothing more is to be found out. What no clock can tell never comes.
            Seen::Known(since) => {
                let end = since.checked_add(self.longest).unwrap_or(now + NEVER);
                (now < end).then_some(end)
            }
        }
    }
}

impl Seen {
    /// What is known now.
    fn look(self, stream: &HeldStream<CudaStream>, value: u64) -> Self {
        if let Self::Known(_) = self {
            return self;
        }
        if stream.timeline().completed() + 1 >= value {
            return Self::Known(Instant::now());
        }
        let context = stream.driver().context();
        // It may have ended for want of work since, and none have been made for this.
        context.see_polled();
        let Some(since) = context.asking().since(LOOK) else { return Self::NotYet };
        let now = Instant::now();
        match self {
            Self::Perhaps { since: of_before, last, counts } if of_before == since => {
                let counts = counts + (now - last).min(LOOK * 2);
                Self::Perhaps { since, last: now, counts }
            }
            _ => Self::Perhaps { since, last: now, counts: LOOK },
        }
    }
}

impl Guard for Deadline {
    fn at(&self) -> Instant {
        self.at
    }

    fn is_pending(&self) -> bool {
        self.awaiting.strong_count() > 0
    }

    fn pass(&mut self) -> bool {
        let awaiting = self.awaiting.upgrade();
        let (Some(stream), Some(latch), Some(_)) =
            (self.stream.upgrade(), self.latch.upgrade(), &awaiting)
        else {
            return false;
        };
        self.seen = self.seen.look(&stream, self.value);
        if let Some(next) = self.next_look() {
            self.at = next;
            return true;
        }
        // Failed for something else, it may be in another era by now, which this is none of. Nobody is told before the device
        // goes on: whom that is told to may call the driver.
        let failing = stream.fail_pending_untold(self.value, &too_long(&stream, self.seen));
        latch.open();
        if let Some(mut untold) = failing {
            untold.tell_ours();
            stream.driver().context().tell(untold);
        }
        false
    }
}

#[cold]
fn too_long(stream: &HeldStream<CudaStream>, seen: Seen) -> Error {
    let seen = match seen {
        Seen::Perhaps { .. } => {
            "stood, or may have while nobody heard of it because of calls of other threads or of what was called as work ended,"
        }
        _ => "stood",
    };
    let message = format!(
        "{} {seen} on the device before something that the host did not let come by the deadline of device_gates; let it \
         come sooner, or give it longer",
        stream.timeline()
    );
    Error::failed(message)
}
