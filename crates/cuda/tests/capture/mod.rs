//! A capture by the holders of a stream's handle.

#![allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]

use super::fake::Fake;

const GLOBAL: usize = 0;
const RELAXED: usize = 2;

/// A capture of others.
pub(crate) struct Capture {
    stream: usize,
}

impl Capture {
    pub(crate) fn begin(stream: usize) -> Self {
        Self::begin_in(stream, RELAXED)
    }

    /// One that is broken by whoever asks the driver in the mode in which threads begin.
    pub(crate) fn begin_global(stream: usize) -> Self {
        Self::begin_in(stream, GLOBAL)
    }

    fn begin_in(stream: usize, mode: usize) -> Self {
        Fake::used().make_current(0);
        assert_eq!(Fake::used().call("cuStreamBeginCapture_v2", stream, mode), 0);
        Self { stream }
    }

    /// Ends it; launches what was captured this many times, and waits for that.
    pub(crate) fn end_and_launch(self, times: usize) {
        let (fake, mut graph, mut executable) = (Fake::used(), 0_usize, 0_usize);
        let room = (&raw mut graph).expose_provenance();
        assert_eq!(fake.call("cuStreamEndCapture", self.stream, room), 0);
        let room = (&raw mut executable).expose_provenance();
        assert_eq!(fake.call("cuGraphInstantiateWithFlags", room, graph), 0);
        for _ in 0..times {
            assert_eq!(fake.call("cuGraphLaunch", executable, self.stream), 0);
        }
        assert_eq!(fake.call("cuStreamSynchronize", self.stream, 0), 0);
    }
}
