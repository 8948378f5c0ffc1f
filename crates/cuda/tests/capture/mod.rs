//! A capture by the holders of a stream's handle.

use super::fake::Fake;

const RELAXED: usize = 2;

/// A capture of others.
pub(crate) struct Capture {
    stream: usize,
}

impl Capture {
    pub(crate) fn begin(stream: usize) -> Self {
        Fake::used().make_current(0);
        assert_eq!(Fake::used().call("cuStreamBeginCapture_v2", stream, RELAXED), 0);
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
