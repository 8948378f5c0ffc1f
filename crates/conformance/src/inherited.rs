//! What a child inherits: one object of each kind, and what each of them answers there.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use syncpoint::{
    Buffer, Device, Error, Event, EventOptions, EventPool, EventState, Gate, IpcHandle, Kind, Loan,
    Notification, Result, State, Stream, StreamPool, TimedPoint, Wait, wait_all, wait_any,
};

use crate::bed::TestBed;
use crate::patience::{PATIENCE, heard, say};
use crate::waiters;

/// A notification, and what pools have lent.
type SpentOnce = (Notification, Loan<Event>, Loan<Stream>);

/// Objects of a process that is about to fork.
#[derive(Debug)]
pub(crate) struct Inherited {
    device: Device,
    pub(crate) stream: Arc<Stream>,
    pub(crate) gate: Arc<Gate>,
    point: TimedPoint,
    event: Arc<Event>,
    buffer: Buffer,
    events: EventPool,
    streams: StreamPool,
    /// Where the device has such: an event that was exported, and its handle.
    exported: Option<(Event, IpcHandle)>,
    /// What a call uses up. Each child takes them out of its own copy.
    spent_once: RefCell<Option<SpentOnce>>,
}

impl Inherited {
    /// A stream that is held by the gate, and what hangs on it.
    pub(crate) fn new(bed: &TestBed, stream: Stream, gate: Gate) -> Result<Self> {
        let device = bed.device().clone();
        let event = device.event_with(EventOptions::timed())?;
        event.record(&stream)?;
        let (point, events, streams) =
            (stream.record_timed()?, EventPool::new(), StreamPool::new(&device));
        let lent = (events.event(&device, EventOptions::new())?, streams.stream(0)?);
        let spent_once = (point.notify(drop)?, lent.0, lent.1);
        Ok(Self {
            point,
            gate: Arc::new(gate),
            event: Arc::new(event),
            buffer: device.buffer(16)?,
            events,
            streams,
            exported: exported(&device, &stream)?,
            spent_once: RefCell::new(Some(spent_once)),
            stream: Arc::new(stream),
            device,
        })
    }

    /// In a child: every call answers, at once, that the object stayed with the parent.
    pub(crate) fn assert_stayed(&self) {
        self.assert_device_stayed();
        self.assert_stream_stayed();
        self.assert_point_stayed();
        self.assert_event_stayed();
        self.assert_exported_stayed();
        self.assert_spent_stayed();
        for (call, outcome) in [
            ("Gate::open", self.gate.open()),
            ("Gate::fail", self.gate.fail(Error::failed("on purpose"))),
            ("Buffer::to_vec", self.buffer.to_vec(0..16).map(drop)),
            ("Buffer::write", self.buffer.write(0, &[1])),
            ("EventPool::event", self.events.event(&self.device, EventOptions::new()).map(drop)),
            ("StreamPool::stream", self.streams.stream(0).map(drop)),
            ("StreamPool::warm_up", self.streams.warm_up(0, 1)),
        ] {
            assert_refused(call, &outcome);
        }
        self.events.empty_cache();
        assert_eq!(self.streams.statistics().in_use, 0);
    }

    fn assert_device_stayed(&self) {
        let device = &self.device;
        for (call, outcome) in [
            ("Device::stream", device.stream().map(drop)),
            ("Device::buffer", device.buffer(1).map(drop)),
            ("Device::event_with", device.event_with(EventOptions::new()).map(drop)),
            ("Device::synchronize", device.synchronize()),
            ("Device::synchronize_timeout", device.synchronize_timeout(PATIENCE)),
            ("Device::record_all", device.record_all().map(drop)),
            ("Device::shutdown", device.shutdown(PATIENCE)),
        ] {
            assert_refused(call, &outcome);
        }
    }

    fn assert_stream_stayed(&self) {
        let (stream, gate) = (&self.stream, Gate::new());
        for (call, outcome) in [
            ("Stream::enqueue", stream.enqueue(|| ())),
            ("Stream::submit", stream.submit(|_| ())),
            ("Stream::delay", stream.delay(Duration::ZERO)),
            ("Stream::fill", stream.fill(&self.buffer, 0..16, 1)),
            ("Stream::record", stream.record().map(drop)),
            ("Stream::record_timed", stream.record_timed().map(drop)),
            ("Stream::wait", stream.wait(&self.point)),
            ("Stream::wait_event", stream.wait_event(&self.event)),
            ("Stream::wait_stream", stream.wait_stream(stream)),
            ("Stream::open", stream.open(&gate)),
            ("Stream::synchronize", stream.synchronize()),
            ("Stream::synchronize_timeout", stream.synchronize_timeout(PATIENCE)),
            ("Stream::query", stream.query().map(drop)),
            ("Stream::recover", stream.recover().map(drop)),
            ("Stream::failure", stream.failure().map_or(Ok(()), Err)),
        ] {
            assert_refused(call, &outcome);
        }
        assert_eq!(stream.statistics(), syncpoint::Statistics::default());
    }

    fn assert_point_stayed(&self) {
        let point = self.point.point();
        for (call, outcome) in [
            ("Point::query", point.query().map(drop)),
            ("Point::synchronize", point.synchronize()),
            ("Point::synchronize_timeout", point.synchronize_timeout(PATIENCE)),
            ("Point::synchronize_with", point.synchronize_with(Wait::Spin, None)),
            ("Point::await", waiters::block_on(point.into_future())),
            ("TimedPoint::elapsed_since", self.point.elapsed_since(&self.point).map(drop)),
            ("wait_all", wait_all(&[point.clone(), point.clone()])),
            ("wait_any", wait_any(std::slice::from_ref(point)).and_then(|first| first.outcome)),
            (
                "wait_any of two",
                wait_any(&[point.clone(), point.clone()]).and_then(|first| first.outcome),
            ),
        ] {
            assert_refused(call, &outcome);
        }
        assert!(matches!(point.state(), State::Failed(_)), "{point:?}");
    }

    fn assert_event_stayed(&self) {
        let event = &self.event;
        for (call, outcome) in [
            ("Event::record", event.record(&self.stream)),
            ("Event::record_once", event.record_once(&self.stream)),
            ("Event::query", event.query().map(drop)),
            ("Event::query_recorded", event.query_recorded().map(drop)),
            ("Event::synchronize", event.synchronize()),
            ("Event::awaited", event.awaited().map(drop)),
            ("Event::point", event.point().map(drop)),
            ("Event::elapsed_since", event.elapsed_since(event).map(drop)),
            ("Event::notify", event.notify(drop).map(drop)),
            ("Event::await", waiters::block_on(event.into_future())),
        ] {
            assert_refused(call, &outcome);
        }
        assert!(matches!(event.state(), EventState::Failed(_)), "{event:?}");
        assert!(format!("{event:?}").ends_with("inherited by a fork)"), "{event:?}");
    }

    fn assert_exported_stayed(&self) {
        let Some((event, handle)) = &self.exported else { return };
        for (call, outcome) in [
            ("Event::export", event.export().map(drop)),
            ("Event::record of an exported one", event.record(&self.stream)),
            ("Event::query of an exported one", event.query().map(drop)),
            ("Device::import_event", self.device.import_event(handle).map(drop)),
        ] {
            assert_refused(call, &outcome);
        }
    }

    fn assert_spent_stayed(&self) {
        let spent = self.spent_once.take().expect("a child spends them once");
        let (notification, event, stream) = spent;
        assert!(!notification.cancel(), "the callback is the parent's");
        drop((event, stream));
    }

    /// In a child: what is retired there is held by nothing that was inherited, and holds nobody up.
    fn assert_child_can_retire(&self) -> Result<()> {
        let (sender, receiver) = channel();
        syncpoint::retire((), [self.point.point().clone()])?;
        let gate = Gate::new();
        gate.point().notify(move |outcome| say(&sender, outcome))?;
        gate.open()?;
        heard(&receiver, "a callback in a child")
    }

    /// In a child: a device that is opened there works, and waits for nothing that was inherited.
    pub(crate) fn assert_child_can_work(&self, bed: &TestBed) {
        let outcome = bed.open_in_child().and_then(|device| {
            let stream = device.stream()?;
            assert_refused("Stream::wait for what was inherited", &stream.wait(&self.point));
            stream.enqueue(|| ())?;
            let (end, gate) = (stream.record_timed()?, Gate::new());
            stream.wait(&gate.point())?;
            let behind = stream.record()?;
            gate.open()?;
            wait_all(&[end.point().clone(), behind])?;
            self.assert_child_can_retire()
        });
        assert!(outcome.is_ok(), "a device opened in a child works: {outcome:?}");
    }
}

fn exported(device: &Device, stream: &Stream) -> Result<Option<(Event, IpcHandle)>> {
    if !device.capabilities().interprocess {
        return Ok(None);
    }
    let event = device.event_with(EventOptions::builder().interprocess().build()?)?;
    event.record(stream)?;
    let handle = event.export()?;
    Ok(Some((event, handle)))
}

#[track_caller]
fn assert_refused<T: Debug>(call: &str, outcome: &Result<T>) {
    let kind = outcome.as_ref().map_err(Error::kind);
    assert!(matches!(kind, Err(Kind::Unavailable)), "{call} in a child: {outcome:?}");
}

/// A thread that takes the locks of inherited objects all the time, so that a fork finds them held.
#[derive(Debug)]
pub(crate) struct Busybody {
    enough: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Busybody {
    /// Begins to use the objects.
    pub(crate) fn with(inherited: &Inherited) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let (stream, event) = (Arc::clone(&inherited.stream), Arc::clone(&inherited.event));
        let (events, streams) = (inherited.events.clone(), inherited.streams.clone());
        let (device, until) = (inherited.device.clone(), Arc::clone(&enough));
        let thread = thread::spawn(move || {
            // Relaxed: a sign, ordered with nothing.
            while !until.load(Ordering::Relaxed) {
                stream.statistics();
                let _answers = (event.query(), stream.failure(), format!("{event:?}"));
                let _lent = (events.event(&device, EventOptions::new()), streams.stream(0));
                let _watch = syncpoint::observe(|_: &syncpoint::trace::Record| ());
                let _late = stream.synchronize_timeout(Duration::from_micros(1));
            }
        });
        Self { enough, thread }
    }

    /// Ends the thread.
    pub(crate) fn end(self) {
        // Relaxed: as above.
        self.enough.store(true, Ordering::Relaxed);
        self.thread.join().expect("the thread that takes locks ends");
    }
}
