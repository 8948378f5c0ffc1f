//! A row: what was submitted to a queue and was not seen to end, in the order in which that ends.
//!
//! Whoever submits puts it there, whoever waits calls the waiter to it, and whoever sees an end takes it off: the waiter, or
//! who asked. It knows no driver, so that a model stands behind it.

#[cfg(all(test, syncpoint_loom))]
mod model;

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::Arc;

use syncpoint_core::errands::{Standing, Want};

use crate::sync::Lock;

/// What a row is told of a submission.
pub(crate) trait Submission {
    /// What is raised when it is over.
    type Semaphore;

    /// What it was put together in.
    type Parcel: fmt::Debug;

    /// The semaphore that is raised when the device is through, and the value.
    fn signal(&self) -> (&Arc<Self::Semaphore>, u64);

    /// Whether the device was seen to be through.
    fn is_over(&self) -> bool;

    /// Lets go what it keeps, where it is over, and gives back what it was put together in.
    fn end(self) -> Option<Self::Parcel>;
}

/// A stream that submits to a row.
pub(crate) trait Numbered {
    /// The number that its last submission has on the row. Called under the lock of the row.
    fn number(&self) -> u64;

    /// Something was submitted, as this number. Called under the lock of the row.
    fn note_submission(&self, number: u64);
}

/// What was submitted to one queue. It keeps the streams: one whose owner is gone still finishes its work.
#[derive(Debug)]
pub(crate) struct Row<T, S: Submission>(Lock<Contents<T, S>>);

#[derive(Debug)]
struct Contents<T, S: Submission> {
    flying: VecDeque<Flying<T, S>>,
    /// The number of the last submission.
    last: u64,
    /// Up to which number somebody waits.
    awaited: u64,
    /// Whether the waiter serves the row.
    standing: Standing,
    /// What is over, to be used again: as much as was ever on its way at a time.
    spare: Vec<S::Parcel>,
}

/// One submission.
#[derive(Debug)]
pub(crate) struct Flying<T, S> {
    number: u64,
    stream: Arc<T>,
    /// The value of the stream that has come when it is over.
    value: u64,
    pub(crate) submitted: S,
}

/// What the waiter does next.
#[derive(Debug)]
pub(crate) enum Next<P> {
    /// Wait for the oldest submission.
    Wait(Arc<P>, u64),
    /// Nothing: nobody waits any more.
    Leave,
}

/// A value of a stream that has come.
pub(crate) type Come<T> = (Arc<T>, u64);

/// So many submissions that nobody waits for are left on the row: then the waiter lets go what they keep.
const UNAWAITED: u64 = 64;

impl<T: Numbered, S: Submission> Row<T, S> {
    pub(crate) fn new() -> Self {
        let (flying, standing) = (VecDeque::new(), Standing::default());
        Self(Lock::new(Contents { flying, last: 0, awaited: 0, standing, spare: Vec::new() }))
    }

    /// Puts a submission on it: `value` of the stream has come when that is over. In the order of the queue, so under its
    /// lock. Says whether the waiter is to be called.
    #[inline]
    pub(crate) fn push(&self, stream: Arc<T>, value: u64, submitted: S) -> Option<Want> {
        self.0.lock().push(stream, value, submitted)
    }

    /// Somebody waits for what a stream has submitted. Says whether the waiter is to be called.
    pub(crate) fn expect(&self, stream: &T) -> Option<Want> {
        let mut row = self.0.lock();
        row.awaited = row.awaited.max(stream.number());
        if row.is_due() { row.standing.want() } else { None }
    }

    /// The waiter was called and cannot come: the call lies there for the next thread that can be made.
    #[cold]
    pub(crate) fn leave_called(&self, want: Want) {
        self.0.lock().standing.leave_given(want);
    }

    /// The waiter has come. Says whether it is to serve the row.
    pub(crate) fn watch(&self) -> bool {
        self.0.lock().standing.take()
    }

    /// What the waiter does next.
    pub(crate) fn next(&self) -> Next<S::Semaphore> {
        let mut row = self.0.lock();
        if row.is_due()
            && let Some((semaphore, value)) = row.front()
        {
            return Next::Wait(semaphore, value);
        }
        row.standing.leave();
        Next::Leave
    }

    /// Takes off what is over, from the front on, as far as `look` says. Gives the values that have come, also where it
    /// refuses to say more.
    pub(crate) fn reap<E>(
        &self,
        look: impl Fn(&S::Semaphore) -> Result<u64, E>,
    ) -> (Vec<Come<T>>, Result<(), E>) {
        let mut come = Vec::new();
        loop {
            let mut row = self.0.lock();
            let (over, front) = (row.take_over(), row.front());
            drop(row);
            let is_last = over.is_empty();
            self.end(over, &mut come);
            match front.map(|(semaphore, value)| look(&semaphore).map(|seen| seen >= value)) {
                Some(Err(refusal)) => return (come, Err(refusal)),
                Some(Ok(true)) => {}
                _ if is_last => return (come, Ok(())),
                _ => {}
            }
        }
    }

    /// Takes off what was seen to be over, from the front on, and asks nobody. Gives the values that have come.
    pub(crate) fn sweep(&self) -> Vec<Come<T>> {
        let over = self.0.lock().take_over();
        let mut come = Vec::new();
        self.end(over, &mut come);
        come
    }

    /// Lets go what submissions kept, outside every lock.
    fn end(&self, over: Vec<Flying<T, S>>, come: &mut Vec<Come<T>>) {
        if over.is_empty() {
            return;
        }
        let mut spare = Vec::with_capacity(over.len());
        for flying in over {
            let value = flying.value;
            spare.extend(flying.submitted.end());
            match come.last_mut() {
                Some((stream, latest)) if Arc::ptr_eq(stream, &flying.stream) => *latest = value,
                _ => come.push((flying.stream, value)),
            }
        }
        self.0.lock().spare.append(&mut spare);
    }

    /// What is over, to be used again: all of it, into `spare`.
    #[inline]
    pub(crate) fn take_spare(&self, spare: impl FnOnce(&mut Vec<S::Parcel>)) {
        spare(&mut self.0.lock().spare);
    }

    /// Nothing on it comes any more.
    pub(crate) fn abandon(&self) -> VecDeque<Flying<T, S>> {
        mem::take(&mut self.0.lock().flying)
    }
}

impl<T: Numbered, S: Submission> Contents<T, S> {
    #[inline]
    fn push(&mut self, stream: Arc<T>, value: u64, submitted: S) -> Option<Want> {
        self.last += 1;
        stream.note_submission(self.last);
        let number = self.last;
        if submitted.is_over() {
            // Somebody asked meanwhile, and found nothing on the row to take off.
            self.awaited = number;
        }
        self.flying.push_back(Flying { number, stream, value, submitted });
        if self.last.is_multiple_of(UNAWAITED) {
            self.awaited = self.awaited.max(self.last - UNAWAITED);
        }
        // Who submits sleeps for nothing yet.
        if self.is_due() { self.standing.want_first() } else { None }
    }

    /// Whether there is something for the waiter.
    #[inline]
    fn is_due(&self) -> bool {
        self.flying.front().is_some_and(|front| front.number <= self.awaited)
    }

    /// Takes what is over from the front.
    fn take_over(&mut self) -> Vec<Flying<T, S>> {
        let is_over = |flying: &Flying<T, S>| flying.submitted.is_over();
        let over = self.flying.iter().take_while(|flying| is_over(flying)).count();
        self.flying.drain(..over).collect()
    }

    /// What is raised when the front is over.
    fn front(&self) -> Option<(Arc<S::Semaphore>, u64)> {
        self.flying.front().map(|front| {
            let (semaphore, value) = front.submitted.signal();
            (Arc::clone(semaphore), value)
        })
    }
}
