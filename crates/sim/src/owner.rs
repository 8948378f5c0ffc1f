//! The owner of a world: its devices have it in common, and with them their streams and buffers.

use std::fmt;
use std::sync::Arc;

use syncpoint_base::Process;
use syncpoint_core::hold::Domain;

use crate::driver::SimStream;
use crate::world::World;

/// A world, as its devices share it. What is to happen in the world keeps it as well, but not this: with the last device
/// that somebody can name a stepped world ends.
pub(crate) struct Owner {
    pub(crate) world: Arc<World>,
    pub(crate) domain: Arc<Domain<SimStream>>,
    /// The process that made it: what a child inherited stayed with the parent, locks included.
    process: Process,
}

impl Owner {
    pub(crate) fn new(world: &Arc<World>, domain: &Arc<Domain<SimStream>>) -> Self {
        let process = Process::current();
        Self { world: Arc::clone(world), domain: Arc::clone(domain), process }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if self.process.is_current() {
            self.world.abandon(&self.domain);
        }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Owner")
    }
}

#[cfg(test)]
#[expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
mod tests {
    use std::sync::{Arc, Weak};
    use std::time::Duration;

    use syncpoint_core::{Gate, Point, Result};

    use crate::Sim;
    use crate::world::World;

    /// Everything that can be left to happen when nobody holds a stepped world any more: work on its way with memory of
    /// the world, waits between streams in both directions, and work that is held behind a gate.
    fn abandoned(token: &Arc<()>, gate: &Gate) -> Result<(Weak<World>, Vec<Point>)> {
        let sim = Sim::builder().devices(2).stepped().build();
        let (near, far) = (sim.device(0)?.stream()?, sim.device(1)?.stream()?);
        let buffer = sim.device(0)?.buffer(8)?;
        near.delay(Duration::from_micros(1))?;
        near.fill(&buffer, 0..8, 1)?;
        far.wait_stream(&near)?;
        near.wait(&far.timeline().point(5))?;
        far.wait(&near.timeline().point(5))?;
        let captured = Arc::clone(token);
        near.enqueue(move || drop(captured))?;
        let gated = sim.device(0)?.stream()?;
        gated.wait(&gate.point())?;
        gated.fill(&buffer, 0..8, 2)?;
        let points = [&near, &far, &gated].map(|stream| stream.record());
        let points = points.into_iter().collect::<Result<_>>()?;
        Ok((Arc::downgrade(sim.world()), points))
    }

    #[test]
    fn a_stepped_world_that_nobody_holds_is_freed_with_what_was_to_happen() -> Result<()> {
        let (token, gate) = (Arc::new(()), Gate::new());
        let (world, points) = abandoned(&token, &gate)?;
        assert_eq!(Arc::strong_count(&token), 1, "work that never runs keeps its captures");
        for point in &points {
            let error = point.synchronize_timeout(Duration::from_secs(10)).unwrap_err();
            assert!(error.message().contains("nobody holds"), "{error}");
        }
        assert_eq!(world.strong_count(), 0, "the world keeps itself");
        gate.open()
    }

    #[test]
    fn a_stepped_world_lives_for_its_last_stream_and_buffer() -> Result<()> {
        let device = Sim::builder().stepped().build().device(0)?;
        let (stream, buffer) = (device.stream()?, device.buffer(8)?);
        drop(device);
        stream.fill(&buffer, 0..8, 1)?;
        let end = stream.record()?;
        drop(stream);
        end.synchronize_timeout(Duration::from_secs(10))?;
        assert_eq!(buffer.to_vec(0..8)?, [1; 8]);
        Ok(())
    }
}
