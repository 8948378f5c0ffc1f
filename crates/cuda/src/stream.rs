//! Streams of a device: how the hold queue gives one operation to the driver, and how its end is found out.

mod end;
mod given;
mod noticing;
mod ready;
mod standing;

use std::any::Any;
use std::ffi::c_void;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use syncpoint_core::contract::{Captured, Copy, Fill, Owner, Time, enter_if_ours};
use syncpoint_core::hold::{Driver, HeldStream, Operation};
use syncpoint_core::{Device, Error, Reason, Result};

use crate::anchor::Anchor;
use crate::begun;
use crate::buffer::CudaBuffer;
use crate::capture::{Captures, Record};
use crate::context::Context;
use crate::event::Act;
use crate::latch::Latch;
use crate::marks::Marks;
use crate::pool::Lease;
use crate::sync::{AtomicU64, Lock, Locked, OnceLock, Ordering};
use crate::sys::{Event, Refusal, Stream};
use crate::time::Timed;
use ready::Ready;

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
    marks: Arc<Lock<Marks>>,
    captures: Captures,
    /// The driver calls of the user's operations and queries; those of the poller are not counted.
    calls: AtomicU64,
    /// The thread that alone can use it, where it is a thread's default stream.
    thread: Option<ThreadId>,
    /// What keeps a stream of others alive. There until the drop.
    owner: Option<Owner>,
    /// Of a stream that was given out: its device and priority, for who takes it in.
    given: OnceLock<(Device, i32)>,
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
            marks: Arc::default(),
            captures: Captures::default(),
            calls: AtomicU64::new(0),
            thread,
            owner,
            given: OnceLock::new(),
            context: Arc::clone(context),
        }
    }

    /// The raw handle.
    pub(crate) fn raw(&self) -> RawStream {
        self.lent
    }

    /// Refuses a broken context, and the default stream of another thread.
    #[inline]
    fn check(&self) -> Result<()> {
        self.context.check()?;
        self.check_thread()
    }

    /// Refuses to use the default stream of another thread.
    #[inline]
    fn check_thread(&self) -> Result<()> {
        if self.thread.is_none() { Ok(()) } else { self.compare_threads() }
    }

    #[cold]
    fn compare_threads(&self) -> Result<()> {
        if self.thread == Some(thread::current().id()) {
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

    pub(crate) fn marks(&self) -> Locked<'_, Marks> {
        self.marks.lock()
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

    /// Whether it is the default stream of one thread.
    pub(crate) fn is_of_a_thread(&self) -> bool {
        self.thread.is_some()
    }

    fn fill(&self, fill: &Fill) -> Result<()> {
        let part = CudaBuffer::part(&fill.target);
        self.called(part.fill(fill.value, self.handle()))
    }

    fn copy(&self, copy: &Copy) -> Result<()> {
        let (from, to) = (CudaBuffer::part(&copy.source), CudaBuffer::part(&copy.target));
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
    #[inline]
    fn wait_for(&self, other: &Self, value: u64) -> Result<()> {
        let Some((_, event)) = other.marks().beyond(value) else { return Ok(()) };
        // Asked about a broken one, the driver may take the wait, or say that this context is broken.
        other.context.check()?;
        self.count(1);
        let waited = self.handle().wait(&event);
        other.context.give_back(event);
        waited.map_err(|refusal| self.context.refused_to_wait(&other.context, &refusal))
    }

    /// Waits for an event that another stream of this context has in its ring, on a stream that is no default one.
    #[expect(
        clippy::inline_always,
        reason = "a frame of its own is 14 instructions of the 200 of a wait"
    )]
    #[inline(always)]
    fn wait_near(&self, event: Arc<Event>) -> Result<()> {
        self.count(1);
        match self.handle().wait_now(&event) {
            Ok(()) => {
                self.context.give_back(event);
                Ok(())
            }
            Err(refusal) => self.wait_nearer(refusal, event),
        }
    }

    #[cold]
    fn wait_nearer(&self, refusal: Refusal, event: Arc<Event>) -> Result<()> {
        let waited = self.handle().wait_nearer(refusal, &event);
        self.context.give_back(event);
        waited.map_err(|refusal| self.context.refused(&refusal))
    }

    /// A record of an event was refused.
    #[cold]
    fn refused_with(&self, refusal: &Refusal, event: Arc<Event>) -> Error {
        self.context.give_back(event);
        self.context.refused(refusal)
    }

    fn record_mark(&self, value: u64) -> Result<()> {
        let event = self.passed_event()?;
        let event = self.recorded(event)?;
        let displaced = self.marks().push(value, event);
        self.give_back_displaced(displaced);
        Ok(())
    }

    /// The same, where the event lies ready, and the next is made ready with it.
    #[inline]
    fn record_next(&self, ready: &mut Ready, value: u64) -> Result<()> {
        let event = match ready.take() {
            Some(event) => event,
            None => self.passed_event()?,
        };
        let event = self.recorded(event)?;
        let [displaced, next] = self.marks().push_and_take(value, event);
        self.give_back_displaced(displaced);
        ready.put(next);
        Ok(())
    }

    /// An event for a record: one that the device has passed, or else another.
    fn passed_event(&self) -> Result<Arc<Event>> {
        let passed = self.marks().take_passed();
        passed.map_or_else(|| self.another_event(), Ok)
    }

    /// An event that notes its time, recorded; whoever asks for the time has it too.
    fn stamp(&self, value: u64, event: &Arc<Event>) -> Result<()> {
        let event = self.recorded(Arc::clone(event))?;
        let displaced = self.marks().push_timed(value, event);
        self.give_back_displaced(displaced);
        Ok(())
    }

    #[inline]
    fn give_back_displaced(&self, displaced: Option<Arc<Event>>) {
        if let Some(event) = displaced {
            self.context.give_back(event);
        }
    }

    #[inline]
    fn recorded(&self, event: Arc<Event>) -> Result<Arc<Event>> {
        self.count(1);
        match event.record(self.handle()) {
            Ok(()) => Ok(event),
            Err(refusal) => Err(self.refused_with(&refusal, event)),
        }
    }
}

impl Driver for CudaStream {
    type Timer = Arc<Timed>;
    type Latch = Latch;

    type Ordered = Ready;

    const WAITS_AGAIN: bool = true;

    const SIGNALS_EACH: bool = false;

    fn ordered(&self) -> Ready {
        Ready::new(&self.context)
    }

    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        let driver = stream.driver();
        driver.check()?;
        match operation {
            Operation::Mark => driver.record_mark(value),
            Operation::Fill(fill) => {
                driver.fill(fill).inspect_err(|_| begun::keep(stream, fill.clone()))
            }
            Operation::Copy(copy) => {
                driver.copy(copy).inspect_err(|_| begun::keep(stream, copy.clone()))
            }
            Operation::Delay(duration) => driver.delay(duration),
            Operation::Wait { stream: other, value } => driver.wait_for(other.driver(), value),
            Operation::Stamp(timed) => driver.stamp(value, timed.lease().event()),
            Operation::Latch(latch) => Self::stand(stream, value, latch),
            Operation::Call(call) => call(),
        }
    }

    #[inline]
    fn mark(stream: &HeldStream<Self>, ready: &mut Ready, value: u64) -> Result<()> {
        let driver = stream.driver();
        // A managed stream is no thread's default one.
        driver.context.check()?;
        driver.record_next(ready, value)
    }

    #[inline]
    fn wait(
        stream: &HeldStream<Self>,
        ready: &mut Ready,
        _value: u64,
        (other, awaited): (&Arc<HeldStream<Self>>, u64),
    ) -> Result<()> {
        let (driver, other) = (stream.driver(), other.driver());
        driver.check()?;
        driver.wait_for(other, awaited)?;
        ready.remember(driver, other);
        Ok(())
    }

    #[expect(
        clippy::inline_always,
        reason = "a frame of its own is 14 instructions of the 200 of a wait"
    )]
    #[inline(always)]
    fn wait_again(
        stream: &HeldStream<Self>,
        ready: &mut Ready,
        awaited: u64,
    ) -> Option<Result<()>> {
        let driver = stream.driver();
        // What is refused says so when the other stream is asked.
        if driver.context.is_lost() {
            return None;
        }
        let (_, event) = ready.awaited()?.lock().beyond(awaited)?;
        Some(driver.wait_near(event))
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

    fn act(
        stream: &Arc<HeldStream<Self>>,
        _value: u64,
        act: &(dyn Any + Send + Sync),
    ) -> Result<()> {
        let driver = stream.driver();
        driver.context.check()?;
        driver.check_thread()?;
        let act: &Act = act.downcast_ref().unwrap_or_else(|| unreachable!("events put acts alone"));
        driver.called(act.carry_out(driver))
    }

    fn lend(&self, call: &mut dyn FnMut()) -> Result<()> {
        self.context.check()?;
        // The handle that is lent stands for another stream on another thread.
        self.check_thread()?;
        // For as long as the user's function may be inside, and not only as long as calls of ours are.
        let _inside = enter_if_ours().map_err(|_ending| self.context.ending())?;
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
        Self::look(stream, value);
    }

    #[inline]
    fn look(stream: &HeldStream<Self>, value: u64) {
        Self::ask(stream, value, Event::query);
    }

    fn discover_unnoticed(stream: &Arc<HeldStream<Self>>, value: u64) {
        Self::ask(stream, value, Event::query_unnoticed);
    }

    fn expect(stream: &Arc<HeldStream<Self>>, value: u64) {
        let driver = stream.driver();
        let wanted = driver.marks().expect(value);
        match wanted {
            None => driver.context.see_polled(),
            Some(want) => {
                if !driver.context.watch(stream) {
                    driver.marks().leave_given(want);
                }
            }
        }
    }

    fn leave_unnoticed(stream: &Arc<HeldStream<Self>>) {
        begun::notice(stream);
    }

    fn is_lost(&self) -> bool {
        self.context.is_lost()
    }

    fn calls(&self) -> u64 {
        // Relaxed: as in `count`.
        self.calls.load(Ordering::Relaxed)
    }
}
