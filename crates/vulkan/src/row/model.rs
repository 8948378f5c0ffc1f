//! Models of a row: who submits, who waits, who asks, and the waiter, beside a device that is through at any moment.

#![expect(clippy::expect_used, reason = "a model is a test")]

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread::{self, JoinHandle};
use syncpoint_core::errands::Want;
use syncpoint_core::model::{catches, holds};

use super::{Next, Numbered, Row, Submission};
use crate::counter::Counter;

/// A semaphore, and where the device has it.
struct Semaphore {
    counter: Counter,
    device: Mutex<u64>,
    raised: Condvar,
}

/// What the driver says of a semaphore that nobody told to become what it is.
#[derive(Debug)]
struct Lost;

impl Semaphore {
    /// The device is through with what signals `value`.
    fn raise(&self, value: u64) {
        *self.device.lock().expect("no panic") = value;
        self.raised.notify_all();
    }

    /// As the driver's call that does not block.
    fn look(&self) -> Result<u64, Lost> {
        let value = *self.device.lock().expect("no panic");
        if self.counter.learn(value) { Ok(value) } else { Err(Lost) }
    }

    /// As the driver's that does: without a slice, for what only the end of one makes good is lost.
    fn wait(&self, value: u64) {
        let mut at = self.device.lock().expect("no panic");
        while *at < value {
            at = self.raised.wait(at).expect("no panic");
        }
    }
}

/// A submission, which is let go once.
struct Submitted {
    signal: Arc<Semaphore>,
    value: u64,
    ended: Arc<AtomicUsize>,
}

impl Submission for Submitted {
    type Semaphore = Semaphore;
    type Parcel = ();

    fn signal(&self) -> (&Arc<Semaphore>, u64) {
        (&self.signal, self.value)
    }

    fn is_over(&self) -> bool {
        self.signal.counter.seen() >= self.value
    }

    fn end(self) -> Option<()> {
        let at = *self.signal.device.lock().expect("no panic");
        assert!(at >= self.value, "it was let go before its end");
        // Relaxed: a count, looked at behind the end of all threads.
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.is_over().then_some(())
    }
}

/// A stream: its semaphore, and how far it was told to be.
struct Stream {
    semaphore: Arc<Semaphore>,
    number: AtomicU64,
    told: Mutex<u64>,
    tells: Condvar,
}

impl Numbered for Stream {
    fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    fn note_submission(&self, number: u64) {
        self.number.store(number, Ordering::Relaxed);
    }
}

impl Stream {
    fn new() -> Arc<Self> {
        let (counter, device, raised) = (Counter::new(), Mutex::new(0), Condvar::new());
        Arc::new(Self {
            semaphore: Arc::new(Semaphore { counter, device, raised }),
            number: AtomicU64::new(0),
            told: Mutex::new(0),
            tells: Condvar::new(),
        })
    }

    fn complete(&self, value: u64) {
        let mut told = self.told.lock().expect("no panic");
        *told = value.max(*told);
        self.tells.notify_all();
    }

    fn sleep_for(&self, value: u64) {
        let mut told = self.told.lock().expect("no panic");
        while *told < value {
            told = self.tells.wait(told).expect("no panic");
        }
    }
}

/// What a call to the waiter comes to: it has a thread, or one is made.
#[derive(Default)]
struct Inbox {
    calls: usize,
    is_served: bool,
    threads: Vec<JoinHandle<()>>,
}

/// A queue, and what the twins of a model do otherwise.
struct Queue {
    row: Row<Stream, Submitted>,
    inbox: Mutex<Inbox>,
    ended: Arc<AtomicUsize>,
    plant: Plant,
}

/// The bug that is planted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plant {
    Nothing,
    /// Who waits does not say so.
    NobodyExpects,
    /// A value is promised behind its submission.
    PromisedLate,
    /// What lies on the row is taken off as if it were over.
    TakenOffBlindly,
    /// What was submitted is put on the row as if nobody could have asked for it before.
    PushedBlindly,
}

impl Queue {
    fn new(plant: Plant) -> Arc<Self> {
        let (row, inbox, ended) = (Row::new(), Mutex::default(), Arc::default());
        Arc::new(Self { row, inbox, ended, plant })
    }

    /// Gives the device what signals `value`, which is through with it on a thread of its own, and puts it on the row.
    fn submit(self: &Arc<Self>, stream: &Arc<Stream>, value: u64) -> JoinHandle<()> {
        let signal = Arc::clone(&stream.semaphore);
        if self.plant != Plant::PromisedLate {
            signal.counter.promise(value);
        }
        let at_work = Arc::clone(&signal);
        let device = thread::spawn(move || at_work.raise(value));
        if self.plant == Plant::PromisedLate {
            signal.counter.promise(value);
        }
        self.put(stream, value);
        device
    }

    fn put(self: &Arc<Self>, stream: &Arc<Stream>, value: u64) {
        let (signal, ended) = (Arc::clone(&stream.semaphore), Arc::clone(&self.ended));
        let submitted = Submitted { signal, value, ended };
        let want = match self.plant {
            Plant::PushedBlindly => self.push_blindly(stream, submitted),
            _ => self.row.push(Arc::clone(stream), value, submitted),
        };
        self.call(want);
    }

    /// As the row's own, but for its look whether that is over.
    fn push_blindly(&self, stream: &Arc<Stream>, submitted: Submitted) -> Option<Want> {
        let mut row = self.row.0.lock();
        let (value, awaited) = (submitted.value, row.awaited);
        let _told_to_nobody = row.push(Arc::clone(stream), value, submitted);
        row.awaited = awaited;
        None
    }

    /// As `Context::see_served`.
    fn call(self: &Arc<Self>, want: Option<Want>) {
        let Some(_want) = want else { return };
        let mut inbox = self.inbox.lock().expect("no panic");
        inbox.calls += 1;
        if !inbox.is_served {
            inbox.is_served = true;
            let own = Arc::clone(self);
            inbox.threads.push(thread::spawn(move || own.serve()));
        }
    }

    /// As the waiter's thread.
    fn serve(&self) {
        while self.has_calls() {
            if !self.row.watch() {
                continue;
            }
            while let Next::Wait(semaphore, value) = self.row.next() {
                semaphore.wait(value);
                let (come, reaped) = self.row.reap(Semaphore::look);
                reaped.expect("nobody signals what was not promised");
                come.into_iter().for_each(|(stream, value)| stream.complete(value));
            }
        }
    }

    fn has_calls(&self) -> bool {
        let mut inbox = self.inbox.lock().expect("no panic");
        inbox.is_served = std::mem::take(&mut inbox.calls) > 0;
        inbox.is_served
    }

    /// As a stream's `look`: asks the driver, and takes off the row what it says.
    fn ask(&self, stream: &Stream) {
        let seen = stream.semaphore.look().expect("nobody signals what was not promised");
        stream.complete(seen);
        if self.plant == Plant::TakenOffBlindly {
            self.row.abandon().into_iter().for_each(|flying| flying.submitted.end().unwrap_or(()));
        }
        self.row.sweep().into_iter().for_each(|(stream, value)| stream.complete(value));
    }

    /// As a wait of the host's.
    fn wait(self: &Arc<Self>, stream: &Stream, value: u64) {
        if self.plant != Plant::NobodyExpects {
            let want = self.row.expect(stream);
            self.call(want);
        }
        stream.sleep_for(value);
    }

    /// All threads of the waiter's are through: what was seen to be over was let go, once each.
    fn assert_let_go(&self, count: usize) {
        loop {
            let thread = self.inbox.lock().expect("no panic").threads.pop();
            let Some(thread) = thread else { break };
            thread.join().expect("no panic");
        }
        assert_eq!(self.ended.load(Ordering::Relaxed), count, "what is over was not let go");
    }
}

/// One submits and waits while another asks.
fn wait_beside_a_look(plant: Plant) {
    let (queue, stream) = (Queue::new(plant), Stream::new());
    let asking = {
        let (queue, stream) = (Arc::clone(&queue), Arc::clone(&stream));
        thread::spawn(move || queue.ask(&stream))
    };
    let device = queue.submit(&stream, 1);
    queue.wait(&stream, 1);
    device.join().expect("no panic");
    asking.join().expect("no panic");
    queue.assert_let_go(1);
}

#[test]
fn who_waits_is_told_and_what_is_over_is_let_go_beside_who_asks() {
    holds(2, || wait_beside_a_look(Plant::Nothing));
}

#[test]
fn a_wait_that_nobody_hears_of_sleeps_for_ever() {
    catches("deadlock", || holds(2, || wait_beside_a_look(Plant::NobodyExpects)));
}

#[test]
fn a_value_that_is_promised_behind_its_submission_is_taken_for_a_loss() {
    catches("nobody signals what was not promised", || {
        holds(2, || wait_beside_a_look(Plant::PromisedLate));
    });
}

/// Nobody waits: who asks may come before what is over lies on the row.
fn ask_beside_a_submission(plant: Plant) {
    let (queue, stream) = (Queue::new(plant), Stream::new());
    let asking = {
        let (queue, stream) = (Arc::clone(&queue), Arc::clone(&stream));
        thread::spawn(move || {
            queue.ask(&stream);
            stream.semaphore.counter.seen()
        })
    };
    let device = queue.submit(&stream, 1);
    device.join().expect("no panic");
    let seen = asking.join().expect("no panic");
    queue.assert_let_go(usize::try_from(seen).expect("one at most"));
}

#[test]
fn what_was_seen_before_it_lies_on_the_row_is_let_go_all_the_same() {
    holds(2, || ask_beside_a_submission(Plant::Nothing));
}

#[test]
fn what_is_put_on_the_row_without_a_look_stays_there() {
    catches("was not let go", || holds(2, || ask_beside_a_submission(Plant::PushedBlindly)));
}

#[test]
fn what_is_taken_off_without_a_look_is_let_go_before_its_end() {
    catches("before its end", || holds(2, || ask_beside_a_submission(Plant::TakenOffBlindly)));
}

#[test]
fn two_who_wait_for_streams_of_one_queue_are_told() {
    holds(2, || {
        let (queue, first, second) = (Queue::new(Plant::Nothing), Stream::new(), Stream::new());
        // The device is through with both.
        for stream in [&first, &second] {
            stream.semaphore.counter.promise(1);
            stream.semaphore.raise(1);
            queue.put(stream, 1);
        }
        let waiting = {
            let (queue, second) = (Arc::clone(&queue), Arc::clone(&second));
            thread::spawn(move || queue.wait(&second, 1))
        };
        queue.wait(&first, 1);
        waiting.join().expect("no panic");
        queue.assert_let_go(2);
    });
}
