//! Devices: what runs work, and the parent of its streams.

mod streams;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::{Process, watch_exit};
use syncpoint_trace::{Call, Outcome};

use crate::buffer::Buffer;
use crate::capabilities::{Capabilities, PriorityRange};
use crate::contract::{RawDevice, RawStream};
use crate::error::{Error, Kind, Reason, Result};
use crate::event::Event;
use crate::event_options::EventOptions;
use crate::exit;
use crate::inherited;
use crate::ipc::IpcHandle;
use crate::place::Place;
use crate::point::Point;
use crate::stream::{Stream, StreamOptions};
use crate::sync::process::{AtomicBool, Ordering};
use crate::synchronize;
use crate::time::Clock;
use crate::timeline::Timeline;
use crate::untold;
use crate::wait::{self, How, Wait};

pub(crate) use streams::Listed;
use streams::Streams;

/// A device, such as `host:0`. Cloning copies the name; two devices are equal when they are the same.
#[derive(Clone)]
pub struct Device(Arc<Inner>);

struct Inner {
    name: String,
    raw: Arc<dyn RawDevice>,
    capabilities: Capabilities,
    clock: Clock,
    streams: Arc<Streams>,
    /// The process that opened it.
    process: Process,
    /// Whether it was shut down.
    is_closed: AtomicBool,
}

impl Device {
    /// A device of a backend, under a name such as `host:0`: what it can do, and the clock that stamps its timed points, which
    /// never change.
    #[doc(hidden)]
    pub fn new(
        name: impl Into<String>,
        raw: Arc<dyn RawDevice>,
        (capabilities, clock): (Capabilities, Clock),
    ) -> Self {
        watch_exit();
        Self(Arc::new(Inner {
            name: name.into(),
            raw,
            capabilities,
            clock,
            streams: Arc::default(),
            process: Process::current(),
            is_closed: AtomicBool::new(false),
        }))
    }

    /// Refuses a device that a fork left with the parent, for backends.
    ///
    /// # Errors
    /// `Unavailable`: it was opened before the fork.
    #[doc(hidden)]
    pub fn check_process(&self) -> Result<()> {
        inherited::check(self.0.process, self)
    }

    /// The backend's device, to make something there.
    ///
    /// # Errors
    /// `Unavailable`: it was opened before a fork, or was shut down.
    pub(crate) fn maker(&self) -> Result<&dyn RawDevice> {
        self.check_process()?;
        if self.is_closed() {
            return Err(self.closed());
        }
        Ok(self.0.raw.as_ref())
    }

    #[cold]
    fn closed(&self) -> Error {
        Error::new(Kind::Unavailable, format!("{self} was shut down; open it again"))
    }

    /// Whether it was shut down: who keeps devices for others gives this one to nobody any more.
    #[doc(hidden)]
    pub fn is_closed(&self) -> bool {
        // Relaxed: a call beside the shutdown may come before it.
        self.0.is_closed.load(Ordering::Relaxed)
    }

    /// Whether it is of use no more, since it was shut down or is lost: who keeps devices for others gives another by its
    /// name. Asks no driver.
    #[doc(hidden)]
    pub fn is_spent(&self) -> bool {
        self.is_closed() || self.0.raw.is_lost()
    }

    /// The name, such as `host:0`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What the device can do. Makes no driver call.
    pub fn capabilities(&self) -> &Capabilities {
        &self.0.capabilities
    }

    /// The priorities of its streams. On Vulkan and Metal a priority orders host work alone, and does not reach the GPU.
    pub fn priority_range(&self) -> PriorityRange {
        self.capabilities().priorities
    }

    /// The clock that stamps timed points.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// A stream of the least urgent priority, distinct from every other.
    ///
    /// # Errors
    /// `Exhausted` where the driver or the machine has no room for another.
    pub fn stream(&self) -> Result<Stream> {
        self.stream_with(StreamOptions::new())
    }

    /// A stream with options.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`: the priority is outside the range; clamp it. `Exhausted` as in [`stream`](Self::stream).
    pub fn stream_with(&self, options: StreamOptions<'_>) -> Result<Stream> {
        let priority = options.priority(self.priority_range())?;
        self.stream_of(options.name(), priority, |timeline| self.0.raw.stream(timeline, priority))
    }

    /// The stream that a backend builds for a timeline: of others, or one that the driver has anyway.
    ///
    /// # Errors
    /// Those of `build`.
    #[doc(hidden)]
    pub fn stream_of<F>(&self, name: Option<&str>, priority: i32, build: F) -> Result<Stream>
    where
        F: FnOnce(Timeline) -> Result<Arc<dyn RawStream>>,
    {
        self.maker()?;
        let timeline = Timeline::for_stream(name);
        let raw = build(timeline.clone())?;
        if self.0.streams.adopt(&timeline, &raw, &self.0.is_closed) {
            return Ok(Stream::new(raw, timeline, self.clone(), priority));
        }
        // The device was shut down meanwhile.
        raw.close();
        Err(self.closed())
    }

    /// An event for use on this device, without time.
    pub fn event(&self) -> Event {
        Event::of(self.clone(), EventOptions::new())
    }

    /// An event with options.
    ///
    /// # Errors
    /// `Unsupported`: the device lacks an option; ask [`capabilities`](Self::capabilities).
    pub fn event_with(&self, options: EventOptions) -> Result<Event> {
        self.check_process()?;
        options.check(self.capabilities(), self)?;
        if options.external() {
            return Ok(Event::foreign(options, self.maker()?.external_event(self, options)?));
        }
        Ok(Event::of(self.clone(), options))
    }

    /// The event of another process, which exported it there ([`Event::export`]): for streams of any device to wait
    /// for, and for the host. Only its own process records it. May block for the file system.
    ///
    /// Streams wait through the host: a listener thread sees the record complete and releases them. Between CUDA devices
    /// that were both opened with `device_gates` they wait on the device instead, for words that the other device writes;
    /// so they do with `syncpoint::cuda::open_event`, without gates, but that call is `unsafe`. Linux 5.16 or later.
    ///
    /// # Errors
    /// `Misuse(StaleHandle)`: the handle is no handle, or was made before the machine was started. `Failed`: the event
    /// is gone, or its process. `Unsupported` where the machine or the device cannot.
    pub fn import_event(&self, handle: &IpcHandle) -> Result<Event> {
        Event::import(self, handle)
    }

    /// Memory of the device, filled with zeros.
    ///
    /// # Errors
    /// `Exhausted` when there is not enough.
    pub fn buffer(&self, bytes: u64) -> Result<Buffer> {
        let raw = self.maker()?.buffer(bytes)?;
        Ok(Buffer::new(raw, self.clone(), bytes))
    }

    /// Memory of the host that the device reaches by itself (*pinned*, in CUDA's word), filled with zeros. Streams of the
    /// device fill it and copy it to and from the device's own memory in their order, and neither side waits for the other;
    /// [`write`](Buffer::write) and [`to_vec`](Buffer::to_vec) ask no driver. It is dearer to make than other memory, and
    /// the machine has less of it: make it once and use it often. Where host and device share their memory it is as any
    /// [`buffer`](Self::buffer).
    ///
    /// # Errors
    /// `Exhausted` when there is not enough; `Unsupported` where the driver cannot.
    ///
    /// # Examples
    /// To the device and back, behind one another, without a wait in between:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let device = syncpoint::open("host:0")?;
    /// let stream = device.stream()?;
    /// let (input, output) = (device.host_buffer(4)?, device.host_buffer(4)?);
    /// let memory = device.buffer(4)?;
    /// input.write(0, &[1, 2, 3, 4])?;
    /// stream.copy(&input, 0..4, &memory, 0..4)?;
    /// stream.copy(&memory, 0..4, &output, 0..4)?;
    /// stream.synchronize()?;
    /// assert_eq!(output.to_vec(0..4)?, [1, 2, 3, 4]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn host_buffer(&self, bytes: u64) -> Result<Buffer> {
        let raw = self.maker()?.host_buffer(bytes)?;
        Ok(Buffer::new(raw, self.clone(), bytes))
    }

    /// Waits until everything enqueued so far on every stream of the device is complete, those of other users of the device
    /// in this process included. Runs no work on this thread.
    ///
    /// # Errors
    /// The first failure in the order in which the streams were made; the other streams are waited for all the same.
    /// `Misuse(WouldDeadlock)` from inside work of the device.
    #[track_caller]
    pub fn synchronize(&self) -> Result<()> {
        let place = Place::caller();
        self.wait(How::chosen(Wait::NoHelp, None, place), place)
    }

    /// The same for at most this long altogether.
    ///
    /// # Errors
    /// As [`synchronize`](Self::synchronize), and `TimedOut` with the report of the first stream that was late.
    #[track_caller]
    pub fn synchronize_timeout(&self, timeout: Duration) -> Result<()> {
        let place = Place::caller();
        self.wait(How::timeout(timeout, place), place)
    }

    /// Records the end of everything enqueued so far on every stream of the device, in the order in which the streams were
    /// made. What [`synchronize`](Self::synchronize) waits for, for waits that are made of many short ones: the points stay
    /// those of this moment, whatever is enqueued meanwhile.
    ///
    /// # Errors
    /// `Unavailable`: the device was opened before this process was forked.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let device = syncpoint::open("host:0")?;
    /// let stream = device.stream()?;
    /// stream.enqueue(|| { /* work */ })?;
    /// syncpoint::wait_all(&device.record_all()?)?;
    /// assert!(stream.query()?);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn record_all(&self) -> Result<Vec<Point>> {
        self.record_all_at(Place::caller())
    }

    /// The same, asked for somewhere else.
    pub(crate) fn record_all_at(&self, place: Place) -> Result<Vec<Point>> {
        self.check_process()?;
        Ok(self.0.streams.points(place))
    }

    /// One wait, as observers hear it, whatever the number of streams.
    fn wait(&self, how: How, place: Place) -> Result<()> {
        self.check_process()?;
        let call = || Call::Device { device: self.name().to_owned() };
        synchronize::told(call, || {
            let points = self.0.streams.points(place);
            let outcomes = points.iter().map(|point| wait::synchronize(point, &how));
            // All are waited for before the first failure is given.
            let outcomes: Vec<Result<()>> = outcomes.collect();
            outcomes.into_iter().find(Result::is_err).unwrap_or(Ok(()))
        })
    }

    /// Ends the device for **everybody in the process**: who opened the same name has this very device, and loses what is
    /// queued on it. So it is for `main`, and not for libraries.
    ///
    /// Lets running work end until the deadline, on threads that synchronize too, and starts nothing that is still
    /// queued: its points fail at once. A gate that a stream was to open behind running work fails when that ends. For
    /// programs that want their work done before they exit: synchronize first, then shut down. From then on the device makes
    /// no streams, buffers, imports or events with a handle of their own: they are refused with `Unavailable`, and an event that
    /// is exported goes without the driver's part. A stream of others that is one for several devices
    /// (`cuda::borrow`) ends with the device with which it came first.
    ///
    /// # Errors
    /// `TimedOut` when work still ran at the deadline. `Unavailable` on the thread that brings the process to its end: what
    /// is queued has failed, and what runs is not waited for.
    pub fn shutdown(&self, timeout: Duration) -> Result<()> {
        self.check_process()?;
        // Relaxed: as in `is_closed`; with a stream that is being made the lock of the list orders it.
        self.0.is_closed.store(true, Ordering::Relaxed);
        let now = Instant::now();
        // A deadline that no clock can tell is a day: a shutdown that takes longer is no shutdown.
        let deadline = now.checked_add(timeout).unwrap_or(now + Duration::from_secs(24 * 60 * 60));
        let error =
            Error::failed(format!("{self} was shut down before this was run; synchronize first"));
        // All have failed before anybody is told: a waker of the user's may wait for another of them.
        let streams = self.0.streams.alive().into_iter();
        untold::tell_all(streams.filter_map(|(stream, _)| stream.cancel(&error)));
        // Workers that come to something of the user's rest while the process exits, and never leave.
        if let Some(refusal) = exit::refusal() {
            return Err(refusal);
        }
        self.0.raw.shutdown(deadline)
    }

    /// The backend's own device, for the backend whose type it is. `family` and `one`: what such devices are called, and
    /// the name of one.
    ///
    /// # Errors
    /// `Misuse(WrongDevice)`: it is another backend's. `Unavailable`: it was opened before the fork.
    #[doc(hidden)]
    pub fn of_backend<D: RawDevice>(&self, family: &str, one: &str) -> Result<&D> {
        self.check_process()?;
        let raw: &dyn Any = self.0.raw.as_ref();
        raw.downcast_ref().ok_or_else(|| {
            let message = format!("{self} is no device of {family}; open one, such as {one}");
            Error::misuse(Reason::WrongDevice, message)
        })
    }
}

/// How a wait ended, as observers hear it.
pub(crate) fn outcome_of(outcome: &Result<()>) -> Outcome {
    match outcome.as_ref().map_err(Error::kind) {
        Ok(()) => Outcome::Complete,
        Err(Kind::TimedOut) => Outcome::TimedOut,
        Err(Kind::Misuse(Reason::WouldDeadlock)) => Outcome::Refused,
        Err(_) => Outcome::Failed,
    }
}

impl PartialEq for Device {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.raw, &other.0.raw)
    }
}

impl Eq for Device {}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.name)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Device({})", self.0.name)
    }
}
