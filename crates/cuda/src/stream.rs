//! Streams of a device: how the hold queue gives one operation to the driver, and how its end is found out.

use std::convert::Infallible;
use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use syncpoint_core::contract::{Captured, Copy, Fill, Time};
use syncpoint_core::hold::{Driver, HeldStream, Operation};
use syncpoint_core::{Error, Reason, Result};

use crate::anchor::Anchor;
use crate::buffer::CudaBuffer;
use crate::capture::{Captures, Record};
use crate::context::Context;
use crate::marks::Marks;
use crate::poller::Poll;
use crate::pool::Lease;
use crate::reaper::Remains;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock};
use crate::sys::{Meaning, Refusal, Stream, Timing};
use crate::time::Timed;

/// The raw handle of a stream, which [`Stream::submit`](syncpoint_core::Stream::submit) lends for the length of a call:
/// `submission.native::<RawStream>()`. Meanwhile the context of the stream is current on the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawStream {
    address: usize,
}

impl RawStream {
    /// The driver's `CUstream`. The stream is ours: do not destroy it, and launch on it only inside the call.
    pub fn as_ptr(&self) -> *mut c_void {
        std::ptr::with_exposed_provenance_mut(self.address)
    }
}

/// The driver's side of one stream.
#[derive(Debug)]
pub(crate) struct CudaStream {
    /// There until the drop.
    native: Option<Stream>,
    lent: RawStream,
    /// Guards the row alone. Taken under the order lock of this stream or of one that waits for it.
    marks: Mutex<Marks>,
    captures: Captures,
    /// The driver calls of the user's operations and queries; those of the poller are not counted.
    calls: AtomicU64,
    context: Arc<Context>,
}

/// At every so many marks it is found out which events are needed no more: a program that never asks holds few.
const REAPED: usize = 16;

/// The longest delay: each second is one launch, and the driver takes about a thousand before it blocks.
const LONGEST_DELAY: Duration = Duration::from_secs(600);

impl CudaStream {
    /// A stream of a context.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn new(context: &Arc<Context>, priority: i32) -> Result<Self> {
        context.check()?;
        let native = Stream::create(context.primary(), priority);
        let native = native.map_err(|refusal| context.refused(&refusal))?;
        Ok(Self {
            lent: RawStream { address: native.address() },
            native: Some(native),
            marks: Mutex::default(),
            captures: Captures::default(),
            calls: AtomicU64::new(0),
            context: Arc::clone(context),
        })
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    pub(crate) fn marks(&self) -> MutexGuard<'_, Marks> {
        lock(&self.marks)
    }

    /// The driver's stream.
    pub(crate) fn handle(&self) -> &Stream {
        self.native.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    /// The outcome of a call of the driver's, which is counted.
    #[inline]
    fn called<T>(&self, outcome: Result<T, Refusal>) -> Result<T> {
        self.count(1);
        outcome.map_err(|refusal| self.context.refused(&refusal))
    }

    fn count(&self, calls: u64) {
        // Relaxed: a count, ordered with nothing.
        self.calls.fetch_add(calls, Ordering::Relaxed);
    }

    /// The device has come to `value`. Gives what is needed no more, to be dropped under no lock.
    pub(crate) fn reach(&self, value: u64) -> Vec<Lease> {
        self.marks().reach(value)
    }

    fn fill(&self, fill: &Fill) -> Result<()> {
        let (target, span) = (CudaBuffer::of(&fill.target)?, &fill.target);
        let part = target.memory().part(span.offset(), span.len());
        self.called(part.fill(fill.value, self.handle()))
    }

    fn copy(&self, copy: &Copy) -> Result<()> {
        let (source, target) = (CudaBuffer::of(&copy.source)?, CudaBuffer::of(&copy.target)?);
        let from = source.memory().part(copy.source.offset(), copy.source.len());
        let to = target.memory().part(copy.target.offset(), copy.target.len());
        self.called(from.copy_to(to, self.handle()))
    }

    fn delay(&self, duration: Duration) -> Result<()> {
        if duration > LONGEST_DELAY {
            let message = format!(
                "a delay of {duration:?} is longer than a device should spin; ask for {LONGEST_DELAY:?} at most"
            );
            return Err(Error::misuse(Reason::OutOfRange, message));
        }
        if duration.is_zero() {
            return Ok(());
        }
        let launched = self.context.delay()?.launch(duration, self.handle());
        self.count(launched.unwrap_or(1));
        launched.map(drop).map_err(|refusal| self.context.refused(&refusal))
    }

    /// A value that the device has come to needs no wait: nothing is called.
    fn wait_for(&self, other: &Self, value: u64) -> Result<()> {
        let beyond = other.marks().beyond(value);
        beyond.map_or(Ok(()), |(_, lease)| self.called(self.handle().wait(lease.event())))
    }

    fn mark(&self, value: u64) -> Result<()> {
        let lease = self.context.pool(Timing::Untimed).lease(&self.context)?;
        self.put_mark(value, lease)
    }

    fn put_mark(&self, value: u64, lease: Lease) -> Result<()> {
        self.called(lease.event().record(self.handle()))?;
        let mut marks = self.marks();
        marks.push(value, lease);
        let is_due = marks.len().is_multiple_of(REAPED);
        drop(marks);
        if is_due {
            self.context.primary().unnoticed(|| self.reap());
        }
        Ok(())
    }

    /// Asks the oldest events, in leaps that grow, and gives back those that the device has passed.
    fn reap(&self) {
        let (mut leap, mut passed) = (0, None);
        loop {
            let Some((value, lease)) = self.marks().nth(leap) else { break };
            match lease.event().query() {
                Ok(true) => {}
                Ok(false) => break,
                // Nobody asked: a broken context is noted, and anything else is told to who asks next.
                Err(refusal) => {
                    if refusal.meaning() == Meaning::Lost {
                        self.context.refused(&refusal);
                    }
                    break;
                }
            }
            passed = Some(value);
            leap = leap * 2 + 1;
        }
        if let Some(value) = passed {
            drop(self.reach(value));
        }
    }

    /// A question about the stream was refused. Says whether it is worth asking again: then a capture was in the way.
    pub(crate) fn was_refused(stream: &Arc<HeldStream<Self>>, refusal: &Refusal) -> bool {
        let driver = stream.driver();
        match refusal.meaning() {
            Meaning::Capturing => true,
            // Everything of the context fails, on the poller.
            Meaning::Lost => {
                driver.context.refused(refusal);
                false
            }
            _ => {
                let first_unknown = driver.marks().reached() + 1;
                stream.fail(first_unknown, &driver.context.refused(refusal));
                false
            }
        }
    }

    /// Tells the stream how far the device is known to have come.
    fn tell(stream: &Arc<HeldStream<Self>>) {
        let news = stream.driver().marks().take_news();
        if let Some(value) = news {
            stream.complete(value);
        }
    }
}

impl Driver for CudaStream {
    type Timer = Arc<Timed>;
    type Latch = Infallible;

    const SIGNALS_EACH: bool = false;

    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        let driver = stream.driver();
        driver.context.check()?;
        match operation {
            Operation::Fill(fill) => driver.fill(fill),
            Operation::Copy(copy) => driver.copy(copy),
            Operation::Delay(duration) => driver.delay(duration),
            Operation::Wait { stream: other, value } => driver.wait_for(other.driver(), value),
            Operation::Stamp(timed) => driver.put_mark(value, timed.lease().clone()),
            Operation::Mark => driver.mark(value),
            Operation::Latch(never) => match *never {},
        }
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        let anchor = Anchor::latest(&self.context)?;
        let lease = self.context.pool(Timing::Timed).lease(&self.context)?;
        let timed = Arc::new(Timed::new(anchor, lease));
        Ok((Arc::clone(&timed), Time::Driver(timed)))
    }

    fn native(&self) -> Option<&(dyn std::any::Any + Send + Sync)> {
        Some(&self.lent)
    }

    fn lend(&self, call: &mut dyn FnMut()) -> Result<()> {
        self.context.check()?;
        let lent = self.context.primary().within(|| {
            call();
            Ok(())
        });
        self.called(lent)
    }

    fn is_capturing(&self) -> Result<bool> {
        self.context.check()?;
        let captures = self.called(self.handle().is_capturing())?;
        if !captures {
            self.captures.end();
        }
        Ok(captures)
    }

    fn record_captured(&self) -> Result<Captured> {
        self.context.check()?;
        let record = self
            .captures
            .record(&self.context, |event| self.called(event.record(self.handle())))?;
        Ok(record)
    }

    fn wait_captured(&self, record: &Captured) -> Result<()> {
        self.context.check()?;
        let record = Record::of(record)?;
        self.called(self.handle().wait(record.event()))
    }

    fn is_idle(&self) -> Option<Result<bool>> {
        Some(self.context.check().and_then(|()| self.called(self.handle().is_idle())))
    }

    fn discover(stream: &Arc<HeldStream<Self>>, value: u64) {
        let driver = stream.driver();
        if driver.context.check().is_err() {
            return;
        }
        let mark = driver.marks().beyond(value);
        if let Some((value, lease)) = mark {
            driver.count(1);
            match lease.event().query() {
                Ok(true) => drop(driver.reach(value)),
                Ok(false) => {}
                Err(refusal) => drop(Self::was_refused(stream, &refusal)),
            }
        }
        Self::tell(stream);
    }

    fn expect(stream: &Arc<HeldStream<Self>>, value: u64) {
        let driver = stream.driver();
        if driver.marks().expect(value) {
            driver.context.poll(Poll::Watch(Arc::clone(stream)));
        }
    }

    fn calls(&self) -> u64 {
        // Relaxed: as in `count`.
        self.calls.load(Ordering::Relaxed)
    }
}

impl Drop for CudaStream {
    fn drop(&mut self) {
        if !self.context.is_usable() {
            return;
        }
        if let Some(native) = self.native.take() {
            self.context.reap(Remains::Stream(native));
        }
    }
}
