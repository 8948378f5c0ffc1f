//! A queue of a device, which the streams of one line submit to, and what is on it.

use std::collections::VecDeque;
use std::sync::Arc;

use syncpoint_core::errands::{Standing, Want};
use syncpoint_core::hold::HeldStream;

use crate::stream::VulkanStream;
use crate::sync::{Lock, Locked};
use crate::sys::{self, Batch, Meaning, Parcel, Refusal, Semaphore, Submitted};

/// A queue with what was submitted to it and was not seen to end, in the order in which that ends: a queue signals in
/// the order of its submissions, so the end of one stream's may lag behind another's, and never behind what is held.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The driver's queue. Held while one batch is put together and submitted. Taken under the order lock of a stream.
    native: Lock<sys::Queue>,
    /// Its raw handle.
    raw: usize,
    /// A leaf: nothing is called under it.
    row: Lock<Row>,
}

#[derive(Debug, Default)]
struct Row {
    flying: VecDeque<Flying>,
    /// The number of the last submission.
    last: u64,
    /// Up to which number somebody waits.
    awaited: u64,
    /// Whether the waiter serves the row.
    standing: Standing,
    /// What is over, to be used again: as much as was ever on its way at a time.
    spare: Vec<Parcel>,
}

/// One submission. It keeps its stream: a stream whose owner is gone still finishes its work.
#[derive(Debug)]
struct Flying {
    number: u64,
    stream: Arc<HeldStream<VulkanStream>>,
    /// The value of the stream that has come when it is over.
    value: u64,
    submitted: Submitted,
}

/// What was on the queue of a lost device as that had come to rest. Dropped before its end, it leaks what it keeps.
#[derive(Debug)]
pub(crate) struct Abandoned {
    flying: VecDeque<Flying>,
    doubtful: Vec<Submitted>,
}

impl Abandoned {
    /// Lets go all that it keeps.
    pub(crate) fn end(self) {
        for flying in self.flying {
            flying.submitted.end_at_rest();
        }
        self.doubtful.into_iter().for_each(Submitted::end_at_rest);
    }
}

/// What the waiter does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Wait for the oldest submission.
    Wait(Arc<Semaphore>, u64),
    /// Nothing: nobody waits any more.
    Leave,
}

/// What became of commands of the user's.
#[derive(Debug)]
pub(crate) enum Passed {
    /// They were submitted; who is to call the waiter does.
    Given(Option<Want>),
    /// They were not: the device allows no more of them now.
    Crowded,
}

/// A value of a stream that has come.
pub(crate) type Come = (Arc<HeldStream<VulkanStream>>, u64);

/// So many submissions that nobody waits for are left on the row: then the waiter lets go what they keep.
const UNAWAITED: u64 = 64;

impl Queue {
    pub(crate) fn new(native: sys::Queue) -> Self {
        Self { raw: native.raw(), native: Lock::new(native), row: Lock::default() }
    }

    /// Puts a batch together with `fill` and submits it: behind what the stream submitted before, and signalled as
    /// `value`. Says whether the waiter is to be called.
    pub(crate) fn submit(
        &self,
        stream: &Arc<HeldStream<VulkanStream>>,
        value: u64,
        fill: impl FnOnce(&mut Batch<'_>) -> Result<(), Refusal>,
    ) -> Result<Option<Want>, Refusal> {
        let mut native = self.native_of(stream)?;
        let mut batch = self.batch(&mut native);
        // Which also sees what those wrote.
        if let Some(passage) = stream.driver().passage().filter(|passage| passage.promised() > 0) {
            batch.wait(passage, passage.promised())?;
        }
        fill(&mut batch)?;
        let submitted = batch.submit(stream.driver().semaphore(), value);
        let submitted = submitted.map_err(|refusal| see_loss(stream, refusal))?;
        // Under the lock of the queue, so that the row has its order.
        Ok(self.row.lock().push(stream, value, submitted))
    }

    /// Submits commands of the user's, behind what the stream submitted before. They have no value of their own: the
    /// stream's next is behind them. Says whether the waiter is to be called; or the device allows no more of them now.
    ///
    /// `fill` puts the commands into the batch.
    pub(crate) fn pass(
        &self,
        stream: &Arc<HeldStream<VulkanStream>>,
        passage: &Arc<Semaphore>,
        fill: impl FnOnce(&mut Batch<'_>),
    ) -> Result<Passed, Refusal> {
        let mut native = self.native_of(stream)?;
        let next = passage.promised() + 1;
        if !stream.driver().context().allows(passage, next)? {
            return Ok(Passed::Crowded);
        }
        let mut batch = self.batch(&mut native);
        let (own, value) = (stream.driver().semaphore(), stream.driver().semaphore().promised());
        if value > 0 {
            batch.wait(own, value)?;
        }
        fill(&mut batch);
        let submitted = batch.submit(passage, next);
        let submitted = submitted.map_err(|refusal| see_loss(stream, refusal))?;
        // What it waited for has come when it is over.
        Ok(Passed::Given(self.row.lock().push(stream, value, submitted)))
    }

    /// Begins a batch, in what is over, where nothing else lies ready: all of it at once, for the next ones.
    #[inline]
    fn batch<'a>(&self, native: &'a mut sys::Queue) -> Batch<'a> {
        if native.lacks_spare() {
            native.take_back(&mut self.row.lock().spare);
        }
        native.batch()
    }

    /// The driver's queue, unless the device is lost: then `abandon` may have been here. Who comes here has looked for that
    /// before: under the lock a lost device is brought to rest.
    #[inline]
    fn native_of(
        &self,
        stream: &HeldStream<VulkanStream>,
    ) -> Result<Locked<'_, sys::Queue>, Refusal> {
        let native = self.native.lock();
        if stream.driver().context().is_lost() {
            return Err(Refusal::lost("vkQueueSubmit"));
        }
        Ok(native)
    }

    /// The raw handle of the driver's queue. Takes no lock: a lost device may be brought to rest under it.
    pub(crate) fn raw(&self) -> usize {
        self.raw
    }

    /// Somebody waits for what `stream` has submitted. Says whether the waiter is to be called.
    pub(crate) fn expect(&self, stream: &VulkanStream) -> Option<Want> {
        let mut row = self.row.lock();
        row.awaited = row.awaited.max(stream.number());
        if row.is_due() { row.standing.want() } else { None }
    }

    /// The waiter was called and cannot come: the call lies there for the next thread that can be made.
    #[cold]
    pub(crate) fn leave_called(&self, want: Want) {
        self.row.lock().standing.leave_given(want);
    }

    /// The waiter has come. Says whether it is to serve the row.
    pub(crate) fn watch(&self) -> bool {
        self.row.lock().standing.take()
    }

    /// What the waiter does next.
    pub(crate) fn next(&self) -> Next {
        let mut row = self.row.lock();
        let awaited = row.awaited;
        if let Some(front) = row.flying.front().filter(|front| front.number <= awaited) {
            let (semaphore, value) = front.submitted.signal();
            return Next::Wait(Arc::clone(semaphore), value);
        }
        row.standing.leave();
        Next::Leave
    }

    /// Takes off the row what is over, from the front on. Gives the values that have come, also where the driver refuses
    /// to say more.
    pub(crate) fn reap(&self) -> (Vec<Come>, Result<(), Refusal>) {
        let mut come = Vec::new();
        loop {
            let mut row = self.row.lock();
            let (over, front) = (row.take_over(), row.front());
            drop(row);
            let is_last = over.is_empty();
            self.end(over, &mut come);
            match front.map(|(semaphore, value)| semaphore.look().map(|seen| seen >= value)) {
                Some(Err(refusal)) => return (come, Err(refusal)),
                Some(Ok(true)) => {}
                _ if is_last => return (come, Ok(())),
                _ => {}
            }
        }
    }

    /// Takes off the row what was seen to be over, from the front on, and calls no driver. Gives the values that have come.
    pub(crate) fn sweep(&self) -> Vec<Come> {
        let over = self.row.lock().take_over();
        let mut come = Vec::new();
        self.end(over, &mut come);
        come
    }

    /// Lets go what submissions kept, outside every lock.
    fn end(&self, over: Vec<Flying>, come: &mut Vec<Come>) {
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
        self.row.lock().spare.append(&mut spare);
    }

    /// The device is lost: brings it to rest, while nobody submits; who would submit after that finds it lost.
    ///
    /// # Errors
    /// Nobody knows whether it is at rest.
    pub(crate) fn settle(&self) -> Result<(), Refusal> {
        match self.native.lock().settle() {
            // A lost device says so, and is at rest.
            Err(refusal) if refusal.meaning() != Meaning::Lost => Err(refusal),
            _ => Ok(()),
        }
    }

    /// It is at rest: nothing on the row comes any more, and nothing of what was refused. To be ended under no lock.
    pub(crate) fn abandon(&self) -> Abandoned {
        let doubtful = self.native.lock().take_doubtful();
        Abandoned { flying: std::mem::take(&mut self.row.lock().flying), doubtful }
    }
}

/// A submission was refused. Where that is a loss, nobody submits behind it: its value may never come. Under the lock of the
/// queue.
#[cold]
fn see_loss(stream: &HeldStream<VulkanStream>, refusal: Refusal) -> Refusal {
    if refusal.meaning() == Meaning::Lost {
        let _told_by_who_submits = stream.driver().context().refused(refusal);
    }
    refusal
}

impl Row {
    #[inline]
    fn push(
        &mut self,
        stream: &Arc<HeldStream<VulkanStream>>,
        value: u64,
        submitted: Submitted,
    ) -> Option<Want> {
        self.last += 1;
        stream.driver().note_submission(self.last);
        let (number, stream) = (self.last, Arc::clone(stream));
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
    fn take_over(&mut self) -> Vec<Flying> {
        let is_over = |flying: &Flying| flying.submitted.is_over();
        let over = self.flying.iter().take_while(|flying| is_over(flying)).count();
        self.flying.drain(..over).collect()
    }

    /// What is raised when the front is over.
    fn front(&self) -> Option<(Arc<Semaphore>, u64)> {
        self.flying.front().map(|front| {
            let (semaphore, value) = front.submitted.signal();
            (Arc::clone(semaphore), value)
        })
    }
}
