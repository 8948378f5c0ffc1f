//! What hurts users: how late `TimedOut` comes, how soon a fault is told, and how long drops take.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Gate, Kind, Point, Stream, Wait};

use crate::figures::{Figures, median, quantile};
use crate::graph::Graph;
use crate::ours::{self, host};

fn note(figures: &mut Figures, name: &str, samples: &[f64]) {
    figures.note(&format!("{name} median"), median(samples.to_vec()));
    figures.note(&format!("{name} p99"), quantile(samples.to_vec(), 0.99));
    figures.note(&format!("{name} most"), quantile(samples.to_vec(), 1.0));
}

/// How far beyond its deadline a wait comes back: with the workers idle, for a point behind a hundred thousand waits of a
/// random graph, where it also sleeps more than one slice, and while work computes on every core. Beside a thread that only
/// sleeps as long, as the standard library does it.
pub(crate) fn timeouts() -> Figures {
    let mut figures = Figures::default();
    let gate = Gate::new();
    // In turn, so that both meet the same machine.
    let idle = gate.point();
    let pairs = timeouts_tried().map(|timeout| (late_by(&idle, timeout), late_std(timeout)));
    let (ours, std): (Vec<f64>, Vec<f64>) = pairs.unzip();
    note(&mut figures, "idle", &ours);
    note(&mut figures, "std", &std);
    let graph = Graph::draw(1000, 100_000, crate::SEED);
    let behind = ours::build_behind(&graph, &gate);
    note(&mut figures, "graph", &late(behind.end()));
    note(&mut figures, "graph long", &late_after(behind.end(), &[Duration::from_millis(120); 5]));
    gate.open().expect("once");
    host().synchronize().expect("no work fails");
    let gate = Gate::new();
    let (device, over) = (host(), Arc::new(AtomicBool::new(false)));
    let busy: Vec<Stream> = (0..cores()).map(|_| device.stream().expect("a stream")).collect();
    for stream in &busy {
        let over = Arc::clone(&over);
        let compute = move || while !over.load(Ordering::Relaxed) {};
        stream.enqueue(compute).expect("room");
    }
    note(&mut figures, "busy", &late(&gate.point()));
    over.store(true, Ordering::Relaxed);
    device.synchronize().expect("no work fails");
    figures
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn late(point: &Point) -> Vec<f64> {
    late_after(point, &timeouts_tried().collect::<Vec<_>>())
}

fn timeouts_tried() -> impl Iterator<Item = Duration> {
    (0..400).map(|index| Duration::from_micros(200 + index % 40 * 250))
}

fn late_std(timeout: Duration) -> f64 {
    let begin = Instant::now();
    while begin.elapsed() < timeout {
        thread::park_timeout(timeout.saturating_sub(begin.elapsed()));
    }
    begin.elapsed().saturating_sub(timeout).as_secs_f64() * 1e9
}

fn late_after(point: &Point, timeouts: &[Duration]) -> Vec<f64> {
    timeouts.iter().map(|timeout| late_by(point, *timeout)).collect()
}

fn late_by(point: &Point, timeout: Duration) -> f64 {
    let begin = Instant::now();
    let error = point.synchronize_timeout(timeout).expect_err("nobody opens the gate");
    let elapsed = begin.elapsed();
    assert_eq!(error.kind(), Kind::TimedOut);
    elapsed.saturating_sub(timeout).as_secs_f64() * 1e9
}

const FAULTS: usize = 500;

/// From the return of work that fails to whoever hears of it: a thread that sleeps, a callback, and a thread that waits
/// for a stream a hundred streams further on.
pub(crate) fn faults() -> Figures {
    let mut figures = Figures::default();
    note(&mut figures, "sleeper", &faulted(|_, point| wait_for(point)));
    note(&mut figures, "callback", &faulted(|_, point| hear_of(point)));
    note(&mut figures, "chain", &faulted(|streams, point| wait_for(&behind(streams, point))));
    figures
}

fn faulted(first_report: impl Fn(&[Stream], &Point) -> Instant) -> Vec<f64> {
    let device = host();
    let sample = |_| {
        let streams: Vec<Stream> = (0..100).map(|_| device.stream().expect("a stream")).collect();
        let (stream, (sender, failed_at)) = (&streams[0], mpsc::channel());
        let work = move || {
            // Long enough for whoever waits to fall asleep.
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_micros(300) {}
            sender.send(Instant::now()).ok();
            Err::<(), _>("on purpose")
        };
        stream.enqueue(work).expect("room");
        let point = stream.record().expect("a point");
        let reported = first_report(&streams[1..], &point);
        let failed = failed_at.recv().expect("the work said when");
        reported.saturating_duration_since(failed).as_secs_f64() * 1e9
    };
    (0..FAULTS).map(sample).collect()
}

fn wait_for(point: &Point) -> Instant {
    point.synchronize_with(Wait::Block, None).expect_err("the work fails");
    Instant::now()
}

fn hear_of(point: &Point) -> Instant {
    let (sender, heard) = mpsc::channel();
    let told = point.notify(move |outcome| {
        drop(outcome.expect_err("the work fails"));
        sender.send(Instant::now()).ok();
    });
    drop(told.expect("a notifier"));
    heard.recv().expect("the callback says when")
}

/// The end of a chain of streams, each of which waits for the one before.
fn behind(streams: &[Stream], point: &Point) -> Point {
    streams.iter().fold(point.clone(), |point, stream| {
        // A stream whose wait has failed refuses; its record has failed, too.
        stream.wait(&point).ok();
        stream.record().expect("a point")
    })
}

const POINTS: u32 = 100_000;

/// Drops of points that are pending: of one stream, and each the last trace of a stream of its own.
pub(crate) fn drops() -> Figures {
    let (device, gate, mut figures) = (host(), Gate::new(), Figures::default());
    let stream = device.stream().expect("a stream");
    stream.wait(&gate.point()).expect("a wait");
    let record = |stream: &Stream| {
        stream.enqueue(|| ()).expect("room");
        stream.record().expect("a point")
    };
    let of_one: Vec<Point> = (0..POINTS).map(|_| record(&stream)).collect();
    time_drop(&mut figures, "of one stream", of_one);
    gate.open().expect("once");

    let streams: Vec<Stream> = (0..POINTS).map(|_| device.stream().expect("a stream")).collect();
    let of_each: Vec<Point> = streams.iter().map(record).collect();
    device.synchronize().expect("no work fails");
    time_drop(&mut figures, "of as many streams", of_each);
    time_drop(&mut figures, "the streams", streams);
    figures
}

fn time_drop<T>(figures: &mut Figures, name: &str, things: Vec<T>) {
    let begin = Instant::now();
    drop(things);
    figures.note(name, begin.elapsed().as_secs_f64() * 1e9 / f64::from(POINTS));
}
