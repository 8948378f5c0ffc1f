//! Tests of what only this crate sees: drops beside an order lock that somebody holds, and how long a helper looks.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use syncpoint_core::{Event, EventOptions, Gate, Point, Stream};

use crate::help;
use crate::stream::HostStream;

/// Long beyond any machine's hiccup.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn drops_beside_held_order_locks_end() {
    let device = crate::open("host:drops");
    let [stream, waiting] = [(); 2].map(|()| device.stream().unwrap());
    let (gate, promised) = (Gate::new(), Gate::new());
    let event = Event::new(EventOptions::new());
    stream.wait(&gate.point()).unwrap();
    stream.enqueue(|| ()).unwrap();
    event.record(&stream).unwrap();
    waiting.wait_event(&event).unwrap();
    stream.open(&promised).unwrap();
    let (first, last) = (event.point().unwrap(), waiting.record_timed().unwrap());
    let notification = last.notify(drop).unwrap();
    let mut future = Box::pin((&first).into_future());
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());

    let own =
        [&first, last.point()].map(|point| point.timeline().own_stream::<HostStream>().unwrap());
    let locks = own.each_ref().map(|stream| stream.order());
    let (sender, dropped) = channel();
    let end = last.clone();
    thread::spawn(move || {
        drop((event, promised, notification, future, first, last, waiting, stream, device));
        sender.send(())
    });
    assert!(dropped.recv_timeout(PATIENCE).is_ok(), "a drop waits for a lock that is held");
    drop(locks);
    gate.open().unwrap();
    end.synchronize_timeout(PATIENCE).unwrap();
}

/// The host's own stream behind a point.
fn raw(point: &Point) -> Arc<HostStream> {
    point.timeline().own_stream().unwrap()
}

#[test]
fn a_helper_that_can_run_nothing_gives_up_however_many_ways_lead_there() {
    let (device, (let_go, held)) = (crate::open("host:layers"), channel::<()>());
    let (running, (sender, begun)) = (device.stream().unwrap(), channel());
    running
        .enqueue(move || {
            sender.send(()).unwrap();
            held.recv().unwrap_or_default();
        })
        .unwrap();
    begun.recv_timeout(PATIENCE).unwrap();
    // Twice as many ways with each layer.
    let mut layer = [running.record().unwrap(), running.record().unwrap()];
    let streams = [(); 64].map(|()| {
        let streams = [(); 2].map(|()| device.stream().unwrap());
        layer = streams.each_ref().map(|stream| behind(stream, &layer));
        streams
    });
    let [end, _] = layer;
    let (helper, helped) = (raw(&end), channel());
    thread::spawn(move || {
        help::help(helper, end.value());
        helped.0.send(())
    });
    let outcome = helped.1.recv_timeout(PATIENCE);
    drop(let_go);
    assert!(outcome.is_ok(), "a helper goes all ways to what it cannot run");
    for stream in streams.as_flattened() {
        stream.synchronize_timeout(PATIENCE).unwrap();
    }
}

/// The end of a stream that waits for all of these.
fn behind(stream: &Stream, points: &[Point]) -> Point {
    for point in points {
        stream.wait(point).unwrap();
    }
    stream.record().unwrap()
}

/// An error whose drop gives a stream work, which takes the order lock of that.
#[derive(Debug)]
struct Enqueues(Arc<Stream>, Sender<()>);

impl Drop for Enqueues {
    fn drop(&mut self) {
        self.0.enqueue(|| ()).unwrap();
        self.1.send(()).unwrap();
    }
}

impl fmt::Display for Enqueues {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("on purpose")
    }
}

impl Error for Enqueues {}

#[test]
fn errors_of_a_timeline_of_which_a_wait_has_the_last_name_are_dropped_outside_the_order_lock() {
    for _ in 0..20 {
        let (device, gate, (sender, dropped)) = (crate::open("host:last"), Gate::new(), channel());
        let [failing, waiting] = [(); 2].map(|()| Arc::new(device.stream().unwrap()));
        let error = Enqueues(Arc::clone(&waiting), sender);
        failing.enqueue(move || Err::<(), _>(error)).unwrap();
        failing.synchronize().unwrap_err();
        failing.recover().unwrap();
        failing.wait(&gate.point()).unwrap();
        waiting.wait(&failing.record().unwrap()).unwrap();
        drop(failing);
        gate.open().unwrap();
        assert!(dropped.recv_timeout(PATIENCE).is_ok(), "the drop waits for a lock");
        waiting.synchronize_timeout(PATIENCE).unwrap();
    }
}
