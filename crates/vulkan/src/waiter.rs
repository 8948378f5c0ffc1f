//! The waiter: a thread for each device that finds out how far the device is, while somebody waits for that.
//!
//! It sleeps inside the driver, in `vkWaitSemaphores`, until the oldest submission is over, and never for longer than a
//! slice: a driver that forgets a sleeper, or loses its device in silence, is noticed with the next. One semaphore at a
//! time, because drivers without a way to sleep for several spin (seen: Mesa). That is enough, since a queue signals in
//! the order of its submissions. Of the user's it runs wakers, observers and the drops of what complete work kept.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use syncpoint_base::Inside;
use syncpoint_core::Error;
use syncpoint_core::contract::Ours;
use syncpoint_core::errands::{Errands, Sleep};

use crate::context::Context;
use crate::queue::{Come, Next};
use crate::stream::VulkanStream;
use crate::sys::rest;

/// What the waiter is given.
#[derive(Debug)]
pub(crate) enum Watch {
    /// Somebody waits for something that is on the queue.
    Queue(Arc<Context>),
    /// The device is lost.
    Lose(Arc<Context>, Error),
}

/// The longest sleep inside the driver, as everywhere in this library; shorter than the end of the process waits for it.
const SLICE: Duration = Duration::from_millis(50);

/// Waits until nothing is awaited for a while.
pub(crate) fn serve(errands: &Errands<Watch>) {
    let ours = Ours::begin();
    while let Some(given) = errands.take(Sleep::UntilGiven) {
        for watch in given {
            match watch {
                Watch::Queue(context) => serve_queue(&context, ours),
                Watch::Lose(context, error) => lose(&context, &error),
            }
            ours.go_on();
        }
    }
}

fn serve_queue(context: &Arc<Context>, ours: Ours) {
    while context.check().is_ok() {
        let Next::Wait(semaphore, value) = context.queue().next() else { return };
        // Whether it came or only the slice ended, or the driver says neither, the row is looked through.
        let inside = Inside::enter().unwrap_or_else(|| rest());
        let waited = semaphore.wait(value, SLICE);
        let (come, reaped) = context.queue().reap();
        drop(inside);
        tell(come, ours);
        if let Err(refusal) = waited.and(reaped) {
            // Of a lost device everything fails, which lies next on the list. What else may be refused is memory for the
            // call: some time later it may be granted.
            let _told_to_who_asks = context.refused(refusal);
            thread::park_timeout(SLICE);
        }
    }
}

fn tell(come: Vec<Come>, ours: Ours) {
    for (stream, value) in come {
        stream.complete(value);
        ours.go_on();
    }
}

/// Everything of the device that is not known complete fails. First it comes to rest, which a lost device does in finite
/// time: what its work uses is let go.
fn lose(context: &Context, error: &Error) {
    let inside = Inside::enter().unwrap_or_else(|| rest());
    let abandoned = context.queue().abandon(|| {
        // A lost device says so, and nothing else is of use.
        let _refused = context.device().settle();
    });
    drop(inside);
    context.domain().lose(|_stream: &VulkanStream| true, error);
    drop(abandoned);
}
