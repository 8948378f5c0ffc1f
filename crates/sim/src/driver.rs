//! The driver of a simulated stream: gives what the hold queue submits to the world.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::Waker;

use syncpoint_core::Result;
use syncpoint_core::contract::{Stamp, Time};
use syncpoint_core::hold::{Driver, HeldStream, Operation};

use crate::lane::Work;
use crate::sync::{AtomicU64, Ordering};
use crate::world::World;

/// The device's side of one stream.
#[derive(Debug)]
pub(crate) struct SimStream {
    pub(crate) world: Arc<World>,
    /// The device of the stream, from 0.
    pub(crate) device: usize,
    /// The lane of the stream.
    pub(crate) lane: u64,
    pub(crate) calls: AtomicU64,
}

impl SimStream {
    /// Whether the stream is of this device of this world.
    pub(crate) fn is_of(&self, world: &World, device: usize) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.world), world) && self.device == device
    }
}

impl Driver for SimStream {
    type Timer = Arc<Stamp>;

    type Latch = Infallible;
    type Ordered = ();

    const SIGNALS_EACH: bool = true;

    fn ordered(&self) {}

    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        let driver = stream.driver();
        // Relaxed: a count, ordered with nothing.
        driver.calls.fetch_add(1, Ordering::Relaxed);
        let work = match operation {
            Operation::Fill(fill) => Work::Fill(fill.clone()),
            Operation::Copy(copy) => Work::Copy(copy.clone()),
            Operation::Delay(duration) => Work::Delay(duration),
            Operation::Wait { stream, value } => Work::Wait { lane: stream.driver().lane, value },
            Operation::Stamp(stamp) => Work::Stamp(Arc::clone(stamp)),
            Operation::Mark => Work::Mark,
            Operation::Latch(latch) => match *latch {},
            Operation::Call(call) => {
                call()?;
                Work::Mark
            }
        };
        driver.world.submit(stream, value, work)
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        let stamp = Arc::new(Stamp::default());
        Ok((Arc::clone(&stamp), Time::Stamp(stamp)))
    }

    fn ran(stream: &Arc<HeldStream<Self>>, value: u64) {
        stream.driver().world.note_ran(stream, value);
    }

    fn discover(stream: &Arc<HeldStream<Self>>, value: u64) {
        if let Some(seen) = stream.driver().world.look(stream, value) {
            stream.complete(seen);
        }
    }

    fn drive(stream: &Arc<HeldStream<Self>>, value: u64, sleeper: &Waker) {
        stream.driver().world.drive(stream.timeline(), value, sleeper);
    }

    fn calls(&self) -> u64 {
        // Relaxed: as in `submit`.
        self.calls.load(Ordering::Relaxed)
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        if self.world.is_inherited() {
            return;
        }
        self.world.remove_lane(self.lane);
    }
}
