//! Devices: what runs work, and the parent of its streams.

mod streams;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::{Process, watch_exit};
use syncpoint_trace::{Call, Outcome};

use crate::buffer::Buffer;
use crate::capabilities::{Capabilities, PriorityRange};
use crate::contract::{RawDevice, RawStream};
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::event_options::EventOptions;
use crate::exit;
use crate::inherited;
use crate::ipc::IpcHandle;
use crate::place::Place;
use crate::stream::{Stream, StreamOptions};
use crate::synchronize;
use crate::time::Clock;
use crate::timeline::Timeline;
use crate::wait::{self, How, Wait};

pub(crate) use streams::Listed;
use streams::Streams;

/// A device, such as `host:0`. Cloning copies the name; two devices are equal when they are the same.
#[derive(Clone)]
pub struct Device(Arc<Inner>);

struct Inner {
    name: String,
    raw: Arc<dyn RawDevice>,
    streams: Arc<Streams>,
    /// The process that opened it.
    process: Process,
}

impl Device {
    /// A device of a backend, under a name such as `host:0`.
    #[doc(hidden)]
    pub fn new(name: impl Into<String>, raw: Arc<dyn RawDevice>) -> Self {
        watch_exit();
        let (name, streams, process) = (name.into(), Arc::default(), Process::current());
        Self(Arc::new(Inner { name, raw, streams, process }))
    }

    /// Refuses a device that a fork left with the parent, for backends.
    ///
    /// # Errors
    /// `Unavailable`: it was opened before the fork.
    #[doc(hidden)]
    pub fn check_process(&self) -> Result<()> {
        inherited::check(self.0.process, self)
    }

    /// The name, such as `host:0`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What the device can do. Makes no driver call.
    pub fn capabilities(&self) -> &Capabilities {
        self.0.raw.capabilities()
    }

    /// The priorities of its streams.
    pub fn priority_range(&self) -> PriorityRange {
        self.capabilities().priorities
    }

    /// The clock that stamps timed points.
    pub fn clock(&self) -> &Clock {
        self.0.raw.clock()
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
        self.check_process()?;
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
        self.check_process()?;
        let timeline = Timeline::for_stream(name);
        let raw = build(timeline.clone())?;
        timeline.adopt(&raw, self.0.streams.list(&timeline));
        Ok(Stream::new(raw, timeline, self.clone(), priority))
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
            return Ok(Event::foreign(options, self.0.raw.external_event(self, options)?));
        }
        Ok(Event::of(self.clone(), options))
    }

    /// The event of another process, which exported it there ([`Event::export`]): for streams of any device to wait
    /// for, and for the host. Only its own process records it. May block for the file system.
    ///
    /// Streams wait for it through the host: a thread of ours here hears what becomes of the record. Between CUDA devices
    /// that were both opened with `device_gates` they wait on the device instead, for words that the other device writes;
    /// so they do with `syncpoint::cuda::open_event`, without gates, but with a duty that safe code cannot keep.
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
        self.check_process()?;
        let raw = self.0.raw.buffer(bytes)?;
        Ok(Buffer::new(raw, self.clone(), bytes))
    }

    /// Waits until everything enqueued so far on every stream of the device is complete. Runs no work on this thread.
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

    /// Lets running work end until the deadline, on threads that synchronize too, and starts nothing that is still
    /// queued: its points fail at once. A gate that a stream was to open behind running work fails when that ends. For
    /// programs that want their work done before they exit: synchronize first, then shut down.
    ///
    /// # Errors
    /// `TimedOut` when work still ran at the deadline. `Unavailable` on the thread that brings the process to its end: what
    /// is queued has failed, and what runs is not waited for.
    pub fn shutdown(&self, timeout: Duration) -> Result<()> {
        self.check_process()?;
        let now = Instant::now();
        // A deadline that no clock can tell is a day: a shutdown that takes longer is no shutdown.
        let deadline = now.checked_add(timeout).unwrap_or(now + Duration::from_secs(24 * 60 * 60));
        let error =
            Error::failed(format!("{self} was shut down before this was run; synchronize first"));
        for (stream, _) in self.0.streams.alive() {
            stream.cancel(&error);
        }
        // Workers that come to something of the user's rest while the process exits, and never leave.
        if let Some(refusal) = exit::refusal() {
            return Err(refusal);
        }
        self.0.raw.shutdown(deadline)
    }

    /// The backend's own device, for the backend.
    #[doc(hidden)]
    pub fn raw(&self) -> &Arc<dyn RawDevice> {
        &self.0.raw
    }
}

/// How a wait ended, as observers hear it.
pub(crate) fn outcome_of(outcome: &Result<()>) -> Outcome {
    match outcome.as_ref().map_err(Error::kind) {
        Ok(()) => Outcome::Complete,
        Err(Kind::TimedOut) => Outcome::TimedOut,
        Err(Kind::Misuse(crate::Reason::WouldDeadlock)) => Outcome::Refused,
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
