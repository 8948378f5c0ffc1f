//! The graph on streams of the host.

use syncpoint::{Device, Gate, Point, Stream};

use crate::figures::{Begin, Figures, Weight};
use crate::graph::{Counter, Graph, assert_ran, counters};

pub(crate) fn host() -> Device {
    syncpoint::open("host:0").expect("the host")
}

/// Built behind a gate, then run.
pub(crate) fn measure(graph: &Graph) -> Figures {
    let (mut figures, counters) = (Figures::default(), counters(graph.streams));
    let (device, weight) = (host(), Weight::begin());

    let begin = Begin::now();
    let streams = make(&device, graph.streams);
    figures.time("make", &begin);

    let begin = Begin::now();
    let gate = Gate::new();
    let latest = build(graph, &streams, &gate, counters);
    figures.time("build", &begin);
    weight.note_built(&mut figures);

    let begin = Begin::now();
    gate.open().expect("once");
    device.synchronize().expect("no work fails");
    figures.time("run", &begin);
    assert_ran(graph, counters);

    let begin = Begin::now();
    drop((latest, streams, gate));
    figures.time("drop", &begin);
    weight.note_end(&mut figures);
    figures
}

/// Run while it is built.
pub(crate) fn measure_fed(graph: &Graph) -> Figures {
    let (mut figures, counters) = (Figures::default(), counters(graph.streams));
    let device = host();
    let streams = make(&device, graph.streams);

    let begin = Begin::now();
    let latest = feed(graph, &streams, counters);
    device.synchronize().expect("no work fails");
    figures.time("run", &begin);
    assert_ran(graph, counters);
    drop(latest);
    figures
}

fn make(device: &Device, streams: usize) -> Vec<Stream> {
    (0..streams).map(|_| device.stream().expect("a stream")).collect()
}

fn build(
    graph: &Graph,
    streams: &[Stream],
    gate: &Gate,
    counters: &'static [Counter],
) -> Vec<Option<Point>> {
    let closed = gate.point();
    for stream in streams {
        stream.wait(&closed).expect("a wait");
    }
    feed(graph, streams, counters)
}

fn feed(graph: &Graph, streams: &[Stream], counters: &'static [Counter]) -> Vec<Option<Point>> {
    let mut latest: Vec<Option<Point>> = vec![None; graph.streams];
    for step in &graph.steps {
        let (stream, counter) = (&streams[step.stream], &counters[step.stream]);
        for point in step.waits().filter_map(|other| latest[other].as_ref()) {
            stream.wait(point).expect("a wait");
        }
        stream.enqueue(|| counter.count()).expect("room");
        latest[step.stream] = Some(stream.record().expect("a point"));
    }
    latest
}

/// A graph that waits for a gate.
pub(crate) struct Behind {
    _streams: Vec<Stream>,
    latest: Vec<Option<Point>>,
}

pub(crate) fn build_behind(graph: &Graph, gate: &Gate) -> Behind {
    let device = host();
    let streams = make(&device, graph.streams);
    let latest = build(graph, &streams, gate, counters(graph.streams));
    Behind { _streams: streams, latest }
}

impl Behind {
    /// The latest point of one of its streams.
    pub(crate) fn end(&self) -> &Point {
        self.latest.iter().flatten().next().expect("a stream with work")
    }
}
