//! Losing: streams fail with all that hangs on them, and then whoever waits is told, ours first.
//!
//! A waker of the user's may wait for anything: for another stream that has failed, for a gate that was to open on one, or for a
//! stream of another backend that is held for one of them. Told stream by stream, it would sleep for what only its own thread
//! ends. So what fails has failed before anybody is told, and who runs nothing of the user's is woken before who does.

use std::collections::VecDeque;
use std::sync::Arc;

use super::failure::Failing;
use super::{Driver, HeldStream};
use crate::contract::{Task, Untold, discard, tell_all};
use crate::error::Error;
use crate::exit::rest_if_ours_and_exiting;
use crate::inherited::Own;

/// Streams that have failed, of whom nobody was told yet.
#[must_use = "whoever waits sleeps until the failures are told"]
pub(super) struct Losing<D: Driver>(VecDeque<Loss<D>>);

struct Loss<D: Driver> {
    stream: Arc<HeldStream<D>>,
    failing: Failing,
    /// What nothing of a lost device touches any more.
    kept: Vec<Task>,
}

impl<D: Driver> Losing<D> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    /// A stream that has failed.
    pub(super) fn of(stream: Arc<HeldStream<D>>, failing: Failing) -> Self {
        let mut losing = Self::new();
        losing.add(stream, failing);
        losing
    }

    fn add(&mut self, stream: Arc<HeldStream<D>>, failing: Failing) {
        self.0.push_back(Loss { stream, failing, kept: Vec::new() });
    }

    /// The device of the stream is lost: what is not known complete has failed, and nothing ever touches its resources
    /// again.
    pub(super) fn lose(&mut self, stream: Arc<HeldStream<D>>, error: &Error) {
        let mut flight = stream.flight();
        let kept = flight.lose(error);
        let from = flight.landed + 1;
        let failing = stream.begin_failure_of(&mut flight, from, error);
        drop(flight);
        self.0.push_back(Loss { stream, failing, kept });
    }

    /// Nobody knows whether the device is at work still: everything that is not known complete has failed, and what was
    /// submitted is left to the device.
    pub(super) fn give_up(&mut self, stream: Arc<HeldStream<D>>, error: &Error) {
        let failing = stream.begin_unnoticed(1, error);
        self.add(stream, failing);
    }

    /// Fails the streams whose submitted waits have failed, or that are held for what has, and those that wait for them,
    /// until there is no other. The streams are asked for anew behind each failure: one that is made later still looks for
    /// itself (`look_again`). Failures are rare, so everybody is asked.
    pub(super) fn spread(&mut self, streams: impl Fn() -> Vec<Arc<HeldStream<D>>>) {
        loop {
            let before = self.0.len();
            for stream in streams() {
                if let Some(failing) = stream.begin_failed_wait() {
                    self.add(stream, failing);
                }
            }
            if self.0.len() == before {
                return;
            }
        }
    }

    /// Tells whoever waits. Under no lock.
    pub(super) fn tell(self) {
        let alone: Box<dyn Untold> = Box::new(self);
        tell_all([alone]);
    }
}

impl<D: Driver> Untold for Losing<D> {
    fn tell_ours(&mut self) {
        for Loss { stream, failing, .. } in &mut self.0 {
            stream.tell_ours(failing);
        }
    }

    fn tell_users(self: Box<Self>) {
        rest_if_ours_and_exiting();
        let mut left = Own::new(self.0);
        while let Some(Loss { stream, failing, kept }) = left.get().and_then(VecDeque::pop_front) {
            let failing = Own::new(failing);
            kept.into_iter().for_each(discard);
            if let Some(failing) = failing.take() {
                stream.tell_users(failing);
            }
        }
    }
}
