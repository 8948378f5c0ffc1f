//! A driver that notes what it is given and completes nothing by itself.

mod event;
mod notes;
mod places;

use std::any::Any;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use event::EventDouble;
use notes::Notes;
use places::Places;

use crate::capabilities::{Capabilities, PriorityRange};
use crate::contract::{
    Captured, Line, Memory, NativeEvent, RawBuffer, RawDevice, RawStream, Stamp, Time,
};
use crate::device::Device;
use crate::error::{Error, Kind, Result};
use crate::event_options::EventOptions;
use crate::hold::{Domain, Driver, HeldStream, Need, Operation};
use crate::stream::Stream;
use crate::sync::{Mutex, lock};
use crate::time::Clock;
use crate::timeline::Timeline;

use super::{again, room::Room, steps::Steps};

/// The driver's side of a stream. `EACH`: every operation signals, as with a counter driver. `KEEPS`: it keeps what a fill or a
/// copy works on. `DEFERS`: it gives the device a wait with whatever comes behind it.
#[derive(Debug)]
pub(super) struct Double<const EACH: bool, const KEEPS: bool = EACH, const DEFERS: bool = false> {
    notes: Arc<Notes>,
    /// Which stream of the bench it is, from 0.
    index: u64,
    calls: Mutex<u64>,
    native: Option<u64>,
    places: Places,
    /// The stream, while something of it is on its way.
    on_its_way: Mutex<Option<Arc<HeldStream<Self>>>>,
}

impl<const EACH: bool, const KEEPS: bool, const DEFERS: bool> Double<EACH, KEEPS, DEFERS> {
    /// What was given last was a wait for the stream that was waited for last.
    pub(super) fn note_again(&self) {
        if let Some(latest) = lock(&self.notes.given).last_mut() {
            latest.push_str(" again");
        }
    }

    /// The places that the stream has of the driver's room.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// Nothing is on its way any more.
    pub(super) fn forget(&self) {
        let kept = lock(&self.on_its_way).take();
        drop(kept);
    }
}

impl<const EACH: bool, const KEEPS: bool, const DEFERS: bool> Driver
    for Double<EACH, KEEPS, DEFERS>
{
    type Timer = Arc<Stamp>;
    type Latch = u64;
    type Ordered = Option<Weak<dyn Any + Send + Sync>>;

    const SIGNALS_EACH: bool = EACH;
    const KEEPS: bool = KEEPS;
    const DEFERS_WAITS: bool = DEFERS;
    const WAITS_AGAIN: bool = !EACH;

    fn ordered(&self) -> Self::Ordered {
        None
    }

    fn wait(
        stream: &HeldStream<Self>,
        awaited: &mut Self::Ordered,
        _value: u64,
        (other, of_other): (&Arc<HeldStream<Self>>, u64),
    ) -> Result<()> {
        again::wait(stream, awaited, other, of_other)
    }

    fn wait_again(
        stream: &HeldStream<Self>,
        awaited: &mut Self::Ordered,
        of_other: u64,
    ) -> Option<Result<()>> {
        again::wait_again(stream, awaited.as_ref(), of_other)
    }

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

    fn has_room(&self) -> bool {
        self.notes.room.is_there()
    }

    fn take_room(&self, _need: Need) -> bool {
        let is_there = self.notes.room.is_there();
        if is_there {
            self.places.take();
        }
        is_there
    }

    fn leave_room(&self) {
        self.places.leave();
    }

    fn keep_room(&self) {
        self.places.keep();
    }

    fn use_room(&self) {
        self.places.use_kept();
    }

    fn wait_for_room(&self, _: Need, _: Option<Instant>, _: &mut Line) -> Result<()> {
        self.notes.room.wait();
        Ok(())
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        let stamp = Arc::new(Stamp::default());
        Ok((Arc::clone(&stamp), Time::Stamp(stamp)))
    }

    fn act(
        stream: &Arc<HeldStream<Self>>,
        _value: u64,
        act: &(dyn Any + Send + Sync),
    ) -> Result<()> {
        let notes = &stream.driver().notes;
        notes.refuse()?;
        let words: &&str = act.downcast_ref().expect("an act of the double's");
        lock(&notes.given).push((*words).to_owned());
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

    fn drive(stream: &Arc<HeldStream<Self>>, _value: u64, sleeper: &Waker) {
        // As of the waker of nobody, of which a program may have several tables.
        *lock(&stream.driver().notes.spun) |= sleeper.data().is_null();
    }

    fn is_lost(&self) -> bool {
        *lock(&self.notes.lost)
    }

    fn calls(&self) -> u64 {
        *lock(&self.calls)
    }
}

/// A device over the double, and everything to move it by hand.
#[derive(Debug)]
pub(super) struct Bench<const EACH: bool, const KEEPS: bool = EACH, const DEFERS: bool = false> {
    device: Device,
    raw: Arc<Raw<EACH, KEEPS, DEFERS>>,
}

#[derive(Debug)]
struct Raw<const EACH: bool, const KEEPS: bool, const DEFERS: bool> {
    steps: Arc<Steps>,
    notes: Arc<Notes>,
    domain: Arc<Domain<Double<EACH, KEEPS, DEFERS>>>,
    streams: Mutex<Vec<Arc<HeldStream<Double<EACH, KEEPS, DEFERS>>>>>,
    native: Option<u64>,
}

impl<const EACH: bool, const KEEPS: bool, const DEFERS: bool> Raw<EACH, KEEPS, DEFERS> {
    fn driver(&self) -> Double<EACH, KEEPS, DEFERS> {
        let notes = Arc::clone(&self.notes);
        let index = lock(&self.streams).len() as u64;
        let (native, on_its_way) = (self.native, Mutex::new(None));
        let (calls, places) = (Mutex::new(0), Places::default());
        Double { notes, index, calls, native, places, on_its_way }
    }

    fn add(&self, stream: Arc<HeldStream<Double<EACH, KEEPS, DEFERS>>>) -> Arc<dyn RawStream> {
        lock(&self.streams).push(Arc::clone(&stream));
        stream
    }
}

impl<const EACH: bool, const KEEPS: bool, const DEFERS: bool> RawDevice
    for Raw<EACH, KEEPS, DEFERS>
{
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
        self.domain.shut_down("the double", |_| true, deadline)
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
        Self::of(native)
    }
}

impl Bench<true, true, true> {
    /// A bench whose driver defers waits.
    pub(super) fn deferring() -> Self {
        Self::of(None)
    }
}

impl Bench<true, false> {
    /// A bench whose driver keeps nothing.
    pub(super) fn keeping_nothing() -> Self {
        Self::of(None)
    }
}

impl<const EACH: bool, const KEEPS: bool, const DEFERS: bool> Bench<EACH, KEEPS, DEFERS> {
    fn of(native: Option<u64>) -> Self {
        let steps = Arc::new(Steps::default());
        let raw = Arc::new(Raw {
            steps: Arc::clone(&steps),
            notes: Arc::default(),
            domain: Domain::bounded(steps, BOUND),
            streams: Mutex::default(),
            native,
        });
        let of_device: Arc<dyn RawDevice> = Arc::<Raw<EACH, KEEPS, DEFERS>>::clone(&raw);
        let capabilities = Capabilities::new(PriorityRange::new(0, 0));
        let capabilities = capabilities.with_timing().with_native_handles().with_external();
        let clock = Clock::new("double", Duration::from_nanos(1));
        Self { device: Device::new("double:0", of_device, (capabilities, clock)), raw }
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    pub(super) fn stream(&self) -> Stream {
        self.device.stream().expect("a stream")
    }

    /// A stream that others made.
    pub(super) fn borrowed(&self) -> Stream {
        self.borrowed_beside(|_| ()).expect("a borrowed stream")
    }

    /// The same, while this is done with the device.
    pub(super) fn borrowed_beside(&self, act: impl FnOnce(&Device)) -> Result<Stream> {
        let raw = &self.raw;
        self.device.stream_of(None, 0, |timeline| {
            act(&self.device);
            Ok(raw.add(HeldStream::borrowed(timeline, &raw.domain, raw.driver(), 0)))
        })
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

    /// The driver's room for what streams are given.
    pub(super) fn room(&self) -> &Room {
        &self.raw.notes.room
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
    pub(super) fn held_stream(&self, index: usize) -> Arc<HeldStream<Double<EACH, KEEPS, DEFERS>>> {
        Arc::clone(&lock(&self.raw.streams)[index])
    }

    /// Lets go of the streams that this bench keeps itself.
    pub(super) fn forget_streams(&self) {
        lock(&self.raw.streams).clear();
    }

    /// The driver has come to this value of a stream, the last that it was given; then the crew runs.
    pub(super) fn finish(&self, stream: &Arc<HeldStream<Double<EACH, KEEPS, DEFERS>>>, value: u64) {
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
        while self.raw.steps.pump_one() {}
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
        self.raw.steps.pump_one()
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
        self.lose_untold();
        let error = Error::new(Kind::DeviceLost, "the double is lost; open it anew");
        self.raw.domain.lose(|_| true, &error);
    }

    /// The device is lost, and no stream has heard of it yet.
    pub(super) fn lose_untold(&self) {
        *lock(&self.raw.notes.lost) = true;
    }

    /// What the driver was given since the last look.
    pub(super) fn given(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.raw.notes.given))
    }

    /// What the driver was asked to notice since the last look.
    pub(super) fn expected(&self) -> Vec<(u64, u64)> {
        std::mem::take(&mut *lock(&self.raw.notes.expected))
    }

    /// Whether a wait has spun since the last look.
    pub(super) fn has_spun(&self) -> bool {
        std::mem::take(&mut *lock(&self.raw.notes.spun))
    }

    /// Panics unless the driver was given exactly this since the last look.
    #[track_caller]
    pub(super) fn assert_given(&self, expected: &[&str]) {
        assert_eq!(self.given(), expected);
    }
}
