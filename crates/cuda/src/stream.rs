//! Streams of a device: how the hold queue gives one operation to the driver, and how its end is found out.

mod noticing;

use std::any::Any;
use std::ffi::c_void;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use syncpoint_core::contract::{Captured, Copy, Fill, Time, enter_if_ours};
use syncpoint_core::hold::{Driver, HeldStream, Operation};
use syncpoint_core::{Error, Kind, Reason, Result};

use crate::anchor::Anchor;
use crate::buffer::CudaBuffer;
use crate::capture::{Captures, Record};
use crate::context::Context;
use crate::event::Act;
use crate::latch::{Deadline, Latch};
use crate::marks::{Mark, Marks};
use crate::owner::Owner;
use crate::poller::Poll;
use crate::pool::Lease;
use crate::reaper::Remains;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock};
use crate::sys::{Event, Refusal, Stream, Timing};
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
    /// The thread that alone can use it, where it is a thread's default stream.
    thread: Option<ThreadId>,
    /// What keeps a stream of others alive. There until the drop.
    owner: Option<Owner>,
    context: Arc<Context>,
}

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
        Ok(Self::over(context, native, None, None))
    }

    /// A stream that the driver has already: of others, with what keeps it alive, or a thread's own.
    pub(crate) fn over(
        context: &Arc<Context>,
        native: Stream,
        owner: Option<Owner>,
        thread: Option<ThreadId>,
    ) -> Self {
        Self {
            lent: RawStream { address: native.address() },
            native: Some(native),
            marks: Mutex::default(),
            captures: Captures::default(),
            calls: AtomicU64::new(0),
            thread,
            owner,
            context: Arc::clone(context),
        }
    }

    /// The raw handle.
    pub(crate) fn raw(&self) -> RawStream {
        self.lent
    }

    /// Refuses to use the default stream of another thread.
    fn check_thread(&self) -> Result<()> {
        if self.thread.is_none_or(|own| own == thread::current().id()) {
            return Ok(());
        }
        let message = format!(
            "the default stream of a thread of {} can be used on that thread alone; its points go anywhere",
            self.context.name()
        );
        Err(Error::misuse(Reason::WrongThread, message))
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
        let Some((_, event)) = other.marks().beyond(value) else { return Ok(()) };
        // Asked about a broken one, the driver may take the wait, or say that this context is broken.
        other.context.check()?;
        self.called(self.handle().wait(&other.borrow(event)))
    }

    fn mark(&self, value: u64) -> Result<()> {
        let spare = self.marks().take_spare();
        let event = match spare {
            Some(event) => event,
            None => self.context.pool(Timing::Untimed).take(&self.context)?,
        };
        self.put_mark(Mark { value, event })
    }

    /// Has the device wait for an event of another process.
    pub(crate) fn give_wait(&self, event: &Event) -> Result<(), Refusal> {
        self.count(1);
        self.handle().wait(event)
    }

    /// Has the device stand before a latch.
    pub(crate) fn stand_before(&self, latch: &Latch) -> Result<(), Refusal> {
        self.count(1);
        latch.hold(self.handle())
    }

    fn put_mark(&self, mark: Mark) -> Result<()> {
        if let Err(error) = self.called(mark.event.record(self.handle())) {
            self.context.give_back(mark.event);
            return Err(error);
        }
        let is_due = self.marks().push(mark);
        if is_due {
            self.reap();
        }
        Ok(())
    }

    /// Has the device stand before a latch, until its deadline at most.
    fn stand(stream: &Arc<HeldStream<Self>>, value: u64, latch: &Latch) -> Result<()> {
        let driver = stream.driver();
        let stands = driver.stand_before(latch);
        stands.map_err(|refusal| driver.context.refused(&refusal))?;
        let longest = driver.context.gates().unwrap_or_default();
        driver.context.poll(Poll::Guard(Deadline::new(longest, stream, value, latch)));
        Ok(())
    }
}

impl Driver for CudaStream {
    type Timer = Arc<Timed>;
    type Latch = Latch;

    const SIGNALS_EACH: bool = false;

    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        let driver = stream.driver();
        driver.context.check()?;
        driver.check_thread()?;
        match operation {
            Operation::Mark => driver.mark(value),
            Operation::Fill(fill) => driver.fill(fill),
            Operation::Copy(copy) => driver.copy(copy),
            Operation::Delay(duration) => driver.delay(duration),
            Operation::Wait { stream: other, value } => driver.wait_for(other.driver(), value),
            Operation::Stamp(timed) => {
                driver.put_mark(Mark { value, event: Arc::clone(timed.lease().event()) })
            }
            Operation::Latch(latch) => Self::stand(stream, value, latch),
            Operation::Call(call) => call(),
        }
    }

    /// The first of a context compiles the kernel.
    fn prepare_delay(&self, duration: Duration) -> Result<()> {
        // What is refused or nothing needs none.
        if duration.is_zero() || duration > LONGEST_DELAY {
            return Ok(());
        }
        self.context.check()?;
        self.context.delay().map(drop)
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        let anchor = Anchor::latest(&self.context)?;
        let lease = Lease::timed(&self.context)?;
        let timed = Arc::new(Timed::new(anchor, lease));
        Ok((Arc::clone(&timed), Time::Driver(timed)))
    }

    fn native(&self) -> Option<&(dyn Any + Send + Sync)> {
        Some(&self.lent)
    }

    fn act(&self, act: &(dyn Any + Send + Sync)) -> Result<()> {
        self.context.check()?;
        self.check_thread()?;
        let act: &Act = act.downcast_ref().unwrap_or_else(|| unreachable!("events put acts alone"));
        self.called(act.carry_out(self))
    }

    fn lend(&self, call: &mut dyn FnMut()) -> Result<()> {
        self.context.check()?;
        // The handle that is lent stands for another stream on another thread.
        self.check_thread()?;
        // For as long as the user's function may be inside, and not only as long as calls of ours are.
        let _inside = enter_if_ours().map_err(|_ending| ending(self.context.name()))?;
        let lent = self.context.primary().within(|| {
            call();
            Ok(())
        });
        self.called(lent)
    }

    fn latch(&self) -> Result<Self::Latch> {
        self.check_thread()?;
        Latch::close(&self.context)
    }

    fn release(_stream: &Arc<HeldStream<Self>>, latch: Self::Latch) {
        latch.open();
    }

    /// Others may begin to capture the stream, or it is another thread's: then nobody can mark it any more.
    fn marks_at_once(&self) -> bool {
        true
    }

    fn is_capturing(&self) -> Result<bool> {
        self.context.check()?;
        self.check_thread()?;
        let captures = self.called(self.handle().is_capturing())?;
        if !captures {
            self.captures.end();
        }
        Ok(captures)
    }

    fn record_captured(&self) -> Result<Captured> {
        self.context.check()?;
        self.check_thread()?;
        let record = self
            .captures
            .record(&self.context, |event| self.called(event.record(self.handle())))?;
        Ok(record)
    }

    fn wait_captured(&self, record: &Captured) -> Result<()> {
        self.context.check()?;
        // Or the default stream of this thread would be captured.
        self.check_thread()?;
        let record = Record::of(record)?;
        self.called(self.handle().wait(record.event()))
    }

    fn is_idle(&self) -> Option<Result<bool>> {
        if let Err(error) = self.check_thread() {
            return Some(Err(error));
        }
        Some(self.context.check().and_then(|()| self.called(self.handle().is_idle())))
    }

    fn discover(stream: &Arc<HeldStream<Self>>, value: u64) {
        Self::ask(stream, value, Event::query);
    }

    fn discover_unnoticed(stream: &Arc<HeldStream<Self>>, value: u64) {
        Self::ask(stream, value, Event::query_unnoticed);
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

#[cold]
fn ending(device: &str) -> Error {
    let message =
        format!("the process exits, and nothing more is given to {device}; synchronize before");
    Error::new(Kind::Unavailable, message)
}

impl Drop for CudaStream {
    fn drop(&mut self) {
        if self.context.is_usable() {
            let marks = std::mem::take(&mut *self.marks());
            for event in marks.into_events() {
                self.context.give_back(event);
            }
            if let Some(native) = self.native.take() {
                self.context.reap(Remains::Stream(native));
            }
        }
        if let Some(owner) = self.owner.take() {
            self.context.let_go(owner);
        }
    }
}
