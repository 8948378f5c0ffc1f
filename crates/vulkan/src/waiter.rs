//! The waiter: a thread for each queue that finds out how far the device is with it, while somebody waits for that.
//!
//! It is called for commands of the user's too of which only a query saw the end. It sleeps inside the driver, in
//! `vkWaitSemaphores`, until the oldest submission is over, and never for longer than a slice: a driver that forgets a sleeper, or loses its device in silence, is noticed with the next. One semaphore at a
//! time, because drivers without a way to sleep for several spin (seen: Mesa). That is enough, since a queue signals in
//! the order of its submissions. Of the user's it runs wakers, observers and the drops of what complete work kept.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Instant;

use syncpoint_base::Inside;
use syncpoint_core::Error;
use syncpoint_core::contract::{Ours, SLICE, Silence};
use syncpoint_core::errands::Errands;

use crate::context::Context;
use crate::line::Line;
use crate::queue::{Abandoned, Come, Row};
use crate::row::Next;
use crate::stream::VulkanStream;
use crate::sys::{Meaning, Refusal, Semaphore};

/// What a waiter is given: somebody waits for something that is on the queue of this line. It keeps neither: where no thread
/// can be made it lies on the line's own list, and while something is on the queue that keeps both.
#[derive(Debug)]
pub(crate) struct Watch(Weak<Context>, Weak<Line>);

/// A device is lost, and this is why.
#[derive(Debug)]
pub(crate) struct Loss(pub(crate) Arc<Context>, pub(crate) Error);

impl Watch {
    pub(crate) fn over(context: &Arc<Context>, line: &Arc<Line>) -> Self {
        Self(Arc::downgrade(context), Arc::downgrade(line))
    }
}

/// Waits until nothing is awaited for a while.
pub(crate) fn serve(errands: &Errands<Watch>) {
    errands.serve_each(watch);
}

/// Tells of a loss, on a thread of its own: a waker on a waiter may wait for what only this ends.
pub(crate) fn serve_losses(errands: &Errands<Loss>) {
    errands.serve_each(tell_loss);
}

fn watch(Watch(context, line): Watch, ours: Ours) {
    let (Some(context), Some(line)) = (context.upgrade(), line.upgrade()) else { return };
    serve_row(&context, line.queue().row(), ours);
    ours.go_on();
    // In place of the thread for that, where none could be made.
    for loss in context.untold_losses() {
        tell_loss(loss, ours);
        ours.go_on();
    }
}

fn tell_loss(Loss(context, error): Loss, ours: Ours) {
    lose(&context, &error, ours);
}

fn serve_row(context: &Arc<Context>, row: &Row, ours: Ours) {
    if !row.watch() {
        return;
    }
    let mut silence = Silence::default();
    while context.check().is_ok() {
        let Next::Wait(semaphore, value) = row.next() else { return };
        // Whether it came or only the slice ended, or the driver says neither, the row is looked through.
        let (inside, begin) = (Inside::enter_or_rest(), Instant::now());
        let waited = semaphore.wait(value, SLICE);
        let (come, reaped) = row.reap(Semaphore::look);
        drop(inside);
        let is_idle = come.is_empty() && matches!(waited, Ok(false));
        tell(come, ours);
        let is_silent = silence.hear(&reaped, counts);
        match reaped.and_then(|()| waited.map(drop)) {
            // Nobody would be woken any more.
            Err(refusal) if is_silent => {
                return give_up(context, &context.give_up(refusal.as_loss()), ours);
            }
            Err(refusal) => bear(context, refusal),
            // A driver that does not sleep, or wakes who waits too early, keeps no core busy.
            Ok(()) if is_idle => thread::park_timeout(SLICE.saturating_sub(begin.elapsed())),
            Ok(()) => {}
        }
    }
}

/// Whether a driver that says nothing else for long is given up. Memory for a call may be granted some time later.
fn counts(refusal: &Refusal) -> bool {
    !matches!(refusal.meaning(), Meaning::NoRoom | Meaning::Lost)
}

/// The driver has refused an answer. Of a lost device everything fails, on another thread.
fn bear(context: &Arc<Context>, refusal: Refusal) {
    let _told_to_who_asks = context.refused(refusal);
    if context.check().is_ok() {
        thread::park_timeout(SLICE);
    }
}

/// Nobody knows whether the device is at work still, and to ask for its rest may take for ever, under the lock of its
/// queue: so nobody does. Whoever waits is told, and what was submitted stays on the row, which leaves the device and all
/// that its work uses there.
fn give_up(context: &Context, error: &Error, ours: Ours) {
    context.domain().give_up(|_stream: &VulkanStream| true, error);
    ours.go_on();
}

fn tell(come: Vec<Come>, ours: Ours) {
    for (stream, value) in come {
        stream.complete(value);
        ours.go_on();
    }
}

/// Everything of the device that is not known complete fails. First it comes to rest, which a lost device does in finite
/// time: what its work uses is let go. One queue after the other, each under its own lock alone: nobody submits to any since
/// the loss is known, so none gets busy again behind this.
fn lose(context: &Context, error: &Error, ours: Ours) {
    if !context.is_silent() {
        let _inside = Inside::enter_or_rest();
        if let Err(refusal) = context.lines().all().try_for_each(|line| line.queue().settle()) {
            context.give_up(refusal);
        }
    }
    // Perhaps while it was to come to rest.
    if context.is_silent() {
        return give_up(context, error, ours);
    }
    let abandoned: Vec<_> = context.lines().all().map(|line| line.queue().abandon()).collect();
    context.domain().lose(|_stream: &VulkanStream| true, error);
    // Before the end: where a waker forked, what was abandoned is the parent's.
    ours.go_on();
    abandoned.into_iter().for_each(Abandoned::end);
}
