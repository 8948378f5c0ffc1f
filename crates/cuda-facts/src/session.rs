//! What most questions begin with: a context that is current, streams, events, and whether an event comes.

use std::thread;
use std::time::{Duration, Instant};

use crate::answer::{Asked, Unasked};
use crate::driver::{Code, Context, Driver, Event, Gate, Stream};

/// Events without times: what most questions need.
pub(crate) const DISABLE_TIMING: u32 = 2;
/// Streams that the legacy stream does not order.
const NON_BLOCKING: u32 = 1;

/// So long an event is watched before it counts as held back.
const WATCHED: Duration = Duration::from_millis(100);
/// So long an event may take that nothing holds back, on a machine with other work.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// The first device's primary context, current on this thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    pub(crate) driver: &'static Driver,
    pub(crate) device: i32,
    pub(crate) context: Context,
}

impl Session {
    pub(crate) fn begin(driver: &'static Driver) -> Asked<Self> {
        Self::on(driver, 0)
    }

    /// The same on another device; there may be none.
    pub(crate) fn on(driver: &'static Driver, ordinal: i32) -> Asked<Self> {
        driver.init(0)?.needed()?;
        let (mut count, mut device, mut context) = (0, 0, Context::NONE);
        driver.device_count(&mut count)?.needed()?;
        if ordinal >= count {
            return Err(Unasked::Lacking(if ordinal == 0 { "device" } else { "second device" }));
        }
        driver.device(&mut device, ordinal)?.needed()?;
        driver.primary_retain(&mut context, device)?.needed()?;
        driver.context_set(context)?.needed()?;
        Ok(Self { driver, device, context })
    }

    /// A second context of the same device; none is current afterwards but the session's own.
    pub(crate) fn other_context(self) -> Asked<Context> {
        let (mut context, mut popped) = (Context::NONE, Context::NONE);
        self.driver.context_create(&mut context, 0, self.device)?.needed()?;
        self.driver.context_pop(&mut popped)?.needed()?;
        Ok(context)
    }

    /// Does something while another context is current.
    pub(crate) fn within<T>(self, context: Context, f: impl FnOnce() -> Asked<T>) -> Asked<T> {
        let mut popped = Context::NONE;
        self.driver.context_push(context)?.needed()?;
        let result = f();
        self.driver.context_pop(&mut popped)?.needed()?;
        result
    }

    /// A stream that the legacy stream does not order.
    pub(crate) fn stream(self) -> Asked<Stream> {
        self.stream_with(NON_BLOCKING)
    }

    /// A stream that the legacy stream orders.
    pub(crate) fn blocking_stream(self) -> Asked<Stream> {
        self.stream_with(0)
    }

    fn stream_with(self, flags: u32) -> Asked<Stream> {
        let mut stream = Stream::default();
        self.driver.stream_create(&mut stream, flags)?.needed()?;
        Ok(stream)
    }

    /// An event without times.
    pub(crate) fn event(self) -> Asked<Event> {
        self.event_with(DISABLE_TIMING)
    }

    /// An event with times.
    pub(crate) fn timed_event(self) -> Asked<Event> {
        self.event_with(0)
    }

    pub(crate) fn event_with(self, flags: u32) -> Asked<Event> {
        let mut event = Event::default();
        self.driver.event_create(&mut event, flags)?.needed()?;
        Ok(event)
    }

    pub(crate) fn record(self, event: &Event, stream: &Stream) -> Asked<()> {
        self.driver.event_record(event, stream)?.needed()
    }

    pub(crate) fn wait(self, stream: &Stream, event: &Event) -> Asked<()> {
        self.driver.stream_wait(stream, event, 0)?.needed()
    }

    /// An event recorded now at the end of a stream.
    pub(crate) fn tail(self, stream: &Stream) -> Asked<Event> {
        let event = self.event()?;
        self.record(&event, stream)?;
        Ok(event)
    }

    /// Holds a stream back with host work.
    pub(crate) fn hold(self, stream: &Stream) -> Asked<Gate> {
        let gate = Gate::default();
        self.driver.host_function(stream, gate.work())?.needed()?;
        Ok(gate)
    }

    /// A stream that is held back.
    pub(crate) fn held_stream(self) -> Asked<(Stream, Gate)> {
        let stream = self.stream()?;
        let gate = self.hold(&stream)?;
        Ok((stream, gate))
    }

    /// An event recorded on a stream that is held back.
    pub(crate) fn pending_event(self) -> Asked<(Event, Gate)> {
        let (stream, gate) = self.held_stream()?;
        Ok((self.tail(&stream)?, gate))
    }

    /// An event that has come, recorded on a stream of its own.
    pub(crate) fn come_event(self) -> Asked<Event> {
        let stream = self.stream()?;
        let event = self.tail(&stream)?;
        self.settle(&event)?;
        Ok(event)
    }

    /// Whether an event waits for a gate: it does not come before, but afterwards.
    pub(crate) fn waits(self, event: &Event, gate: &Gate) -> Asked<String> {
        self.waits_until(event, || gate.open())
    }

    /// The same of whatever may hold it back.
    pub(crate) fn waits_until(self, event: &Event, release: impl FnOnce()) -> Asked<String> {
        if self.comes_within(event, WATCHED)? {
            return Ok("goes on".to_owned());
        }
        release();
        let comes = self.comes_within(event, PATIENCE)?;
        Ok(if comes { "waits" } else { "never comes" }.to_owned())
    }

    /// Whether an event comes by itself, with whatever gates there are closed.
    pub(crate) fn goes_on(self, event: &Event) -> Asked<String> {
        let comes = self.comes_within(event, PATIENCE)?;
        Ok(if comes { "goes on" } else { "waits" }.to_owned())
    }

    /// Whether an event is held back at present.
    pub(crate) fn is_held(self, event: &Event) -> Asked<String> {
        let comes = self.comes_within(event, WATCHED)?;
        Ok(if comes { "goes on" } else { "waits" }.to_owned())
    }

    /// Waits until an event has come.
    pub(crate) fn settle(self, event: &Event) -> Asked<()> {
        let comes = self.comes_within(event, PATIENCE)?;
        if comes { Ok(()) } else { Err(Unasked::Refused("an event does not come".to_owned())) }
    }

    fn comes_within(self, event: &Event, patience: Duration) -> Asked<bool> {
        let driver = self.driver;
        let query = || driver.event_query(event);
        succeeds_within(patience, query)
    }

    /// Waits until a stream has done its work.
    pub(crate) fn drain(self, stream: &Stream) -> Asked<()> {
        let event = self.tail(stream)?;
        self.settle(&event)
    }
}

/// Asks until the answer is no longer that something is not ready.
fn succeeds_within(
    patience: Duration,
    mut query: impl FnMut() -> Asked<crate::driver::Said>,
) -> Asked<bool> {
    let deadline = Instant::now() + patience;
    loop {
        let said = query()?;
        if said.code != Code::NOT_READY {
            return said.needed().map(|()| true);
        }
        if Instant::now() > deadline {
            return Ok(false);
        }
        thread::yield_now();
    }
}

/// Does something on a thread of its own, where no context is current.
pub(crate) fn on_another_thread<T: Send>(f: impl FnOnce() -> Asked<T> + Send) -> Asked<T> {
    let died = |_| Err(Unasked::Refused("the other thread died".to_owned()));
    thread::scope(|scope| scope.spawn(f).join().unwrap_or_else(died))
}
