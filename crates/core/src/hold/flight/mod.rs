//! What is on its way: given to the driver, or passed, and not landed.

mod landing;
mod retired;

use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

pub(super) use landing::Landing;

use crate::contract::{Task, Waits};
use crate::error::Error;
use crate::gate::Opening;

/// The values of a stream between the queue and the timeline, and what hangs on them.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// The outstanding waits, held and submitted: for elision, failure, reports and the cycle search.
    pub(super) waits: Waits,
    /// How many items are held.
    pub(super) held: u64,
    /// The last value that the driver was given.
    submitted: u64,
    /// The last value of which the driver will tell.
    signalled: u64,
    /// How many operations were submitted since.
    untold: u32,
    /// The last value that is not held.
    passed: u64,
    /// The value of the function of the user's that is at work.
    running: Option<u64>,
    /// How many functions of the user's are at work that take their value as they return.
    at_once: u32,
    /// What is kept until none of these is.
    kept_at_once: Vec<Kept>,
    /// The driver's word.
    reached: u64,
    /// What is complete or about to be completed.
    pub(super) landed: u64,
    /// Whether somebody lands values now. It opens gates without the lock; others leave their news to it.
    pub(super) landing: bool,
    /// The own value of the wait whose point is waited for, so that landing can go on.
    sought: Option<u64>,
    /// The value of the host work at the front of the queue that waits for the device to be through.
    wanted: Option<u64>,
    /// The largest value that somebody sleeps for.
    expected: u64,
    /// The values that somebody will ask for and that are not signalled: they are not enqueued, held, behind a function
    /// at work, or about to be marked by whoever pumps. Each by itself: between two of them the stream may be held.
    asks: BTreeSet<u64>,
    /// Gates to open, in the order of their values.
    openings: VecDeque<Promise>,
    /// Resources of submitted operations.
    kept: VecDeque<(u64, Task)>,
    /// Resources of others, which work up to a value that has failed may use.
    retired: Vec<(u64, Kept)>,
    /// The same while it is not known what of that work has begun.
    left: Vec<(u64, Kept)>,
    /// What was submitted when a mark of it, or a question about it, was refused.
    unnoticed: u64,
    /// Where the failure of this era begins.
    failed_from: Option<u64>,
    /// How many failures came behind the first of their era, by another cause.
    pub(super) later_failures: u64,
    /// Why the device is lost.
    pub(super) lost: Option<Error>,
    /// Whether the device was shut down: the failing era never ends.
    cancelled: Cancelled,
}

/// Whether the device of a stream was shut down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cancelled {
    #[default]
    No,
    /// While nothing was being given to the driver.
    AtRest,
    /// While something may have been.
    InACall,
}

/// A resource of somebody else's, which is let go by dropping this.
pub(super) type Kept = Arc<dyn Any + Send + Sync>;

/// A gate to open when everything before it is complete.
#[derive(Debug)]
struct Promise {
    value: u64,
    /// What was submitted before it: it is due when that is reached, although `value` itself is nothing to the driver.
    /// `None` while it is held.
    after: Option<u64>,
    opening: Opening,
}

impl Promise {
    #[inline]
    fn is_due(&self, reached: u64) -> bool {
        self.after.is_some_and(|after| after <= reached)
    }
}

/// What others have to be told of a change, once no lock is held.
#[derive(Clone, Copy, Debug)]
#[must_use = "whoever waits for a signal sleeps until it is told"]
pub(super) struct News {
    /// Whether something that has passed is asked for and not marked.
    pub(super) asked: bool,
    /// Up to which value a native wait is possible.
    pub(super) signalled: u64,
    /// The signal that the driver is to notice, because somebody sleeps for it or for what is behind it.
    pub(super) expects: Option<u64>,
    /// Whether something may land that has not.
    pub(super) lands: bool,
}

/// After so many operations without a signal one is asked for: what they work on is not kept for longer. A mark costs
/// about as much as a short operation, so this makes a hundredth of it.
const UNTOLD: u32 = 64;

impl Flight {
    /// Whether the driver has done everything that it was given.
    #[inline]
    pub(super) fn is_through(&self) -> bool {
        self.reached >= self.submitted
    }

    /// Wants to hear when everything before `value` is over. Says whether it is already, where the timeline has
    /// completed `completed`.
    pub(super) fn want(&mut self, value: u64, completed: u64) -> bool {
        let quiet = completed + 1 >= value;
        self.wanted = (!quiet).then_some(value);
        self.expected = self.expected.max(self.submitted);
        quiet
    }

    /// Whether what was wanted has come; it is told once.
    pub(super) fn take_wanted(&mut self, completed: u64) -> bool {
        self.wanted.take_if(|value| completed + 1 >= *value).is_some()
    }

    /// The driver was given `value`.
    #[inline]
    pub(super) fn submit(&mut self, value: u64, signals: bool) {
        self.passed = self.passed.max(value);
        self.submitted = value;
        self.untold += 1;
        if signals {
            self.signalled = value;
            self.untold = 0;
            self.answer(value);
        }
    }

    /// The driver was given `value`, the last of a stream that holds nothing.
    #[inline]
    pub(super) fn submit_last(&mut self, value: u64) {
        debug_assert!(self.passed <= value, "nothing is passed that was not taken");
        self.passed = value;
        self.submitted = value;
        self.untold += 1;
    }

    /// The same of one of which the driver will tell. Who asked for it has to be answered.
    #[inline]
    pub(super) fn signal_last(&mut self, value: u64) {
        self.submit_last(value);
        self.signalled = value;
        self.untold = 0;
    }

    /// Whether the driver has come to `value`.
    #[inline]
    pub(super) fn has_reached(&self, value: u64) -> bool {
        self.reached >= value
    }

    /// Keeps what `value`, just submitted and not reached, works on.
    pub(super) fn keep(&mut self, value: u64, task: Task) {
        self.kept.push_back((value, task));
    }

    /// `value` needed nothing of the driver, or is the function that runs now.
    pub(super) fn pass(&mut self, value: u64) {
        self.passed = self.passed.max(value);
    }

    /// A function of the user's begins.
    pub(super) fn begin(&mut self, value: u64) {
        self.pass(value);
        self.running = Some(value);
    }

    /// It has ended.
    pub(super) fn end(&mut self) {
        self.running = None;
    }

    /// A function begins that takes its value as it returns.
    pub(super) fn begin_at_once(&mut self) {
        self.at_once += 1;
    }

    /// It has returned. Gives what was kept for it, once no other is at work.
    pub(super) fn end_at_once(&mut self) -> Vec<Kept> {
        self.at_once -= 1;
        if self.at_once == 0 { std::mem::take(&mut self.kept_at_once) } else { Vec::new() }
    }

    /// Whether such a function is at work.
    pub(super) fn is_at_once(&self) -> bool {
        self.at_once > 0
    }

    /// Keeps something until no such function is at work; gives it back where none is.
    pub(super) fn keep_at_once(&mut self, kept: Kept) -> Option<Kept> {
        if !self.is_at_once() {
            return Some(kept);
        }
        self.kept_at_once.push(kept);
        None
    }

    /// A gate is to be opened at `value`, which is held or about to pass. Here and not in the queue, so that a failure
    /// reaches it at once, whoever has the turn.
    pub(super) fn promise(&mut self, value: u64, opening: Opening) {
        self.openings.push_back(Promise { value, after: None, opening });
    }

    /// The opening at `value` is held no more.
    pub(super) fn pass_promise(&mut self, value: u64) {
        self.pass(value);
        let index = self.openings.partition_point(|promise| promise.value < value);
        if let Some(promise) = self.openings.get_mut(index) {
            promise.after = Some(self.submitted);
        }
        if !self.is_through() {
            self.expected = self.expected.max(self.submitted);
        }
    }

    /// Whether something was submitted of which the driver will not tell by itself.
    pub(super) fn is_unsignalled(&self) -> bool {
        self.signalled < self.submitted && !self.is_through()
    }

    /// Whether so much was submitted without a signal that its resources would be kept for too long.
    pub(super) fn is_long_untold(&self) -> bool {
        self.untold >= UNTOLD
    }

    /// Whether `value`, which is passed, needs a mark before anybody can ask for it.
    #[inline]
    pub(super) fn needs_mark(&self, value: u64) -> bool {
        self.signalled < value && !self.is_through()
    }

    /// Somebody will ask for `value`.
    pub(super) fn ask(&mut self, value: u64) {
        if !self.is_asked(value) {
            self.asks.insert(value);
        }
    }

    /// Whether it is known that somebody will ask for `value`, or nobody need be told.
    pub(super) fn is_asked(&self, value: u64) -> bool {
        self.signalled.max(self.landed) >= value || self.asks.contains(&value)
    }

    /// Whether something that has passed is asked for and not marked.
    #[inline]
    pub(super) fn has_due_ask(&self) -> bool {
        !self.asks.is_empty() && self.is_asked_before(self.passed)
    }

    /// What was asked for up to `value` is signalled, or will be.
    #[inline]
    pub(super) fn answer(&mut self, value: u64) {
        if !self.asks.is_empty() {
            self.answer_asks(value);
        }
    }

    /// The same of everything that is signalled.
    pub(super) fn answer_signalled(&mut self) {
        self.answer(self.signalled);
    }

    /// Apart from the look, because nothing is asked for where nothing is held.
    #[cold]
    fn answer_asks(&mut self, value: u64) {
        while self.is_asked_before(value) {
            self.asks.pop_first();
        }
    }

    #[cold]
    fn is_asked_before(&self, value: u64) -> bool {
        self.asks.first().is_some_and(|asked| *asked <= value)
    }

    /// Somebody sleeps until `value` is complete.
    pub(super) fn expect(&mut self, value: u64) {
        self.expected = self.expected.max(value);
        self.ask(value);
    }

    /// The device is to notice when it comes to `value`, which is signalled.
    pub(super) fn await_signal(&mut self, value: u64) {
        self.expected = self.expected.max(value);
    }

    /// The last value that comes by itself, although nobody can mark another.
    pub(super) fn noticed(&self) -> u64 {
        self.signalled.max(self.landed)
    }

    /// What others have to be told.
    #[inline]
    pub(super) fn news(&self) -> News {
        let through = self.is_through() && self.passed > self.landed;
        let lands = through || self.reached > self.landed || self.has_due_opening();
        let lands = lands || !self.retired.is_empty();
        let (asked, expects) = (self.has_due_ask(), self.expects_signal());
        News { asked, signalled: self.signalled, expects, lands }
    }

    /// Whether nobody has to be told anything of what signals and was just submitted, the last of a stream that holds
    /// nothing, but that it is. Gates that are to open and what is kept for work that failed are behind what was submitted
    /// before: who comes so far sees to them.
    #[inline]
    pub(super) fn is_calm(&self) -> bool {
        self.expected <= self.landed && self.reached <= self.landed && self.asks.is_empty()
    }

    /// The same of something of which the driver will not tell: nothing lands by it, and nobody sleeps for it but who has
    /// asked.
    #[inline]
    pub(super) fn is_quiet(&self) -> bool {
        self.asks.is_empty() && self.untold < UNTOLD
    }

    fn has_due_opening(&self) -> bool {
        self.openings.front().is_some_and(|promise| promise.is_due(self.reached))
    }

    /// The signal that the driver is to notice, because somebody sleeps for it or for what is behind it.
    pub(super) fn expects_signal(&self) -> Option<u64> {
        (self.expected > self.reached && self.signalled > self.reached).then_some(self.signalled)
    }

    /// What has begun, or needed no beginning, and has not failed.
    pub(super) fn begun(&self) -> u64 {
        self.failed_from.map_or(self.passed, |from| self.passed.min(from - 1))
    }

    /// The value up to which something is at work although it has failed: a function, or what was being given to the driver
    /// as the device was shut down.
    pub(super) fn failed_at_work(&self) -> Option<u64> {
        let from = self.failed_from?;
        let given = (self.cancelled == Cancelled::InACall).then_some(self.submitted);
        self.running.max(given).filter(|last| *last >= from)
    }

    /// The device is shut down, while nothing is being given to the driver.
    pub(super) fn cancel(&mut self) {
        if self.cancelled == Cancelled::No {
            self.cancelled = Cancelled::AtRest;
        }
    }

    /// The same, while something may be. Gives its value, or that of the first item that is held.
    pub(super) fn cancel_in_a_call(&mut self) -> u64 {
        self.cancelled = Cancelled::InACall;
        self.passed + 1
    }

    /// Whether the device was shut down.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled != Cancelled::No
    }

    /// What is submitted.
    pub(super) fn submitted(&self) -> u64 {
        self.submitted
    }

    /// The driver's word. Gives back what is needed no more, to be dropped outside the lock.
    pub(super) fn reach(&mut self, value: u64) -> Vec<Task> {
        self.reached = self.reached.max(value);
        let done = self.kept.partition_point(|(kept, _)| *kept <= self.reached);
        self.kept.drain(..done).map(|(_, task)| task).collect()
    }

    /// Takes what hangs on the values from `from` on: they have failed. Resources stay until the driver is through, and
    /// who asked for a value behind that has it noticed. A function of the user's that is at work stays so: what is
    /// behind it, in a new era too, is not complete before.
    pub(super) fn fail(&mut self, from: u64) -> Fallen {
        let kept = self.openings.partition_point(|promise| promise.value < from);
        let openings = self.openings.drain(kept..).map(|promise| promise.opening).collect();
        self.sought.take_if(|sought| *sought >= from);
        if !self.asks.split_off(&from).is_empty() && self.is_unsignalled() {
            self.asks.insert(self.submitted);
        }
        self.failed_from = Some(self.failed_from.map_or(from, |before| before.min(from)));
        Fallen { openings, waits: self.waits.take_from(from) }
    }

    /// What is kept for operations on their way, for tests.
    #[cfg(all(test, not(syncpoint_loom)))]
    pub(super) fn kept(&self) -> impl Iterator<Item = &Task> {
        self.kept.iter().map(|(_, task)| task)
    }

    /// A mark of what was submitted, or a question about it, was refused. Says whether that is news.
    pub(super) fn go_unnoticed(&mut self) -> bool {
        let before = std::mem::replace(&mut self.unnoticed, self.submitted);
        before == 0 && self.was_refused()
    }

    /// Whether a mark, or a question, was refused, and nobody has heard since of what was submitted then.
    pub(super) fn was_refused(&self) -> bool {
        self.unnoticed > 0
    }

    /// Whether somebody has heard of it just now.
    pub(super) fn hear(&mut self) -> bool {
        let is_heard = self.was_refused() && self.unnoticed <= self.reached;
        if is_heard {
            self.unnoticed = 0;
        }
        is_heard
    }

    /// What was submitted and nobody has heard of since a refusal, as the stream ends: its resources, which the device may
    /// use still. `None`: all was heard of.
    pub(super) fn take_unnoticed(&mut self) -> Option<(Vec<Task>, Vec<Kept>)> {
        let is_heard_of = self.is_through() || self.lost.is_some();
        if is_heard_of || self.unnoticed <= self.reached {
            return None;
        }
        let kept = self.kept.drain(..).map(|(_, task)| task);
        Some((kept.collect(), self.retired.drain(..).map(|(_, kept)| kept).collect()))
    }

    /// The device is lost: nothing of it touches the resources any more.
    pub(super) fn lose(&mut self, error: &Error) -> Vec<Task> {
        self.lost.get_or_insert_with(|| error.clone());
        self.kept.drain(..).map(|(_, task)| task).collect()
    }

    /// A new era begins behind `enqueued`: everything up to it is passed. What is on its way from before the failure
    /// stays so.
    pub(super) fn renew(&mut self, enqueued: u64) -> Fallen {
        self.pass(enqueued);
        self.held = 0;
        self.wanted = None;
        let fallen = self.fail(self.failed_from.unwrap_or(enqueued));
        self.failed_from = None;
        fallen
    }
}

/// What hung on values that have failed, to be dropped, and gates to be failed, outside the locks.
#[derive(Debug)]
#[must_use = "gates that are not failed leave their waiters asleep"]
pub(super) struct Fallen {
    pub(super) openings: Vec<Opening>,
    pub(super) waits: Waits,
}
