//! Random graphs: steps on random streams, each of which waits for what other streams have recorded so far.

use std::sync::atomic::{AtomicU64, Ordering};

use syncpoint_conformance::draw::Draw;

/// The same for everybody who runs it.
pub(crate) struct Graph {
    pub(crate) streams: usize,
    pub(crate) steps: Vec<Step>,
}

/// Work on a stream behind the latest records of none, one or two others; then a record.
pub(crate) struct Step {
    pub(crate) stream: usize,
    waits: [Option<u32>; 2],
}

impl Step {
    /// The streams whose latest records are waited for.
    pub(crate) fn waits(&self) -> impl Iterator<Item = usize> {
        self.waits.into_iter().flatten().map(|other| other as usize)
    }
}

impl Graph {
    pub(crate) fn draw(streams: usize, events: usize, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let steps = (0..events).map(|_| step(streams, &mut draw)).collect();
        Self { streams, steps }
    }
}

fn step(streams: usize, draw: &mut Draw) -> Step {
    let stream = draw.below(streams);
    let count = draw.below(3);
    let mut other = || {
        let other = (stream + 1 + draw.below(streams - 1)) % streams;
        u32::try_from(other).ok()
    };
    let waits = [(count > 0).then(&mut other).flatten(), (count > 1).then(other).flatten()];
    Step { stream, waits }
}

/// What the steps of one stream count: the trivial work. On a line of its own, so that streams share nothing else.
#[derive(Default)]
#[repr(align(64))]
pub(crate) struct Counter(AtomicU64);

/// A counter for each stream, which lives as long as the process: so the work captures one word and counts nothing else.
pub(crate) fn counters(streams: usize) -> &'static [Counter] {
    let counters: Vec<Counter> = (0..streams).map(|_| Counter::default()).collect();
    counters.leak()
}

impl Counter {
    pub(crate) fn count(&self) {
        // Relaxed: read once everything is joined.
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Every step has run once.
pub(crate) fn assert_ran(graph: &Graph, counters: &[Counter]) {
    let ran: u64 = counters.iter().map(|counter| counter.0.load(Ordering::Relaxed)).sum();
    assert_eq!(usize::try_from(ran), Ok(graph.steps.len()), "every step runs once");
}
