//! The queue of a device, which all of its streams submit to, and what is on it.

use std::collections::VecDeque;
use std::sync::Arc;

use syncpoint_core::hold::HeldStream;

use crate::stream::VulkanStream;
use crate::sync::{Mutex, MutexGuard, lock};
use crate::sys::{self, Batch, Commands, Refusal, Semaphore, Submitted};

/// A queue with what was submitted to it and was not seen to end, in the order in which that ends: a queue signals in
/// the order of its submissions, so the end of one stream's may lag behind another's, and never behind what is held.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The driver's queue. Held while one batch is put together and submitted. Taken under the order lock of a stream.
    native: Mutex<sys::Queue>,
    /// A leaf: nothing is called under it.
    row: Mutex<Row>,
}

#[derive(Debug, Default)]
struct Row {
    flying: VecDeque<Flying>,
    /// The number of the last submission.
    last: u64,
    /// Up to which number somebody waits.
    awaited: u64,
    /// Whether the waiter serves the row.
    is_watched: bool,
    /// Commands that are over: as many as were ever on their way at a time.
    spare: Vec<Commands>,
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

/// Whether a batch has commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing but waits and the signal.
    Plain,
    /// Commands as well.
    Commands,
}

/// What the waiter does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Wait for the oldest submission.
    Wait(Arc<Semaphore>, u64),
    /// Nothing: nobody waits any more.
    Leave,
}

/// A value of a stream that has come.
pub(crate) type Come = (Arc<HeldStream<VulkanStream>>, u64);

/// So many submissions that nobody waits for are left on the row: then the waiter lets go what they keep.
const UNAWAITED: u64 = 64;

impl Queue {
    pub(crate) fn new(native: sys::Queue) -> Self {
        Self { native: Mutex::new(native), row: Mutex::default() }
    }

    /// Puts a batch together with `fill` and submits it: behind what the stream submitted before, and signalled as
    /// `value`. Says whether the waiter is to be called.
    pub(crate) fn submit(
        &self,
        stream: &Arc<HeldStream<VulkanStream>>,
        value: u64,
        kind: Kind,
        fill: impl FnOnce(&mut Batch<'_>) -> Result<(), Refusal>,
    ) -> Result<bool, Refusal> {
        let mut native = self.native_of(stream)?;
        let spare = if kind == Kind::Commands { lock(&self.row).spare.pop() } else { None };
        let mut batch = native.batch(spare);
        wait_for_earlier(&mut batch, stream.driver())?;
        fill(&mut batch)?;
        let submitted = batch.submit(stream.driver().semaphore(), value)?;
        // Under the lock of the queue, so that the row has its order.
        Ok(lock(&self.row).push(stream, value, submitted))
    }

    /// Submits commands of the user's, behind what the stream submitted before. They have no value of their own: the
    /// stream's next is behind them. Says whether the waiter is to be called.
    ///
    /// `fill` puts the commands into the batch.
    pub(crate) fn pass(
        &self,
        stream: &Arc<HeldStream<VulkanStream>>,
        passage: &Arc<Semaphore>,
        fill: impl FnOnce(&mut Batch<'_>),
    ) -> Result<bool, Refusal> {
        let mut native = self.native_of(stream)?;
        let mut batch = native.batch(None);
        wait_for_earlier(&mut batch, stream.driver())?;
        fill(&mut batch);
        let submitted = batch.submit(passage, passage.promised() + 1)?;
        // What it waited for has come when it is over.
        let value = stream.driver().semaphore().promised();
        Ok(lock(&self.row).push(stream, value, submitted))
    }

    /// The driver's queue, unless the device is lost: then `abandon` may have been here.
    fn native_of(
        &self,
        stream: &HeldStream<VulkanStream>,
    ) -> Result<MutexGuard<'_, sys::Queue>, Refusal> {
        let native = lock(&self.native);
        let lost = stream.driver().context().check();
        lost.map(|()| native).map_err(|_first_cause| Refusal::lost("vkQueueSubmit"))
    }

    /// The raw handle of the driver's queue.
    pub(crate) fn raw(&self) -> usize {
        lock(&self.native).raw()
    }

    /// Somebody waits for what `stream` has submitted. Says whether the waiter is to be called.
    pub(crate) fn expect(&self, stream: &VulkanStream) -> bool {
        let mut row = lock(&self.row);
        row.awaited = row.awaited.max(stream.number());
        row.call()
    }

    /// What the waiter does next.
    pub(crate) fn next(&self) -> Next {
        let mut row = lock(&self.row);
        let awaited = row.awaited;
        if let Some(front) = row.flying.front().filter(|front| front.number <= awaited) {
            let (semaphore, value) = front.submitted.signal();
            return Next::Wait(Arc::clone(semaphore), value);
        }
        row.is_watched = false;
        Next::Leave
    }

    /// Takes off the row what is over, from the front on. Gives the values that have come, also where the driver refuses
    /// to say more.
    pub(crate) fn reap(&self) -> (Vec<Come>, Result<(), Refusal>) {
        let mut come = Vec::new();
        loop {
            let (over, front) = lock(&self.row).take_over();
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
        let (over, _front) = lock(&self.row).take_over();
        let mut come = Vec::new();
        self.end(over, &mut come);
        come
    }

    /// Lets go what submissions kept, outside every lock.
    fn end(&self, over: Vec<Flying>, come: &mut Vec<Come>) {
        let mut spare = Vec::new();
        for flying in over {
            let value = flying.value;
            spare.extend(flying.submitted.end());
            match come.last_mut() {
                Some((stream, latest)) if Arc::ptr_eq(stream, &flying.stream) => *latest = value,
                _ => come.push((flying.stream, value)),
            }
        }
        lock(&self.row).spare.append(&mut spare);
    }

    /// The device is lost: nothing on the row comes any more. Brings it to rest with `settle`, while nobody submits; who
    /// would submit after that finds it lost. To be dropped under no lock.
    pub(crate) fn abandon<F: FnOnce()>(&self, settle: F) -> impl Sized + use<F> {
        let native = lock(&self.native);
        settle();
        drop(native);
        let mut row = lock(&self.row);
        row.is_watched = false;
        std::mem::take(&mut row.flying)
    }
}

/// Batches of one queue may overlap, so each waits for its stream's before; then it sees too what that wrote.
fn wait_for_earlier(batch: &mut Batch<'_>, stream: &VulkanStream) -> Result<(), Refusal> {
    let own = stream.semaphore();
    for earlier in [Some(own), stream.passage()].into_iter().flatten() {
        if earlier.promised() > 0 {
            batch.wait(earlier, earlier.promised())?;
        }
    }
    Ok(())
}

impl Row {
    fn push(
        &mut self,
        stream: &Arc<HeldStream<VulkanStream>>,
        value: u64,
        submitted: Submitted,
    ) -> bool {
        self.last += 1;
        stream.driver().note_number(self.last);
        let (number, stream) = (self.last, Arc::clone(stream));
        if submitted.is_over() {
            // Somebody asked meanwhile, and found nothing on the row to take off.
            self.awaited = number;
        }
        self.flying.push_back(Flying { number, stream, value, submitted });
        if self.last.is_multiple_of(UNAWAITED) {
            self.awaited = self.awaited.max(self.last - UNAWAITED);
        }
        self.call()
    }

    /// Whether the waiter is to be called: there is something for it, and it is not there.
    fn call(&mut self) -> bool {
        let awaited = self.awaited;
        let is_due = self.flying.front().is_some_and(|front| front.number <= awaited);
        is_due && !std::mem::replace(&mut self.is_watched, true)
    }

    /// Takes what is over from the front, and tells what the front is then.
    fn take_over(&mut self) -> (Vec<Flying>, Option<(Arc<Semaphore>, u64)>) {
        let is_over = |flying: &Flying| flying.submitted.is_over();
        let over = self.flying.iter().take_while(|flying| is_over(flying)).count();
        let over = self.flying.drain(..over).collect();
        let front = self.flying.front().map(|front| {
            let (semaphore, value) = front.submitted.signal();
            (Arc::clone(semaphore), value)
        });
        (over, front)
    }
}
