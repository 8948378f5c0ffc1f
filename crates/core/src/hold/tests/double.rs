//! A driver that notes what it is given and completes nothing by itself, and a crew that pumps when it is asked.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use crate::capabilities::{Capabilities, PriorityRange};
use crate::contract::{
    Captured, ForeignEvent, Item, Memory, NativeEvent, Placed, RawBuffer, RawDevice, RawStream,
    Stamp, Task, Time,
};
use crate::device::Device;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, EventState};
use crate::event_options::EventOptions;
use crate::hold::{Crew, Domain, Driver, HeldStream, Operation};
use crate::place::Place;
use crate::point::Point;
use crate::stream::Stream;
use crate::sync::{Mutex, lock};
use crate::time::Clock;
use crate::timeline::Timeline;
use crate::work::Pump;

/// Pumps when it is asked.
#[derive(Debug, Default)]
struct Steps(Mutex<VecDeque<Arc<dyn Pump>>>);

impl Crew for Steps {
    fn ensure(&self) -> Result<()> {
        Ok(())
    }

    fn rouse(&self, stream: Arc<dyn Pump>) {
        lock(&self.0).push_back(stream);
    }
}

impl Steps {
    fn take(&self) -> Option<Arc<dyn Pump>> {
        lock(&self.0).pop_front()
    }
}

/// What all streams of a bench share.
#[derive(Debug, Default)]
struct Notes {
    given: Mutex<Vec<String>>,
    /// Refuses a submission, once so many others were taken.
    refusal: Mutex<Option<(u32, Error)>>,
    expected: Mutex<Vec<(u64, u64)>>,
    /// How many latches were made, where the driver has latches.
    latches: Mutex<Option<u64>>,
    /// Whether the driver says that a stream is idle.
    idle: Mutex<bool>,
    /// Tells that the next submission has begun, and keeps it until it is told to go on.
    pause: Mutex<Option<(Sender<()>, Receiver<()>)>>,
    /// Whether others capture the streams that they launch on.
    capturing: Mutex<bool>,
    /// Whether the capture ends with the next record.
    ends_with_record: Mutex<bool>,
    /// Whether what a function needs is current.
    lent: Mutex<bool>,
    /// Whether what was submitted has to be marked at once.
    marks_at_once: Mutex<bool>,
}

impl Notes {
    fn refuse(&self) -> Result<()> {
        let mut refusal = lock(&self.refusal);
        match refusal.take() {
            Some((0, error)) => Err(error),
            Some((others, error)) => {
                *refusal = Some((others - 1, error));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The driver's side of a stream. `EACH`: every operation signals, as with a counter driver.
#[derive(Debug)]
pub(super) struct Double<const EACH: bool> {
    notes: Arc<Notes>,
    /// Which stream of the bench it is, from 0.
    index: u64,
    calls: Mutex<u64>,
    native: Option<u64>,
    /// The stream, while something of it is on its way.
    on_its_way: Mutex<Option<Arc<HeldStream<Self>>>>,
}

impl<const EACH: bool> Double<EACH> {
    /// Nothing is on its way any more.
    pub(super) fn forget(&self) {
        let kept = lock(&self.on_its_way).take();
        drop(kept);
    }
}

impl<const EACH: bool> Driver for Double<EACH> {
    type Timer = Arc<Stamp>;

    type Latch = u64;

    const SIGNALS_EACH: bool = EACH;

    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        let driver = stream.driver();
        let pause = lock(&driver.notes.pause).take();
        if let Some((begun, go_on)) = pause {
            begun.send(()).expect("somebody paused it");
            go_on.recv().expect("somebody lets it go on");
        }
        driver.notes.refuse()?;
        let name = match operation {
            Operation::Fill(_) => "fill".to_owned(),
            Operation::Copy(_) => "copy".to_owned(),
            Operation::Delay(_) => "delay".to_owned(),
            Operation::Wait { stream, value } => format!("wait {}.{value}", stream.driver().index),
            Operation::Stamp(_) => "stamp".to_owned(),
            Operation::Mark => "mark".to_owned(),
            Operation::Latch(latch) => format!("latch {latch}"),
            Operation::Call(call) => {
                call()?;
                "call".to_owned()
            }
        };
        *lock(&driver.calls) += 1;
        *lock(&driver.on_its_way) = Some(Arc::clone(stream));
        lock(&driver.notes.given).push(format!("{}.{value} {name}", driver.index));
        Ok(())
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        let stamp = Arc::new(Stamp::default());
        Ok((Arc::clone(&stamp), Time::Stamp(stamp)))
    }

    fn act(&self, act: &(dyn Any + Send + Sync)) -> Result<()> {
        self.notes.refuse()?;
        let words: &&str = act.downcast_ref().expect("an act of the double's");
        lock(&self.notes.given).push((*words).to_owned());
        Ok(())
    }

    fn lend(&self, call: &mut dyn FnMut()) -> Result<()> {
        *lock(&self.notes.lent) = true;
        call();
        *lock(&self.notes.lent) = false;
        Ok(())
    }

    fn marks_at_once(&self) -> bool {
        *lock(&self.notes.marks_at_once)
    }

    fn latch(&self) -> Result<Self::Latch> {
        lock(&self.notes.latches).as_mut().map_or_else(
            || Err(Error::unsupported("the double has no latches; leave it")),
            |made| {
                *made += 1;
                Ok(*made)
            },
        )
    }

    fn release(stream: &Arc<HeldStream<Self>>, latch: u64) {
        let driver = stream.driver();
        let state = if stream.timeline().has_failed() { " of a failed stream" } else { "" };
        lock(&driver.notes.given).push(format!("{} opens {latch}{state}", driver.index));
    }

    fn is_idle(&self) -> Option<Result<bool>> {
        Some(Ok(*lock(&self.notes.idle)))
    }

    fn is_capturing(&self) -> Result<bool> {
        Ok(*lock(&self.notes.capturing))
    }

    fn record_captured(&self) -> Result<Captured> {
        lock(&self.notes.given).push(format!("{} captured record", self.index));
        if std::mem::take(&mut *lock(&self.notes.ends_with_record)) {
            *lock(&self.notes.capturing) = false;
        }
        Ok(Arc::new(self.index))
    }

    fn wait_captured(&self, record: &Captured) -> Result<()> {
        let of: u64 = *record.downcast_ref().expect("a record of the double's");
        lock(&self.notes.given).push(format!("{} joins {of}", self.index));
        Ok(())
    }

    fn native(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.native.as_ref().map(|native| -> &(dyn Any + Send + Sync) { native })
    }

    fn expect(stream: &Arc<HeldStream<Self>>, value: u64) {
        let driver = stream.driver();
        lock(&driver.notes.expected).push((driver.index, value));
    }

    fn calls(&self) -> u64 {
        *lock(&self.calls)
    }
}

/// A device over the double, and everything to move it by hand.
#[derive(Debug)]
pub(super) struct Bench<const EACH: bool> {
    device: Device,
    raw: Arc<Raw<EACH>>,
}

#[derive(Debug)]
struct Raw<const EACH: bool> {
    steps: Arc<Steps>,
    notes: Arc<Notes>,
    domain: Arc<Domain<Double<EACH>>>,
    streams: Mutex<Vec<Arc<HeldStream<Double<EACH>>>>>,
    capabilities: Capabilities,
    clock: Clock,
    native: Option<u64>,
}

impl<const EACH: bool> Raw<EACH> {
    fn driver(&self) -> Double<EACH> {
        let notes = Arc::clone(&self.notes);
        let index = lock(&self.streams).len() as u64;
        let (native, on_its_way) = (self.native, Mutex::new(None));
        Double { notes, index, calls: Mutex::new(0), native, on_its_way }
    }

    fn add(&self, stream: Arc<HeldStream<Double<EACH>>>) -> Arc<dyn RawStream> {
        lock(&self.streams).push(Arc::clone(&stream));
        stream
    }
}

impl<const EACH: bool> RawDevice for Raw<EACH> {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn stream(&self, timeline: Timeline, _priority: i32) -> Result<Arc<dyn RawStream>> {
        let stream = HeldStream::new(timeline, &self.domain, self.driver(), 0);
        Ok(self.add(stream))
    }

    fn event(&self, _options: EventOptions) -> Result<Arc<dyn NativeEvent>> {
        Ok(Arc::new(EventDouble))
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Ok(Arc::new(Memory::new(bytes)?))
    }

    fn shutdown(&self, deadline: Instant) -> Result<()> {
        self.domain.wait_for_begun(|_| true, deadline)
    }
}

/// An event of the double's: its records and waits are submissions.
#[derive(Debug)]
pub(super) struct EventDouble;

impl EventDouble {
    fn put(words: &'static str, stream: &Arc<dyn RawStream>, place: Place) -> Result<Placed> {
        stream.put(Item { task: Task::Native(Box::new(words)), place })
    }
}

impl NativeEvent for EventDouble {
    fn record_on(&self, stream: &Arc<dyn RawStream>, place: Place) -> Result<Placed> {
        Self::put("native record", stream, place)
    }

    fn wait_on(&self, stream: &Arc<dyn RawStream>, place: Place) -> Result<Option<Placed>> {
        Self::put("native wait", stream, place).map(Some)
    }
}

/// An event that others made.
#[derive(Debug)]
struct ForeignDouble {
    device: Device,
    native: Option<EventDouble>,
    gate: Point,
}

impl ForeignEvent for ForeignDouble {
    fn device(&self) -> &Device {
        &self.device
    }

    fn state(&self) -> EventState {
        EventState::Pending
    }

    fn awaited(self: Arc<Self>, _place: Place) -> Result<Option<Point>> {
        Ok(Some(self.gate.clone()))
    }

    fn native(&self) -> Option<&dyn NativeEvent> {
        self.native.as_ref().map(|native| -> &dyn NativeEvent { native })
    }

    fn whose(&self) -> &'static str {
        "another program's"
    }
}

/// Long beyond any machine's hiccup.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How many items a stream of a bench holds.
pub(super) const BOUND: usize = 100;

impl<const EACH: bool> Bench<EACH> {
    pub(super) fn new() -> Self {
        Self::lending(None)
    }

    /// A bench whose streams lend a raw handle.
    pub(super) fn lending(native: Option<u64>) -> Self {
        let steps = Arc::new(Steps::default());
        let raw = Arc::new(Raw {
            steps: Arc::clone(&steps),
            notes: Arc::default(),
            domain: Domain::bounded(steps, BOUND),
            streams: Mutex::default(),
            capabilities: Capabilities::new(PriorityRange::new(0, 0))
                .with_timing()
                .with_native_handles()
                .with_external(),
            clock: Clock::new("double", Duration::from_nanos(1)),
            native,
        });
        let of_device: Arc<dyn RawDevice> = Arc::<Raw<EACH>>::clone(&raw);
        Self { device: Device::new("double:0", of_device), raw }
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    pub(super) fn stream(&self) -> Stream {
        self.device.stream().expect("a stream")
    }

    /// A stream that others made.
    pub(super) fn borrowed(&self) -> Stream {
        let raw = &self.raw;
        let build =
            |timeline| Ok(raw.add(HeldStream::borrowed(timeline, &raw.domain, raw.driver(), 0)));
        self.device.stream_of(None, 0, build).expect("a borrowed stream")
    }

    /// Gives the driver latches.
    pub(super) fn with_latches(self) -> Self {
        *lock(&self.raw.notes.latches) = Some(0);
        self
    }

    /// Others begin, or end, to capture the streams that they launch on.
    pub(super) fn capture(&self, capturing: bool) {
        *lock(&self.raw.notes.capturing) = capturing;
    }

    /// The capture ends with the next record.
    pub(super) fn end_capture_with_record(&self) {
        *lock(&self.raw.notes.ends_with_record) = true;
    }

    /// What was submitted can be marked on this thread alone.
    pub(super) fn mark_at_once(&self) {
        *lock(&self.raw.notes.marks_at_once) = true;
    }

    /// Whether what a function needs is current.
    pub(super) fn is_lent(&self) -> bool {
        *lock(&self.raw.notes.lent)
    }

    /// What the driver says when it is asked whether a stream is idle.
    pub(super) fn say_idle(&self, idle: bool) {
        *lock(&self.raw.notes.idle) = idle;
    }

    /// The held stream of this number.
    pub(super) fn held_stream(&self, index: usize) -> Arc<HeldStream<Double<EACH>>> {
        Arc::clone(&lock(&self.raw.streams)[index])
    }

    /// An event that others made, of the driver's or with nothing to record, whose latest record ends with a gate.
    pub(super) fn foreign_event(&self, is_native: bool, gate: Point) -> Event {
        let native = is_native.then_some(EventDouble);
        let foreign = ForeignDouble { device: self.device.clone(), native, gate };
        Event::foreign(EventOptions::new(), Arc::new(foreign))
    }

    /// Lets go of the streams that this bench keeps itself.
    pub(super) fn forget_streams(&self) {
        lock(&self.raw.streams).clear();
    }

    /// The driver has come to this value of a stream, the last that it was given; then the crew runs.
    pub(super) fn finish(&self, stream: &Arc<HeldStream<Double<EACH>>>, value: u64) {
        let kept = lock(&stream.driver().on_its_way).take();
        stream.complete(value);
        drop(kept);
        self.run();
    }

    /// The driver has come to this value of a stream; then the crew runs.
    pub(super) fn complete(&self, index: usize, value: u64) {
        self.held_stream(index).complete(value);
        self.run();
    }

    /// Pumps until nobody is roused.
    pub(super) fn run(&self) {
        while let Some(stream) = self.raw.steps.take() {
            stream.pump();
        }
    }

    /// Waits until the driver was given this, by another thread.
    #[track_caller]
    pub(super) fn await_given(&self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !lock(&self.raw.notes.given).iter().any(|given| given == words) {
            assert!(Instant::now() < deadline, "the driver was never given {words}");
            std::thread::yield_now();
        }
    }

    /// Pumps one stream, if one is roused.
    pub(super) fn run_one(&self) -> bool {
        self.raw.steps.take().map(Pump::pump).is_some()
    }

    /// The driver refuses the next submission.
    pub(super) fn refuse_next(&self, words: &str) {
        self.refuse_after(0, words);
    }

    /// The driver refuses a submission, once it has taken so many others.
    pub(super) fn refuse_after(&self, others: u32, words: &str) {
        *lock(&self.raw.notes.refusal) = Some((others, Error::new(Kind::Driver, words)));
    }

    /// The next submission tells when it has begun, and goes on when it is told to.
    pub(super) fn pause_next(&self) -> (Receiver<()>, Sender<()>) {
        let ((begun, has_begun), (go_on, goes_on)) = (mpsc::channel(), mpsc::channel());
        *lock(&self.raw.notes.pause) = Some((begun, goes_on));
        (has_begun, go_on)
    }

    /// The device is lost.
    pub(super) fn lose(&self) {
        let error = Error::new(Kind::DeviceLost, "the double is lost; open it anew");
        self.raw.domain.lose(|_| true, &error);
    }

    /// What the driver was given since the last look.
    pub(super) fn given(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.raw.notes.given))
    }

    /// What the driver was asked to notice since the last look.
    pub(super) fn expected(&self) -> Vec<(u64, u64)> {
        std::mem::take(&mut *lock(&self.raw.notes.expected))
    }

    /// Panics unless the driver was given exactly this since the last look.
    #[track_caller]
    pub(super) fn assert_given(&self, expected: &[&str]) {
        assert_eq!(self.given(), expected);
    }
}
