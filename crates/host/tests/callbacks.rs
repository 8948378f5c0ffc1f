//! Callbacks and wakers at their edges: slow ones, ones taken back, ones replaced.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use syncpoint::{Completion, Device, Gate, Kind, Stream};
use syncpoint_conformance::patience::{PATIENCE, heard, promptly, refused, say, settle, until};

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

fn held() -> (Stream, Gate) {
    let (stream, gate) = (host().stream().unwrap(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    (stream, gate)
}

#[test]
fn a_callback_that_blocks_delays_callbacks_and_nothing_else() {
    let (stream, gate) = held();
    let ((let_go, blocked), (sender, receiver)) = (channel::<()>(), channel());
    let (point, begun) = (stream.record().unwrap(), sender.clone());
    point
        .notify(move |_| {
            say(&begun, "begun");
            let _let_go = blocked.recv();
        })
        .unwrap();
    point.notify(move |_| say(&sender, "behind it")).unwrap();
    gate.open().unwrap();
    assert_eq!(heard(&receiver, "the first callback"), "begun");
    stream.enqueue(|| ()).unwrap();
    settle(&stream.record().unwrap());
    let other = host().stream().unwrap();
    promptly(move || {
        other.enqueue(|| ())?;
        other.record()?.notify(drop)?;
        other.synchronize_timeout(PATIENCE)
    })
    .unwrap();
    assert!(receiver.recv_timeout(Duration::from_millis(10)).is_err(), "later callbacks wait");
    drop(let_go);
    assert_eq!(heard(&receiver, "the second callback"), "behind it");
}

#[test]
fn a_callback_that_runs_cannot_be_taken_back_and_says_so() {
    let (stream, gate) = held();
    let ((let_go, blocked), (begun, wait)) = (channel::<()>(), channel());
    let point = stream.record().unwrap();
    let running = point
        .notify(move |_| {
            say(&begun, ());
            let _let_go = blocked.recv();
        })
        .unwrap();
    gate.open().unwrap();
    heard(&wait, "the callback");
    assert!(!promptly(move || running.cancel()), "it runs, and is not waited for");
    let late = Gate::new();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let count_up = move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    let pending = late.point().notify(count_up).unwrap();
    assert!(pending.cancel(), "it had not been called");
    assert_eq!(Arc::strong_count(&count), 1, "what it captured is dropped");
    late.open().unwrap();
    drop(let_go);
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[test]
fn callbacks_of_one_point_are_called_in_the_order_of_their_registration() {
    let (stream, gate) = held();
    let ((sender, receiver), point) = (channel(), stream.record().unwrap());
    for number in 0..100 {
        let sender = sender.clone();
        point.notify(move |_| say(&sender, number)).unwrap();
    }
    drop(sender);
    gate.open().unwrap();
    let mut order = Vec::new();
    while let Ok(number) = receiver.recv_timeout(PATIENCE) {
        order.push(number);
    }
    assert_eq!(order, (0..100).collect::<Vec<_>>());
}

/// Counts how often it wakes.
#[derive(Default)]
struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll(future: Pin<&mut Completion>, waker: &Arc<Counts>) -> Poll<syncpoint::Result<()>> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(waker))))
}

#[test]
fn the_waker_polled_with_last_is_the_one_that_is_woken() {
    let (stream, gate) = held();
    let mut future = pin!(stream.record().unwrap().into_future());
    let (first, last) = (Arc::new(Counts::default()), Arc::new(Counts::default()));
    for waker in [&first, &last, &first, &last, &last] {
        // A spurious poll costs a look and never blocks.
        assert!(poll(future.as_mut(), waker).is_pending());
    }
    gate.open().unwrap();
    until("the wake of the last waker", || last.0.load(Ordering::Relaxed) == 1);
    assert_eq!(first.0.load(Ordering::Relaxed), 0);
    assert!(matches!(poll(future.as_mut(), &first), Poll::Ready(Ok(()))));
}

#[test]
fn a_future_may_move_between_threads_and_be_polled_from_each() {
    let (stream, gate) = held();
    let mut future = Box::pin(stream.record().unwrap().into_future());
    let wakers = [(); 4].map(|()| Arc::new(Counts::default()));
    for waker in &wakers {
        let own = Arc::clone(waker);
        let polled = thread::spawn(move || {
            assert!(poll(future.as_mut(), &own).is_pending());
            future
        });
        future = polled.join().unwrap();
    }
    gate.open().unwrap();
    until("the wake of the last waker", || wakers[3].0.load(Ordering::Relaxed) == 1);
    assert!(poll(future.as_mut(), &wakers[0]).is_ready());
    let woken = wakers.map(|waker| waker.0.load(Ordering::Relaxed));
    assert_eq!(woken, [0, 0, 0, 1]);
}

#[test]
fn a_future_of_what_fails_is_ready_with_the_failure() {
    let (stream, gate) = held();
    stream.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    let mut future = pin!(stream.record().unwrap().into_future());
    let waker = Arc::new(Counts::default());
    assert!(poll(future.as_mut(), &waker).is_pending());
    gate.open().unwrap();
    until("the wake", || waker.0.load(Ordering::Relaxed) == 1);
    let Poll::Ready(outcome) = poll(future.as_mut(), &waker) else { panic!("a failure is an end") };
    refused(outcome, Kind::Failed);
}

#[test]
fn a_thousand_futures_polled_and_dropped_leave_nothing_behind() {
    let (stream, gate) = held();
    let (point, waker) = (stream.record().unwrap(), Arc::new(Counts::default()));
    for _ in 0..1000 {
        assert!(poll(pin!(point.clone().into_future()).as_mut(), &waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&waker), 1, "no dropped future is listed any more");
    gate.open().unwrap();
    settle(&point);
    assert_eq!(waker.0.load(Ordering::Relaxed), 0);
}
