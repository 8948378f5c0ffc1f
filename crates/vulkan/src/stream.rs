//! Streams of a device: how the hold queue gives one operation to the driver, and how its end is found out.

use std::any::Any;
use std::convert::Infallible;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;

use syncpoint_base::Inside;
use syncpoint_core::contract::{Copy, Fill, Time};
use syncpoint_core::hold::{Driver, HeldStream, Operation};
use syncpoint_core::{Error, Kind, Result};

use crate::buffer::VulkanBuffer;
use crate::context::Context;
use crate::deferred::Deferred;
use crate::handles::RawStream;
use crate::line::Line;
use crate::queue::{Passed, Queue};
use crate::sync::{AtomicU64, OnceLock, Ordering};
use crate::sys::{Batch, Meaning, Refusal, Semaphore, has_edges};
use crate::time::Timed;

/// The driver's side of one stream: its timeline semaphore, which has the stream's own values, and how far it is.
#[derive(Debug)]
pub(crate) struct VulkanStream {
    semaphore: Arc<Semaphore>,
    /// What the user's own submissions signal, made at the first.
    passage: OnceLock<Arc<Semaphore>>,
    lent: RawStream,
    /// What it waits for with its next submission.
    deferred: Deferred<Semaphore>,
    /// The number that its last submission has on its queue.
    number: AtomicU64,
    /// The driver calls of the user's operations. Written under the lock of the row.
    given: AtomicU64,
    /// And of queries; those of the waiter are not counted.
    asked: AtomicU64,
    /// The line whose queue has all of it.
    line: Arc<Line>,
    context: Arc<Context>,
}

impl VulkanStream {
    /// A stream of a device.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn new(context: &Arc<Context>) -> Result<Self> {
        let _inside = context.enter()?;
        let semaphore = Semaphore::create(context.device());
        let semaphore = semaphore.map_err(|refusal| context.refused(refusal))?;
        Ok(Self {
            semaphore: Arc::new(semaphore),
            passage: OnceLock::new(),
            lent: RawStream::default(),
            deferred: Deferred::new(),
            number: AtomicU64::new(0),
            given: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            line: Arc::clone(context.lines().next()),
            context: Arc::clone(context),
        })
    }

    pub(crate) fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// What the user's own submissions signal, where there were any.
    pub(crate) fn passage(&self) -> Option<&Arc<Semaphore>> {
        self.passage.get()
    }

    /// What it waits for with its next submission.
    #[inline]
    pub(crate) fn deferred(&self) -> &Deferred<Semaphore> {
        &self.deferred
    }

    /// What is lent to functions of the user's submits to this stream.
    pub(crate) fn lend_to(&self, stream: &Arc<HeldStream<Self>>) {
        self.lent.lend(stream);
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The queue that it submits to.
    pub(crate) fn queue(&self) -> &Queue {
        self.line.queue()
    }

    /// The number that its last submission has on the queue.
    pub(crate) fn number(&self) -> u64 {
        // Relaxed: read and written under the lock of the row.
        self.number.load(Ordering::Relaxed)
    }

    /// Something was submitted, as this number.
    pub(crate) fn note_submission(&self, number: u64) {
        // Relaxed: as above; a count is ordered with nothing.
        self.number.store(number, Ordering::Relaxed);
        self.given.store(self.given.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Submits one batch.
    fn give(
        stream: &HeldStream<Self>,
        value: u64,
        fill: impl FnOnce(&mut Batch<'_>) -> Result<(), Refusal>,
    ) -> Result<()> {
        let driver = stream.driver();
        let given = driver.queue().submit(stream, value, fill);
        let want = given.map_err(|refusal| driver.context.refused(refusal))?;
        driver.context.see_served(&driver.line, want);
        Ok(())
    }

    /// Submits commands of the user's, in the turn of a function of theirs; `fill` puts them into the batch.
    pub(crate) fn pass(stream: &HeldStream<Self>, fill: impl FnOnce(&mut Batch<'_>)) -> Result<()> {
        let (driver, context) = (stream.driver(), &stream.driver().context);
        let _inside = context.enter()?;
        let passage = driver.make_passage().map_err(|refusal| context.refused(refusal))?;
        match driver
            .queue()
            .pass(stream, passage, fill)
            .map_err(|refusal| context.refused(refusal))?
        {
            Passed::Given(want) => context.see_served(&driver.line, want),
            Passed::Crowded => return Err(driver.crowded()),
        }
        Ok(())
    }

    fn make_passage(&self) -> Result<&Arc<Semaphore>, Refusal> {
        if let Some(passage) = self.passage.get() {
            return Ok(passage);
        }
        let made = Arc::new(Semaphore::create(self.context.device())?);
        Ok(self.passage.get_or_init(|| made))
    }

    /// Takes off the row what was seen to be over: what nobody sleeps for would stay there, and keep its stream and the
    /// device. Where a waker forked, the row is the parent's, and so is what was taken off it. `told` is complete up to
    /// `seen`, which was said already.
    fn sweep(&self, told: &HeldStream<Self>, seen: u64) {
        if self.context.is_inherited() {
            return;
        }
        let mut come = ManuallyDrop::new(self.queue().row().sweep().into_iter());
        for (stream, value) in come.by_ref() {
            if ptr::eq(Arc::as_ptr(&stream), told) && value <= seen {
                continue;
            }
            stream.complete(value);
            if self.context.is_inherited() {
                let _parents = ManuallyDrop::new(stream);
                return;
            }
        }
        drop(ManuallyDrop::into_inner(come));
        // Who asks about values asks nothing about commands of the user's, and what lies behind them stays on the row.
        let is_behind = self.passage().is_some_and(|passage| passage.seen() < passage.promised());
        if is_behind && !self.context.is_inherited() {
            self.context.see_served(&self.line, self.queue().row().expect(told));
        }
    }

    /// How far the stream is on the device, for who asks for `value` and knew of `before`: what its semaphore was seen at, and with
    /// what is deferred.
    fn find(&self, before: u64, value: u64) -> Result<(u64, u64), Refusal> {
        let mut seen = before;
        if seen < value && seen < self.semaphore.promised() {
            // Relaxed: a count, ordered with nothing.
            self.asked.fetch_add(1, Ordering::Relaxed);
            seen = self.semaphore.look_for(value)?.map_or(seen, |come| come.max(seen));
        }
        if seen >= value || !self.deferred.is_there() {
            Ok((seen, seen))
        } else {
            self.find_deferred(before, seen)
        }
    }

    /// The same behind waits that are deferred. Apart: most questions are about work.
    #[inline(never)]
    fn find_deferred(&self, before: u64, seen: u64) -> Result<(u64, u64), Refusal> {
        let deferred = match self.deferred_end(seen) {
            // What was seen is told first; who asks again hears of the refusal.
            Err(_) if seen > before => None,
            end => end?,
        };
        // Taken from the list a moment later, it may lie before what was seen.
        Ok((seen, deferred.map_or(seen, |own| own.max(seen))))
    }

    /// The value of the last wait that is deferred, where nothing of the stream is before its end: the device is through with all
    /// that was submitted, `seen` and what the user has, and what is waited for has come.
    fn deferred_end(&self, seen: u64) -> Result<Option<u64>, Refusal> {
        let Some(waits) = self.deferred.snapshot() else { return Ok(None) };
        // Behind the snapshot: who submits promises before the waits are taken away.
        if seen < self.semaphore.promised() {
            return Ok(None);
        }
        let passage = self.passage().map(|passage| (passage, passage.promised()));
        for (semaphore, value) in passage.into_iter().chain(waits.each()) {
            if semaphore.seen() < value {
                // Relaxed: a count, ordered with nothing.
                self.asked.fetch_add(1, Ordering::Relaxed);
                if !semaphore.has_come(value)? {
                    return Ok(None);
                }
            }
        }
        Ok(Some(waits.own()))
    }

    /// Has the semaphore near enough for `value`. Values that pass on the host are not signalled, and a device allows
    /// leaps of some length only. It counts them from where the semaphore is, and from what waits on their way name as
    /// well, which may be earlier: that is not looked at here (`docs/decisions.md`).
    fn approach(&self, value: u64) -> Result<()> {
        if self.context.reaches(&self.semaphore, value) {
            return Ok(());
        }
        self.leap(value).map_err(|refusal| self.context.refused(refusal))?;
        if self.context.reaches(&self.semaphore, value) {
            return Ok(());
        }
        Err(self.far_behind())
    }

    /// A mark is asked for of a value that is signalled: the wait of it was submitted by itself, as one too many. Or the values
    /// up to there were leapt over, for an operation that was refused then, and the wait is still to be submitted.
    #[cold]
    fn check_marked(&self) -> Result<()> {
        if self.deferred.is_there() { Err(self.far_behind()) } else { Ok(()) }
    }

    #[cold]
    fn far_behind(&self) -> Error {
        let message = format!(
            "{} allows a stream to be {} values behind; synchronize before enqueueing more",
            self.context.name(),
            self.context.difference()
        );
        Error::new(Kind::Exhausted, message)
    }

    /// Values that passed on the host were signalled by nobody: the host does it. Not beyond commands of the user's whose function
    /// failed, so that no value came behind them: what the failed value kept is theirs until they are over.
    #[cold]
    fn leap(&self, value: u64) -> Result<(), Refusal> {
        if let Some(passage) = self.passage()
            && passage.look()? < passage.promised()
        {
            return Ok(());
        }
        let mut at = self.semaphore.look()?;
        while at == self.semaphore.promised() && value - at > self.context.difference() {
            at = (value - 1).min(at + self.context.difference());
            self.semaphore.raise(at)?;
        }
        Ok(())
    }

    fn fill(stream: &HeldStream<Self>, value: u64, fill: &Fill) -> Result<()> {
        let span = &fill.target;
        let target: &VulkanBuffer = span.memory();
        let part = span.offset()..span.offset() + span.len();
        let edges = has_edges(&part).then(|| stream.driver().context.edges()).transpose()?;
        let fill = |batch: &mut Batch<'_>| batch.fill(target.memory(), part, fill.value, edges);
        Self::give(stream, value, fill)
    }

    fn copy(stream: &HeldStream<Self>, value: u64, copy: &Copy) -> Result<()> {
        let (from, to, len) = (&copy.source, &copy.target, copy.target.len());
        let (source, target): (&VulkanBuffer, &VulkanBuffer) = (from.memory(), to.memory());
        Self::give(stream, value, |batch| {
            batch.copy((source.memory(), from.offset()), (target.memory(), to.offset()), len)
        })
    }

    /// Waits for another stream with what is submitted next, or, for too many, at once. Another stream signals a value of its
    /// own at or beyond the one waited for: values that passed on the host are jumped over.
    fn wait_for(stream: &HeldStream<Self>, value: u64, other: &Self, awaited: u64) -> Result<()> {
        let driver = stream.driver();
        let _inside = driver.context.enter()?;
        driver.approach(value)?;
        if driver.deferred.add(value, &other.semaphore, awaited) {
            return Ok(());
        }
        Self::give(stream, value, |batch| batch.wait(&other.semaphore, awaited))
    }
}

impl Driver for VulkanStream {
    type Timer = Arc<Timed>;

    /// A device that stands before a latch would hold every stream of its queue.
    type Latch = Infallible;
    type Ordered = ();

    const SIGNALS_EACH: bool = true;

    const DEFERS_WAITS: bool = true;

    const KEEPS: bool = true;

    const DELAYS: bool = false;

    fn ordered(&self) {}

    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        Self::hand(stream, value, operation)
    }

    fn mark(stream: &HeldStream<Self>, _ordered: &mut (), value: u64) -> Result<()> {
        Self::hand(stream, value, Operation::Mark)
    }

    fn wait(
        stream: &HeldStream<Self>,
        _ordered: &mut (),
        value: u64,
        (other, awaited): (&Arc<HeldStream<Self>>, u64),
    ) -> Result<()> {
        Self::hand(stream, value, Operation::Wait { stream: other, value: awaited })
    }

    fn hand(stream: &HeldStream<Self>, value: u64, operation: Operation<'_, Self>) -> Result<()> {
        if let Operation::Wait { stream: other, value: awaited } = operation {
            return Self::wait_for(stream, value, other.driver(), awaited);
        }
        let _inside = stream.driver().context.enter()?;
        stream.driver().approach(value)?;
        match operation {
            Operation::Fill(fill) => Self::fill(stream, value, fill),
            Operation::Copy(copy) => Self::copy(stream, value, copy),
            Operation::Wait { .. } => unreachable!("it goes with what is submitted next"),
            Operation::Stamp(timed) => Self::give(stream, value, |batch| batch.stamp(timed.slot())),
            Operation::Mark if stream.driver().semaphore.promised() >= value => {
                stream.driver().check_marked()
            }
            Operation::Mark => Self::give(stream, value, |_batch| Ok(())),
            Operation::Delay(_) => unreachable!("the host lets time pass"),
            Operation::Latch(latch) => match *latch {},
            // It would be signalled also where the call leaves the wait to the host.
            Operation::Call(_) => unreachable!("no point has a way of its own here"),
        }
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        self.context.check()?;
        let timing = self.context.device().physical().timing().ok_or_else(|| self.untimed())?;
        // Before the device can come to it.
        let before = self.context.recent_moment()?;
        let timed = Timed::new(&self.context, self.context.slot()?, (timing, before));
        let timed = Arc::new(timed);
        Ok((Arc::clone(&timed), Time::Driver(timed)))
    }

    fn native(&self) -> Option<&(dyn Any + Send + Sync)> {
        Some(&self.lent)
    }

    fn lend(&self, call: &mut dyn FnMut()) -> Result<()> {
        self.context.check()?;
        call();
        Ok(())
    }

    fn discover(stream: &Arc<HeldStream<Self>>, value: u64) {
        Self::look(stream, value);
    }

    fn look(stream: &HeldStream<Self>, value: u64) {
        let driver = stream.driver();
        // A thread that waits while the process exits goes on waiting, in silence.
        let Some(inside) = Inside::enter().filter(|_| driver.context.is_usable()) else { return };
        let before = driver.semaphore.seen();
        let found = driver.find(before, value);
        drop(inside);
        match found {
            // What was asked for has not come. What has come is told, or is about to be by who saw it.
            Ok((_, told)) if told == before && told < value => driver.line.retry(),
            Ok((seen, told)) => {
                stream.complete(told);
                driver.sweep(stream, seen);
            }
            Err(refusal) if refusal.meaning() == Meaning::Lost => {
                let _told_by_the_waiter = driver.context.refused(refusal);
            }
            // Worth asking again.
            Err(_) => driver.line.retry(),
        }
    }

    fn expect(stream: &Arc<HeldStream<Self>>, _value: u64) {
        let (driver, context) = (stream.driver(), &stream.driver().context);
        if context.is_usable() {
            context.see_served(&driver.line, driver.queue().row().expect(stream));
        }
    }

    fn is_lost(&self) -> bool {
        // Of one that was given up nobody knows.
        self.context.is_lost() && !self.context.is_silent()
    }

    fn calls(&self) -> u64 {
        // Relaxed: as in `look`.
        self.given.load(Ordering::Relaxed) + self.asked.load(Ordering::Relaxed)
    }
}

impl VulkanStream {
    #[cold]
    fn crowded(&self) -> Error {
        let (name, most) = (self.context.name(), self.context.difference());
        let message = format!(
            "{name} allows {most} submissions of a stream's to be on their way; submit fewer"
        );
        Error::new(Kind::Exhausted, message)
    }

    #[cold]
    fn untimed(&self) -> Error {
        let message = format!(
            "{} has a queue without timestamps; ask capabilities(), or time by the host",
            self.context.name()
        );
        Error::unsupported(message)
    }
}
