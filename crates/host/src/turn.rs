//! A turn: the owner of a stream runs its items in order, until it has to stop.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{Called, Hand, Seat, Submission, run_function};
use syncpoint_core::{Error, State};

use crate::batch::{Batch, Passed};
use crate::order::{Entry, Order, Other, Step, Turn};
use crate::stream::HostStream;
use crate::sync::MutexGuard;

/// How far a turn goes.
#[derive(Clone, Copy)]
pub(crate) enum Limit<'a> {
    /// A worker's: until the stream has had its share while others wait. The seat shows that the worker moves.
    Fair(&'a Seat<HostStream>),
    /// A helper's: to this value exactly. What comes after may wait for the helper itself.
    Upto(u64),
}

/// A stream gives way to ready ones after this many items; in a model after one.
const ITEMS: u32 = if cfg!(syncpoint_loom) { 1 } else { 64 };

/// Or after this many nanoseconds. In a model, which must do the same each time, no time passes.
const SHARE: u64 = if cfg!(syncpoint_loom) { u64::MAX } else { 200_000 };

/// The clock is looked at after the first function of a turn, the second, and then each time after as many as there
/// were, but no more than this: a look costs as much as a short function.
const UNTIMED: u32 = 4;

/// What the owner does next.
enum Next {
    /// This item.
    Run(Entry),
    /// Nothing but their values: these waits in a row are over.
    Pass(Passed),
    /// Nothing but its value: a delay is over.
    PassDelay,
    /// The stream fails: its wait has failed.
    Fail(Error),
    /// Nothing: the stream rests, is parked, or gave way and is to be listed.
    Stop { list: bool },
}

/// Makes the caller the owner of a runnable stream; `None` if it is not runnable.
pub(crate) fn claim(mut order: MutexGuard<'_, Order>) -> Option<MutexGuard<'_, Order>> {
    if order.state != Turn::Runnable {
        return None;
    }
    order.state = Turn::Running;
    Some(order)
}

/// Gives a stream its turn. The caller has claimed it and still holds its lock.
pub(crate) fn run(stream: &Arc<HostStream>, order: MutexGuard<'_, Order>, limit: Limit<'_>) {
    let (mut share, mut batch) = (Share::new(limit), Batch::default());
    let mut upcoming = next_locked(stream, order, &mut batch, &mut share);
    loop {
        match upcoming {
            Next::Run(entry) => run_next(stream, &mut batch, entry, &mut share),
            Next::Pass(passed) => pass_waits(stream, &mut batch, passed),
            Next::PassDelay => pass(stream, &mut batch, 1),
            Next::Fail(error) => {
                let value = batch.at;
                stream.fail(&mut batch, value, &error);
            }
            Next::Stop { list: true } => return stream.scheduler.submit(Arc::clone(stream)),
            Next::Stop { list: false } => return,
        }
        if stream.timeline.is_inherited() {
            return leave_to_the_parent(batch);
        }
        upcoming = next(stream, &mut batch, &mut share);
    }
}

/// Runs an item and settles its value, unless it forked and this is the child.
fn run_next(stream: &HostStream, batch: &mut Batch, entry: Entry, share: &mut Share<'_>) {
    let value = batch.at;
    batch.at += 1;
    let outcome = run_item(stream, value, entry, share);
    if stream.timeline.is_inherited() {
        return;
    }
    match outcome {
        Ok(()) => stream.timeline.complete(value),
        Err(error) => stream.fail(batch, value, &error),
    }
}

/// Drops what is left of waits, and completes their values, unless a drop forked and this is the child.
fn pass_waits(stream: &HostStream, batch: &mut Batch, passed: Passed) {
    let count = passed.count();
    passed.discard();
    if !stream.timeline.is_inherited() {
        pass(stream, batch, count);
    }
}

/// Completes so many values.
fn pass(stream: &HostStream, batch: &mut Batch, count: u64) {
    batch.at += count;
    stream.timeline.complete(batch.at - 1);
}

/// The item forked, or a waker or an observer, and this is the child: the rest is the parent's work.
#[cold]
fn leave_to_the_parent(batch: Batch) {
    let _left_alone = ManuallyDrop::new(batch);
}

/// What is left of a turn.
struct Share<'a> {
    limit: Limit<'a>,
    items: u32,
    /// How many functions, fills and copies were begun: only such can take long.
    long: u32,
    /// After how many of them the clock is looked at next.
    look_after: u32,
    /// When the turn began, or earlier: at the last look before it.
    begin: Option<u64>,
    /// How long it had lasted at the last look.
    lasted: u64,
}

impl<'a> Share<'a> {
    fn new(limit: Limit<'a>) -> Self {
        Self { limit, items: 0, long: 0, look_after: 1, begin: None, lasted: 0 }
    }

    /// A function of the user's, a fill or a copy is about to run.
    fn note_long(&mut self) {
        if let Limit::Fair(seat) = self.limit {
            seat.tick();
            self.long += 1;
        }
    }

    /// Whether the owner has to stop before the item of this value.
    fn is_used_up(&mut self, stream: &HostStream, value: u64) -> bool {
        match self.limit {
            Limit::Upto(last) => value > last,
            Limit::Fair(seat) => {
                self.items += 1;
                (seat.has_waiting() || stream.scheduler.has_waiting())
                    && (self.items > ITEMS || self.takes_long(stream, seat))
            }
        }
    }

    /// Whether the turn has lasted its share, as far as the clock was looked at. One whose worker has not looked for long
    /// may seem to: then it gives way early, once.
    fn takes_long(&mut self, stream: &HostStream, seat: &Seat<HostStream>) -> bool {
        if self.long >= self.look_after {
            self.look_after = self.long + self.long.min(UNTIMED);
            let now = stream.scheduler.shared().clock.now();
            let before = seat.look(now);
            self.lasted = now - *self.begin.get_or_insert(before);
        }
        self.lasted >= SHARE
    }
}

/// Decides what is next: without the lock where the batch holds a task.
fn next(stream: &Arc<HostStream>, batch: &mut Batch, share: &mut Share<'_>) -> Next {
    loop {
        if stream.is_cancelled() {
            stream.end_cancelled(batch);
        }
        let ready = batch.item().is_some_and(|entry| entry.step.is_ready());
        if ready
            && !share.is_used_up(stream, batch.at)
            && let Some(entry) = batch.items.pop_front()
        {
            return Next::Run(entry);
        }
        let order = stream.order();
        // Looked at again under the lock: whoever stops with the flag up would strand what is left.
        if !stream.is_cancelled() {
            return next_locked(stream, order, batch, share);
        }
    }
}

/// Decides what is next under the order lock.
fn next_locked(
    stream: &Arc<HostStream>,
    mut order: MutexGuard<'_, Order>,
    batch: &mut Batch,
    share: &mut Share<'_>,
) -> Next {
    loop {
        if batch.is_empty() && !order.refill(batch) {
            order.rest(batch);
            return Next::Stop { list: false };
        }
        if share.is_used_up(stream, batch.at) {
            order.put_back(batch);
            order.state = Turn::Runnable;
            return Next::Stop { list: !std::mem::replace(&mut order.listed, true) };
        }
        if let Some(next) = try_front(stream, &mut order, batch) {
            return next;
        }
    }
}

/// Looks at the front item. `None`: look again, something settled meanwhile.
fn try_front(stream: &Arc<HostStream>, order: &mut Order, batch: &mut Batch) -> Option<Next> {
    if batch.is_at_wait() {
        return try_wait(stream, order, batch);
    }
    match &mut batch.item()?.step {
        Step::Other(Other::Until(instant)) => {
            let instant = *instant;
            Some(try_until(stream, order, batch, instant))
        }
        Step::Other(step @ Other::Delay(_)) => {
            *step = Other::Until(end_of(step));
            None
        }
        Step::Work(_) | Step::Other(_) => batch.items.pop_front().map(Next::Run),
    }
}

/// When a delay that begins now ends.
fn end_of(delay: &Other) -> Instant {
    let now = Instant::now();
    let Other::Delay(duration) = delay else { return now };
    // An instant that no clock can tell is a century: nobody sees its end.
    now.checked_add(*duration).unwrap_or(now + CENTURY)
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

fn try_wait(stream: &Arc<HostStream>, order: &mut Order, batch: &mut Batch) -> Option<Next> {
    let point = &order.waits().front()?.point;
    if !point.timeline().is_known_complete(point.value()) {
        // Most that are not complete are pending: listed first, and asked only where nobody is listed any more.
        if Arc::clone(stream).list_with(point) {
            order.put_back(batch);
            order.state = Turn::Parked;
            return Some(Next::Stop { list: false });
        }
        if let State::Failed(error) = point.timeline().state_of(point.value()) {
            return Some(Next::Fail(error));
        }
    }
    order.pass_waits(batch).map(Next::Pass)
}

fn try_until(
    stream: &Arc<HostStream>,
    order: &mut Order,
    batch: &mut Batch,
    instant: Instant,
) -> Next {
    if Instant::now() >= instant {
        batch.items.pop_front();
        return Next::PassDelay;
    }
    match stream.scheduler.shared().timer.wake_at(instant, Arc::clone(stream)) {
        Ok(()) => {
            order.put_back(batch);
            order.state = Turn::Parked;
            Next::Stop { list: false }
        }
        Err(error) => Next::Fail(error),
    }
}

/// Runs an item; its value is completed by the caller.
fn run_item(
    stream: &HostStream,
    value: u64,
    entry: Entry,
    share: &mut Share<'_>,
) -> Result<(), Error> {
    let called = |name| Called { timeline: &stream.timeline, value, name, place: entry.place };
    match entry.step {
        Step::Work(work) => {
            about_to_take_long(stream, share);
            run_function(called("enqueue"), || work.run())
        }
        Step::Other(other) => {
            if other.takes_long() {
                about_to_take_long(stream, share);
            }
            run_other(stream, other, called("submit"))
        }
    }
}

fn run_other(stream: &HostStream, other: Other, called: Called<'_>) -> Result<(), Error> {
    match other {
        Other::Submit(submit) => {
            return run_function(called, || submit.call(&Submission::plain()));
        }
        Other::Unknown(name) => {
            return Err(Error::unsupported(format!("the host has no {name}")));
        }
        Other::Fill(fill) => fill.run(),
        Other::Copy(copy) => copy.run(),
        Other::Open(opening) => opening.open(),
        Other::Stamp(stamp) => stamp.write(stream.scheduler.shared().clock.now()),
        Other::Delay(_) | Other::Until(_) => unreachable!("delays are passed, not run"),
    }
    Ok(())
}

/// Publishes what was set free, which would wait as long, and counts what comes against the share of the turn.
fn about_to_take_long(stream: &HostStream, share: &mut Share<'_>) {
    match share.limit {
        Limit::Fair(seat) => stream.scheduler.offer(seat),
        Limit::Upto(_) => Hand::<HostStream>::publish(),
    }
    share.note_long();
}
