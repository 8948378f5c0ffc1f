//! A driver whose engine is a thread of the model, and a crew of one.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use loom::thread::{self, JoinHandle};

use crate::buffer::Buffer;
use crate::capabilities::{Capabilities, PriorityRange};
use crate::contract::{Memory, RawBuffer, RawDevice, RawStream, Stamp, Time};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::hold::{Crew, Domain, Driver, HeldStream, Operation};
use crate::stream::Stream;
use crate::sync::{self, Condvar, Mutex, lock};
use crate::time::Clock;
use crate::timeline::Timeline;
use crate::work::Pump;

/// What waits for somebody to take it.
pub(super) struct Inbox<T> {
    /// Guards what is in it, and whether more may come.
    content: Mutex<(VecDeque<T>, bool)>,
    changed: Condvar,
}

impl<T> Inbox<T> {
    fn new() -> Self {
        Self { content: Mutex::new((VecDeque::new(), true)), changed: Condvar::new() }
    }

    fn put(&self, item: T) {
        lock(&self.content).0.push_back(item);
        self.changed.notify_one();
    }

    /// Takes the oldest, and sleeps until there is one. `None`: no more will come.
    pub(super) fn take(&self) -> Option<T> {
        let mut content = lock(&self.content);
        loop {
            let item = content.0.pop_front();
            if item.is_some() || !content.1 {
                return item;
            }
            content = sync::wait(&self.changed, content);
        }
    }

    /// No more will come.
    pub(super) fn close(&self) {
        lock(&self.content).1 = false;
        self.changed.notify_one();
    }
}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Inbox")
    }
}

impl Crew for Inbox<Arc<dyn Pump>> {
    fn ensure(&self) -> Result<()> {
        Ok(())
    }

    fn rouse(&self, stream: Arc<dyn Pump>) {
        self.put(stream);
    }
}

/// One submission, as the engine finds it.
pub(super) struct Given<const EACH: bool, const DEFERS: bool = false> {
    pub(super) stream: Arc<HeldStream<Double<EACH, DEFERS>>>,
    pub(super) value: u64,
    /// Whether the engine tells when it comes to it.
    pub(super) signals: bool,
    /// Whether it is nothing but the signal of a value.
    pub(super) is_mark: bool,
    /// Whether it is a wait for a value that nobody signals yet: on a device, a hang.
    pub(super) is_early: bool,
    /// What the engine stands before.
    latch: Option<Latch>,
}

/// Open once something was put in.
type Latch = Arc<Inbox<()>>;

impl<const EACH: bool, const DEFERS: bool> Given<EACH, DEFERS> {
    /// The engine has come to it, and past the latch that it may stand before.
    pub(super) fn ends(self) {
        if let Some(latch) = &self.latch {
            latch.take().expect("a latch is opened, not closed");
        }
        if self.signals {
            self.stream.complete(self.value);
        }
    }
}

/// The driver's side of a stream. `EACH`: every operation signals, as with a counter driver, which keeps what it works on;
/// otherwise marks do. `DEFERS`: all but waits.
#[derive(Debug)]
pub(super) struct Double<const EACH: bool, const DEFERS: bool = false> {
    engine: Arc<Inbox<Given<EACH, DEFERS>>>,
    /// The latest value of which the engine tells.
    signalled: Mutex<u64>,
}

impl<const EACH: bool, const DEFERS: bool> Driver for Double<EACH, DEFERS> {
    type Timer = Arc<Stamp>;

    type Latch = Latch;
    /// The other stream of the last wait.
    type Ordered = Option<Weak<dyn Any + Send + Sync>>;

    const SIGNALS_EACH: bool = EACH;

    const DEFERS_WAITS: bool = DEFERS;

    const KEEPS: bool = EACH;

    const WAITS_AGAIN: bool = !EACH;

    fn ordered(&self) -> Self::Ordered {
        None
    }

    fn wait(
        stream: &HeldStream<Self>,
        awaited: &mut Self::Ordered,
        value: u64,
        (other, of_other): (&Arc<HeldStream<Self>>, u64),
    ) -> Result<()> {
        Self::submit(&stream.this(), value, Operation::Wait { stream: other, value: of_other })?;
        let other: Arc<dyn Any + Send + Sync> = Arc::<HeldStream<Self>>::clone(other);
        *awaited = Some(Arc::downgrade(&other));
        Ok(())
    }

    fn wait_again(
        stream: &HeldStream<Self>,
        awaited: &mut Self::Ordered,
        of_other: u64,
    ) -> Option<Result<()>> {
        let other: Arc<HeldStream<Self>> = awaited.as_ref()?.upgrade()?.downcast().ok()?;
        if *lock(&other.driver().signalled) < of_other {
            return None;
        }
        // Behind everything submitted: the double has no use for the value of a wait.
        let value = stream.timeline().enqueued() + 1;
        let operation = Operation::Wait { stream: &other, value: of_other };
        Some(Self::submit(&stream.this(), value, operation))
    }

    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        let is_early = match operation {
            Operation::Wait { stream, value } => *lock(&stream.driver().signalled) < value,
            _ => false,
        };
        let latch = match operation {
            Operation::Latch(latch) => Some(Arc::clone(latch)),
            _ => None,
        };
        let signals = operation.signals();
        if signals {
            let before = std::mem::replace(&mut *lock(&stream.driver().signalled), value);
            assert!(
                !EACH || before < value,
                "a counter is told the same value twice, or a lower one"
            );
        }
        let (is_mark, stream) = (matches!(operation, Operation::Mark), Arc::clone(stream));
        let engine = Arc::clone(&stream.driver().engine);
        engine.put(Given { stream, value, signals, is_mark, is_early, latch });
        Ok(())
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        Err(Error::unsupported("the double has no clock"))
    }

    fn latch(&self) -> Result<Latch> {
        Ok(Arc::new(Inbox::new()))
    }

    fn release(_stream: &Arc<HeldStream<Self>>, latch: Latch) {
        latch.put(());
    }

    fn calls(&self) -> u64 {
        0
    }
}

/// A device over the double.
pub(super) struct Bench<const EACH: bool, const DEFERS: bool = false> {
    device: Device,
    pub(super) engine: Arc<Inbox<Given<EACH, DEFERS>>>,
    roused: Arc<Inbox<Arc<dyn Pump>>>,
    worker: JoinHandle<()>,
}

impl<const EACH: bool, const DEFERS: bool> Bench<EACH, DEFERS> {
    /// A device whose worker pumps whoever is roused.
    pub(super) fn new() -> Self {
        Self::pumped_by(Pump::pump)
    }

    /// The same with another way to pump.
    pub(super) fn pumped_by(pump: fn(Arc<dyn Pump>)) -> Self {
        let (engine, roused) = (Arc::new(Inbox::new()), Arc::new(Inbox::new()));
        let crew: Arc<Inbox<Arc<dyn Pump>>> = Arc::clone(&roused);
        let worker = thread::spawn(move || {
            while let Some(stream) = crew.take() {
                pump(stream);
            }
        });
        let crew: Arc<Inbox<Arc<dyn Pump>>> = Arc::clone(&roused);
        let raw = Raw { engine: Arc::clone(&engine), domain: Domain::new(crew) };
        let capabilities = Capabilities::new(PriorityRange::new(0, 0));
        let clock = Clock::new("double", Duration::from_nanos(1));
        let device = Device::new("double:0", Arc::new(raw), (capabilities, clock));
        Self { device, engine, roused, worker }
    }

    pub(super) fn stream(&self) -> Stream {
        self.device.stream().expect("a stream")
    }

    pub(super) fn buffer(&self) -> Buffer {
        self.device.buffer(1).expect("room for a byte")
    }

    /// A stream that others launch on too.
    pub(super) fn exposed(&self) -> Stream {
        let stream = self.stream();
        let raw: Arc<HeldStream<Double<EACH, DEFERS>>> =
            stream.timeline().own_stream().expect("the stream lives");
        raw.expose().expect("nothing is held");
        stream
    }

    /// Ends the worker.
    pub(super) fn close(self) {
        self.roused.close();
        self.worker.join().expect("the worker ends");
    }
}

#[derive(Debug)]
struct Raw<const EACH: bool, const DEFERS: bool> {
    engine: Arc<Inbox<Given<EACH, DEFERS>>>,
    domain: Arc<Domain<Double<EACH, DEFERS>>>,
}

impl<const EACH: bool, const DEFERS: bool> RawDevice for Raw<EACH, DEFERS> {
    fn stream(&self, timeline: Timeline, _priority: i32) -> Result<Arc<dyn RawStream>> {
        let driver = Double { engine: Arc::clone(&self.engine), signalled: Mutex::new(0) };
        Ok(HeldStream::new(timeline, &self.domain, driver, 0))
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Ok(Arc::new(Memory::new(bytes)?))
    }

    fn shutdown(&self, _deadline: Instant) -> Result<()> {
        Ok(())
    }
}
