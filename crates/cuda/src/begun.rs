//! What nobody hears of by an event: the device is asked whether it is through with the stream, until it is.
//!
//! A call that launches may give the error of an earlier launch, and have done its work (*documented*). The value is taken
//! back, so that nothing else keeps what the work touches. And where a mark was refused, or the question about one, no event
//! tells when the device has come to what it was given.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::Inside;
use syncpoint_core::hold::HeldStream;

use crate::guarded::{Guard, Looks};
use crate::poller::Poll;
use crate::stream::CudaStream;
use crate::sys::Meaning;

/// A stream whose device may be at work, and what that may touch.
struct Begun<T> {
    stream: Arc<HeldStream<CudaStream>>,
    /// `None`: nothing beside what the stream keeps of it.
    touched: Option<T>,
    looks: Looks,
}

/// How often it is looked whether the device is through, at first and at last: nobody waits for that.
const LOOK: Duration = Duration::from_millis(1);
const RARELY: Duration = Duration::from_secs(1);

/// Keeps what a refused operation of a stream may touch.
#[cold]
pub(crate) fn keep<T: Send + 'static>(stream: &Arc<HeldStream<CudaStream>>, touched: T) {
    ask(stream, Some(touched));
}

/// Finds out when the device is through with a stream of which a mark, or a question, was refused.
#[cold]
pub(crate) fn notice(stream: &Arc<HeldStream<CudaStream>>) {
    ask::<()>(stream, None);
}

/// Takes no lock but that of the poller's list.
fn ask<T: Send + 'static>(stream: &Arc<HeldStream<CudaStream>>, touched: Option<T>) {
    // About the stream of a thread no other thread can ask: what it uses is left to the device.
    if stream.driver().is_of_a_thread() {
        let _left = ManuallyDrop::new(touched);
        return;
    }
    let begun = Begun { stream: Arc::clone(stream), touched, looks: Looks::begin(LOOK, RARELY) };
    stream.driver().context().poll(Poll::Guard(Box::new(begun)));
}

impl<T: Send> Guard for Begun<T> {
    fn at(&self) -> Instant {
        self.looks.at()
    }

    fn is_pending(&self) -> bool {
        self.touched.is_some() || self.stream.is_unnoticed()
    }

    fn pass(&mut self) -> bool {
        // Of a lost device nothing is touched any more.
        if !self.stream.driver().context().is_usable() {
            return false;
        }
        // Before it is asked: what comes later may not be over.
        let given = self.stream.submitted();
        if self.is_through() {
            CudaStream::come_to(&self.stream, given);
            drop(self.touched.take());
        }
        self.looks.pause();
        self.is_pending()
    }
}

impl<T> Begun<T> {
    /// A stream that is captured is not asked, which would end the capture; what it refused is no node of that.
    fn is_through(&self) -> bool {
        let driver = self.stream.driver();
        let _inside = Inside::enter_or_rest();
        let idle = driver.context().asking().ask(|| {
            let captures = driver.handle().is_capturing()?;
            if captures { Ok(false) } else { driver.handle().is_idle() }
        });
        // Tried again with the next look, unless that broke the context. A driver that is gone took its work along.
        idle.unwrap_or_else(|refusal| {
            driver.context().refused(&refusal);
            refusal.meaning() == Meaning::Absent
        })
    }
}

impl<T> fmt::Debug for Begun<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Begun({})", self.stream.timeline())
    }
}
