//! Tests of what only this crate sees: drops beside an order lock that somebody holds.

use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use syncpoint_core::{Event, EventOptions, Gate};

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
