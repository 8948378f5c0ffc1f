//! One operation of the hold queue over a driver that does nothing, many times, for counting instructions.
//!
//! Each operation holds those before it: what a record costs is the difference of `held_record` and `held_work`, what a
//! wait costs that of `held_wait` and `held_record`.
#![expect(clippy::expect_used, reason = "a count that cannot run stops")]

mod one;

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{Memory, Pump, RawBuffer, RawDevice, RawStream, Stamp, Time};
use syncpoint_core::hold::{Crew, Domain, Driver, HeldStream, Operation};
use syncpoint_core::{Capabilities, Clock, Device, PriorityRange, Result, Stream, Timeline};

use one::Operation as Count;

fn main() {
    one::run(&OPERATIONS);
    std::process::exit(0);
}

const OPERATIONS: [(&str, Count); 3] =
    [("held_work", work), ("held_record", record), ("held_wait", wait)];

/// Device work, submitted at once.
fn work(times: u32) {
    let stream = device().stream().expect("a stream");
    for _ in 0..times {
        put(&stream);
    }
}

/// And a record of it: a mark.
fn record(times: u32) {
    let stream = device().stream().expect("a stream");
    for _ in 0..times {
        put(&stream);
        black_box(stream.record().expect("a point"));
    }
}

/// And a native wait of another stream for it.
fn wait(times: u32) {
    let device = device();
    let [stream, other] = [(); 2].map(|()| device.stream().expect("a stream"));
    for _ in 0..times {
        put(&stream);
        black_box(&other).wait(&stream.record().expect("a point")).expect("a wait");
    }
}

fn put(stream: &Stream) {
    black_box(stream).delay(black_box(Duration::ZERO)).expect("room");
}

fn device() -> Device {
    let clock = Clock::new("nothing", Duration::from_nanos(1));
    let domain = Domain::new(Arc::new(Nobody));
    let capabilities = Capabilities::new(PriorityRange::new(0, 0));
    Device::new("nothing:0", Arc::new(Nothing { domain }), (capabilities, clock))
}

/// A crew that nobody needs.
#[derive(Debug)]
struct Nobody;

impl Crew for Nobody {
    fn ensure(&self) -> Result<()> {
        Ok(())
    }

    fn rouse(&self, _stream: Arc<dyn Pump>) {}
}

/// A device of native events whose driver does nothing.
#[derive(Debug)]
struct Nothing {
    domain: Arc<Domain<Silent>>,
}

impl RawDevice for Nothing {
    fn stream(&self, timeline: Timeline, _priority: i32) -> Result<Arc<dyn RawStream>> {
        Ok(HeldStream::new(timeline, &self.domain, Silent, 0))
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Ok(Arc::new(Memory::new(bytes)?))
    }

    fn shutdown(&self, _deadline: Instant) -> Result<()> {
        Ok(())
    }
}

/// A driver that takes everything and completes nothing.
#[derive(Debug)]
struct Silent;

impl Driver for Silent {
    type Timer = Arc<Stamp>;
    type Latch = Infallible;
    type Ordered = ();

    const SIGNALS_EACH: bool = false;

    fn ordered(&self) {}

    // As a driver's call: the count is of what is round it.
    #[inline(never)]
    fn submit(
        _stream: &Arc<HeldStream<Self>>,
        _value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        black_box(&operation);
        Ok(())
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        let stamp = Arc::new(Stamp::default());
        Ok((Arc::clone(&stamp), Time::Stamp(stamp)))
    }

    fn calls(&self) -> u64 {
        0
    }
}
