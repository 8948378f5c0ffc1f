//! Streams of a device: how the hold queue gives one operation to the driver, and how its end is found out.

use std::any::Any;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use syncpoint_base::Inside;
use syncpoint_core::contract::{Copy, Fill, Time};
use syncpoint_core::hold::{Driver, HeldStream, Operation};
use syncpoint_core::{Error, Kind as ErrorKind, Result};

use crate::buffer::VulkanBuffer;
use crate::context::Context;
use crate::delay::{self, Delay};
use crate::handles::RawStream;
use crate::queue::Kind;
use crate::sync::{AtomicU64, OnceLock, Ordering};
use crate::sys::{Batch, Meaning, Refusal, Semaphore};
use crate::time::Timed;
use crate::waiter::Watch;

/// The driver's side of one stream: its timeline semaphore, which has the stream's own values, and how far it is.
#[derive(Debug)]
pub(crate) struct VulkanStream {
    semaphore: Arc<Semaphore>,
    /// What the user's own submissions signal, made at the first.
    passage: OnceLock<Arc<Semaphore>>,
    lent: RawStream,
    /// The number that its last submission has on the queue.
    number: AtomicU64,
    /// The driver calls of the user's operations and queries; those of the waiter are not counted.
    calls: AtomicU64,
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
            number: AtomicU64::new(0),
            calls: AtomicU64::new(0),
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

    /// What is lent to functions of the user's submits to this stream.
    pub(crate) fn lend_to(&self, stream: &Arc<HeldStream<Self>>) {
        self.lent.lend(stream);
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The number that its last submission has on the queue.
    pub(crate) fn number(&self) -> u64 {
        // Relaxed: read and written under the lock of the row.
        self.number.load(Ordering::Relaxed)
    }

    pub(crate) fn note_number(&self, number: u64) {
        // Relaxed: as above.
        self.number.store(number, Ordering::Relaxed);
    }

    fn count(&self) {
        // Relaxed: a count, ordered with nothing.
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Submits one batch.
    fn give(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        kind: Kind,
        fill: impl FnOnce(&mut Batch<'_>) -> Result<(), Refusal>,
    ) -> Result<()> {
        let driver = stream.driver();
        driver.count();
        let context = &driver.context;
        let given = context.queue().submit(stream, value, kind, fill);
        driver.call_waiter(given)
    }

    /// Submits commands of the user's, in the turn of a function of theirs; `fill` puts them into the batch.
    pub(crate) fn pass(
        stream: &Arc<HeldStream<Self>>,
        fill: impl FnOnce(&mut Batch<'_>),
    ) -> Result<()> {
        let (driver, context) = (stream.driver(), &stream.driver().context);
        let _inside = context.enter()?;
        driver.count();
        let passage = driver.make_passage().map_err(|refusal| context.refused(refusal))?;
        let given = context.queue().pass(stream, passage, fill);
        driver.call_waiter(given)
    }

    fn make_passage(&self) -> Result<&Arc<Semaphore>, Refusal> {
        if let Some(passage) = self.passage.get() {
            return Ok(passage);
        }
        let made = Arc::new(Semaphore::create(self.context.device())?);
        Ok(self.passage.get_or_init(|| made))
    }

    fn call_waiter(&self, given: Result<bool, Refusal>) -> Result<()> {
        let context = &self.context;
        if given.map_err(|refusal| context.refused(refusal))? {
            context.watch(Watch::Queue(Arc::clone(context)));
        }
        Ok(())
    }

    /// Has the semaphore near enough for `value`. Values that pass on the host are not signalled, and a device allows
    /// leaps of some length only.
    fn approach(&self, value: u64) -> Result<()> {
        if value - self.semaphore.seen() <= self.context.difference() {
            return Ok(());
        }
        self.leap(value).map_err(|refusal| self.context.refused(refusal))?;
        if value - self.semaphore.seen() <= self.context.difference() {
            return Ok(());
        }
        let message = format!(
            "{} allows a stream to be {} values behind; synchronize before enqueueing more",
            self.context.name(),
            self.context.difference()
        );
        Err(Error::new(ErrorKind::Exhausted, message))
    }

    #[cold]
    fn leap(&self, value: u64) -> Result<(), Refusal> {
        let mut at = self.semaphore.look()?;
        while at == self.semaphore.promised() && value - at > self.context.difference() {
            at = (value - 1).min(at + self.context.difference());
            self.semaphore.raise(at)?;
        }
        Ok(())
    }

    fn fill(stream: &Arc<HeldStream<Self>>, value: u64, fill: &Fill) -> Result<()> {
        let context = &stream.driver().context;
        let (span, edges) = (&fill.target, context.edges()?);
        let target = VulkanBuffer::of(span, context)?;
        let part = span.offset()..span.offset() + span.len();
        let fill = |batch: &mut Batch<'_>| batch.fill(target.memory(), part, fill.value, edges);
        Self::give(stream, value, Kind::Commands, fill)
    }

    fn copy(stream: &Arc<HeldStream<Self>>, value: u64, copy: &Copy) -> Result<()> {
        let (context, len) = (&stream.driver().context, copy.target.len());
        let (from, to) = (&copy.source, &copy.target);
        let (source, target) = (VulkanBuffer::of(from, context)?, VulkanBuffer::of(to, context)?);
        Self::give(stream, value, Kind::Commands, |batch| {
            batch.copy((source.memory(), from.offset()), (target.memory(), to.offset()), len)
        })
    }

    /// Another stream signals a value of its own at or beyond the one waited for: values that passed on the host are
    /// jumped over.
    fn wait_for(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        other: &Self,
        awaited: u64,
    ) -> Result<()> {
        let wait = |batch: &mut Batch<'_>| batch.wait(&other.semaphore, awaited);
        Self::give(stream, value, Kind::Plain, wait)
    }
}

impl Driver for VulkanStream {
    type Timer = Arc<Timed>;

    /// A device that stands before a latch would hold every stream of its queue.
    type Latch = Infallible;

    const SIGNALS_EACH: bool = true;

    const DELAYS: bool = false;

    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        let _inside = stream.driver().context.enter()?;
        stream.driver().approach(value)?;
        match operation {
            Operation::Fill(fill) => Self::fill(stream, value, fill),
            Operation::Copy(copy) => Self::copy(stream, value, copy),
            Operation::Wait { stream: other, value: awaited } => {
                Self::wait_for(stream, value, other.driver(), awaited)
            }
            Operation::Stamp(timed) => {
                Self::give(stream, value, Kind::Commands, |batch| batch.stamp(timed.slot()))
            }
            Operation::Mark => Self::give(stream, value, Kind::Plain, |_batch| Ok(())),
            Operation::Delay(_) => unreachable!("the host lets time pass"),
            Operation::Latch(latch) => match *latch {},
            Operation::Call(call) => {
                call()?;
                Self::give(stream, value, Kind::Plain, |_batch| Ok(()))
            }
        }
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        self.context.check()?;
        let timing = self.context.device().physical().timing().ok_or_else(|| self.untimed())?;
        let timed = Arc::new(Timed::new(&self.context, self.context.slot()?, timing));
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

    fn pause(stream: &Arc<HeldStream<Self>>, _value: u64, duration: Duration) {
        if duration.is_zero() {
            return stream.finish();
        }
        let delays = stream.driver().context.delays();
        delays.give(Delay::begin(stream, duration), delay::serve);
    }

    fn discover(stream: &Arc<HeldStream<Self>>, value: u64) {
        let driver = stream.driver();
        // A thread that waits while the process exits goes on waiting, in silence.
        let Some(inside) = Inside::enter().filter(|_| driver.context.is_usable()) else { return };
        let mut seen = driver.semaphore.seen();
        if seen < value {
            driver.count();
            match driver.semaphore.look() {
                Ok(come) => seen = come,
                Err(refusal) if refusal.meaning() == Meaning::Lost => {
                    let _told_by_the_waiter = driver.context.refused(refusal);
                    return;
                }
                // Worth asking again.
                Err(_) => {}
            }
        }
        drop(inside);
        stream.complete(seen);
        // What nobody sleeps for would stay on the row, and keep its stream and the device.
        for (stream, value) in driver.context.queue().sweep() {
            stream.complete(value);
        }
    }

    fn expect(stream: &Arc<HeldStream<Self>>, _value: u64) {
        let driver = stream.driver();
        if driver.context.is_usable() && driver.context.queue().expect(driver) {
            driver.context.watch(Watch::Queue(Arc::clone(&driver.context)));
        }
    }

    fn calls(&self) -> u64 {
        // Relaxed: as in `count`.
        self.calls.load(Ordering::Relaxed)
    }
}

impl VulkanStream {
    #[cold]
    fn untimed(&self) -> Error {
        let message = format!(
            "{} has a queue without timestamps; ask capabilities(), or time by the host",
            self.context.name()
        );
        Error::unsupported(message)
    }
}
