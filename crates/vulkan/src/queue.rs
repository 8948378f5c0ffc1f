//! A queue of a device, which the streams of one line submit to, and what is on it.

use std::collections::VecDeque;
use std::sync::Arc;

use syncpoint_core::errands::Want;
use syncpoint_core::hold::HeldStream;

use crate::row::{self, Flying, Numbered};
use crate::stream::VulkanStream;
use crate::sync::{Lock, Locked};
use crate::sys::{self, Batch, Meaning, Refusal, Semaphore, Submitted};

/// A queue with what was submitted to it and was not seen to end, in the order in which that ends: a queue signals in
/// the order of its submissions, so the end of one stream's may lag behind another's, and never behind what is held.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The driver's queue. Held while one batch is put together and submitted. Taken under the order lock of a stream.
    native: Lock<sys::Queue>,
    /// Its raw handle.
    raw: usize,
    /// A leaf: nothing is called under its lock.
    row: Row,
}

/// What was on the queue of a lost device as that had come to rest. Dropped before its end, it leaks what it keeps.
#[derive(Debug)]
pub(crate) struct Abandoned {
    flying: VecDeque<Flying<HeldStream<VulkanStream>, Submitted>>,
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

/// What became of commands of the user's.
#[derive(Debug)]
pub(crate) enum Passed {
    /// They were submitted; who is to call the waiter does.
    Given(Option<Want>),
    /// They were not: the device allows no more of them now.
    Crowded,
}

/// The row of a queue.
pub(crate) type Row = row::Row<HeldStream<VulkanStream>, Submitted>;

/// A value of a stream that has come.
pub(crate) type Come = row::Come<HeldStream<VulkanStream>>;

impl Queue {
    pub(crate) fn new(native: sys::Queue) -> Self {
        Self { raw: native.raw(), native: Lock::new(native), row: Row::new() }
    }

    /// Puts a batch together with `fill` and submits it: behind what the stream submitted before, and signalled as
    /// `value`. Says whether the waiter is to be called.
    pub(crate) fn submit(
        &self,
        stream: &HeldStream<VulkanStream>,
        value: u64,
        fill: impl FnOnce(&mut Batch<'_>) -> Result<(), Refusal>,
    ) -> Result<Option<Want>, Refusal> {
        let mut native = self.native_of(stream)?;
        let mut batch = self.batch(&mut native, stream)?;
        // Which also sees what those wrote.
        if let Some(passage) = stream.driver().passage().filter(|passage| passage.promised() > 0) {
            batch.wait(passage, passage.promised())?;
        }
        fill(&mut batch)?;
        let submitted = batch.submit(stream.driver().semaphore(), value);
        let submitted = submitted.map_err(|refusal| see_loss(stream, refusal))?;
        clear_deferred(stream);
        // Under the lock of the queue, so that the row has its order.
        Ok(self.row.push(stream.this(), value, submitted))
    }

    /// Submits commands of the user's, behind what the stream submitted before. They have no value of their own: the
    /// stream's next is behind them. Says whether the waiter is to be called; or the device allows no more of them now.
    ///
    /// `fill` puts the commands into the batch.
    pub(crate) fn pass(
        &self,
        stream: &HeldStream<VulkanStream>,
        passage: &Arc<Semaphore>,
        fill: impl FnOnce(&mut Batch<'_>),
    ) -> Result<Passed, Refusal> {
        let mut native = self.native_of(stream)?;
        let next = passage.promised() + 1;
        if !stream.driver().context().allows(passage, next)? {
            return Ok(Passed::Crowded);
        }
        let mut batch = self.batch(&mut native, stream)?;
        let (own, value) = (stream.driver().semaphore(), stream.driver().semaphore().promised());
        if value > 0 {
            batch.wait(own, value)?;
        }
        fill(&mut batch);
        let submitted = batch.submit(passage, next);
        let submitted = submitted.map_err(|refusal| see_loss(stream, refusal))?;
        clear_deferred(stream);
        // What it waited for has come when it is over.
        Ok(Passed::Given(self.row.push(stream.this(), value, submitted)))
    }

    /// Begins a batch of a stream, behind what that has still to wait for, in what is over, where nothing else lies ready: all
    /// of it at once, for the next ones.
    #[inline]
    fn batch<'a>(
        &self,
        native: &'a mut sys::Queue,
        stream: &HeldStream<VulkanStream>,
    ) -> Result<Batch<'a>, Refusal> {
        if native.lacks_spare() {
            self.row.take_spare(|spare| native.take_back(spare));
        }
        let (mut batch, deferred) = (native.batch(), stream.driver().deferred());
        if deferred.is_there() {
            let context = stream.driver().context();
            deferred.each(|semaphore, value| {
                let has_come = context.is_far_beyond(semaphore, value);
                if has_come { Ok(()) } else { batch.wait(semaphore, value) }
            })?;
        }
        Ok(batch)
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

    /// What is on it.
    pub(crate) fn row(&self) -> &Row {
        &self.row
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
        Abandoned { flying: self.row.abandon(), doubtful }
    }
}

/// What the stream had still to wait for the device waits for now.
#[inline]
fn clear_deferred(stream: &HeldStream<VulkanStream>) {
    let deferred = stream.driver().deferred();
    if deferred.is_there() {
        deferred.clear();
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

impl Numbered for HeldStream<VulkanStream> {
    fn number(&self) -> u64 {
        self.driver().number()
    }

    #[inline]
    fn note_submission(&self, number: u64) {
        self.driver().note_submission(number);
    }
}
