//! Rules 6 and 7 of the host's scheduler: who synchronizes plainly helps, with what the awaited point needs and no more.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Wake, Waker};
use std::thread::{self, ThreadId};

use syncpoint::{Device, Gate, Kind, Point, Stream, Wait};
use syncpoint_conformance::busy::Busy;
use syncpoint_conformance::patience::{PATIENCE, heard, say, settle};

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

fn stream() -> Stream {
    host().stream().unwrap()
}

/// The thread on which each piece of work ran, in a chain of streams of which each waits for the one before; the last
/// point is awaited in this way. A piece of work that the point does not need lies behind it on every stream.
fn threads_of_a_chain(wait: impl FnOnce(&Point)) -> (Vec<ThreadId>, Vec<ThreadId>) {
    let streams: [Stream; 3] = [stream(), stream(), stream()];
    let ((needed, needed_by), (beyond, beyond_by)) = (channel(), channel());
    let begin = Gate::new();
    streams[0].wait(&begin.point()).unwrap();
    for (index, stream) in streams.iter().enumerate() {
        if index > 0 {
            stream.wait_stream(&streams[index - 1]).unwrap();
        }
        let sender = needed.clone();
        stream.enqueue(move || say(&sender, thread::current().id())).unwrap();
    }
    let end = streams[2].record().unwrap();
    for stream in &streams {
        let sender = beyond.clone();
        stream.enqueue(move || say(&sender, thread::current().id())).unwrap();
    }
    begin.open().unwrap();
    wait(&end);
    let take = |receiver| (0..3).map(|_| heard(receiver, "the work of the chain")).collect();
    (take(&needed_by), take(&beyond_by))
}

/// How often a chain is tried: a worker may be quicker than the helper.
const ATTEMPTS: usize = 2000;

#[test]
fn a_plain_synchronize_follows_the_chain_and_stops_at_its_target() {
    let own = thread::current().id();
    let mut helped_with_all = false;
    for _ in 0..ATTEMPTS {
        let (needed, beyond) = threads_of_a_chain(|end| end.synchronize().unwrap());
        helped_with_all |= needed == [own; 3];
        assert!(!beyond.contains(&own), "the helper ran what its point does not need");
    }
    assert!(helped_with_all, "in {ATTEMPTS} attempts the helper never ran the whole chain");
}

#[test]
fn no_other_wait_helps() {
    let own = thread::current().id();
    let waits: [fn(&Point); 7] = [
        |end| end.synchronize_with(Wait::NoHelp, None).unwrap(),
        |end| end.synchronize_with(Wait::Block, None).unwrap(),
        |end| end.synchronize_with(Wait::Spin, None).unwrap(),
        |end| end.synchronize_with(Wait::Yield, None).unwrap(),
        |end| end.synchronize_timeout(PATIENCE).unwrap(),
        |end| while !end.query().unwrap() {},
        |_end| host().synchronize().unwrap(),
    ];
    for wait in waits {
        for _ in 0..200 {
            let (needed, beyond) = threads_of_a_chain(wait);
            assert!(!needed.contains(&own) && !beyond.contains(&own));
        }
    }
}

#[test]
fn a_helper_runs_nothing_of_a_stream_that_its_point_does_not_depend_on() {
    let own = thread::current().id();
    for _ in 0..200 {
        let ((sender, receiver), [needed, other]) = (channel(), [stream(), stream()]);
        other.enqueue(move || say(&sender, thread::current().id())).unwrap();
        needed.enqueue(|| ()).unwrap();
        needed.synchronize().unwrap();
        assert_ne!(heard(&receiver, "the work of the other stream"), own);
    }
}

#[test]
fn a_helper_stops_at_its_target_though_what_follows_waits_for_it() {
    for _ in 0..200 {
        let (stream, gate) = (stream(), Gate::new());
        stream.enqueue(|| ()).unwrap();
        let target = stream.record().unwrap();
        let point = gate.point();
        // A helper that went on would wait here for itself.
        stream.enqueue(move || point.synchronize_timeout(PATIENCE)).unwrap();
        target.synchronize().unwrap();
        gate.open().unwrap();
        settle(&stream.record().unwrap());
    }
}

#[test]
fn a_helper_runs_nothing_that_its_stream_waits_for_behind_the_target() {
    let own = thread::current().id();
    for _ in 0..20 {
        // Workers that other tests brought would have time for it.
        let device = syncpoint_host::open("host:fresh");
        let (gate, (sender, receiver)) = (Gate::new(), channel());
        let (stream, behind) = (device.stream().unwrap(), device.stream().unwrap());
        let count = thread::available_parallelism().unwrap().get();
        let others: Vec<_> = (0..count).map(|_| device.stream().unwrap()).collect();
        let busy: Vec<_> = others.iter().map(|other| Busy::on(other).unwrap()).collect();
        stream.wait(&gate.point()).unwrap();
        let target = stream.record().unwrap();
        behind
            .enqueue(move || {
                say(&sender, thread::current().id());
                gate.open()
            })
            .unwrap();
        stream.wait(&behind.record().unwrap()).unwrap();
        target.synchronize().unwrap();
        assert_ne!(heard(&receiver, "the work behind the target"), own);
        drop(busy);
    }
}

#[test]
fn a_helper_goes_on_beside_what_another_thread_runs() {
    let own = thread::current().id();
    let is_helped = |_| {
        // Workers that other tests brought would have time for it.
        let device = syncpoint_host::open("host:fresh");
        let [beside, behind, last] = [(); 3].map(|()| device.stream().unwrap());
        let count = thread::available_parallelism().unwrap().get();
        let others: Vec<_> = (0..count).map(|_| device.stream().unwrap()).collect();
        let busy: Vec<_> = others.iter().map(|other| Busy::on(other).unwrap()).collect();
        behind.wait_stream(&others[0]).unwrap();
        let (sender, receiver) = channel();
        let work = move || {
            say(&sender, thread::current().id());
            drop(busy);
        };
        beside.enqueue(work).unwrap();
        last.wait_stream(&beside).unwrap();
        last.wait_stream(&behind).unwrap();
        last.synchronize().unwrap();
        heard(&receiver, "the work beside") == own
    };
    // A worker that is brought for it may be quicker.
    assert!((0..20).any(is_helped), "the helper gave up where it could have helped");
}

/// When woken, waits for a point with a deadline, and so without helping, and tells its kind of failure and its thread.
struct WaitsFor(Point, Sender<(Option<Kind>, ThreadId)>);

impl Wake for WaitsFor {
    fn wake(self: Arc<Self>) {
        let outcome = self.0.synchronize_timeout(PATIENCE / 2);
        say(&self.1, (outcome.err().map(|error| error.kind()), thread::current().id()));
    }
}

#[test]
fn a_helper_keeps_no_stream_to_itself_while_it_tells_users_of_a_failure() {
    let own = thread::current().id();
    let is_told_by_helper = |_| {
        let ([fails, waits], begin) = ([stream(), stream()], Gate::new());
        fails.wait(&begin.point()).unwrap();
        fails.enqueue(|| Err::<(), _>("on purpose")).unwrap();
        let failing = fails.record().unwrap();
        waits.wait(&failing).unwrap();
        let (teller, told) = channel();
        let waker = Waker::from(Arc::new(WaitsFor(waits.record().unwrap(), teller)));
        let mut awaits = pin!(failing.clone().into_future());
        assert!(awaits.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        begin.open().unwrap();
        failing.synchronize().unwrap_err();
        let (kind, thread) = heard(&told, "the outcome of a wait in a waker");
        assert_eq!(kind, Some(Kind::Failed), "the stream that waits was left on the helper's hand");
        thread == own
    };
    assert!((0..ATTEMPTS).any(is_told_by_helper), "a worker was quicker in {ATTEMPTS} attempts");
}
