//! Heard: what the last look at a counter was refused with, whoever looked, and when that counts as its loss.

use std::mem;

use crate::error::{Error, Kind, Result};
use crate::silence::Silence;
use crate::sync::{Mutex, lock};
use crate::timeline::Timeline;

/// What looks have said.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Looks>);

#[derive(Debug, Default)]
struct Looks {
    refusal: Option<Error>,
    silence: Silence,
}

impl Heard {
    /// Notes what a look said. Gives the refusal with which the counter counts as lost, where it is that.
    pub(super) fn note(&self, said: &Result<u64>) -> Option<Error> {
        let mut looks = lock(&self.0);
        let refusal = said.as_ref().err().cloned();
        let before = mem::replace(&mut looks.refusal, refusal);
        let is_loss = looks.silence.hear(said, |error| error.kind() != Kind::Exhausted);
        let loss = looks.refusal.clone().filter(|_| is_loss);
        drop(looks);
        drop(before);
        loss
    }

    /// What the last look was refused with, where it was.
    pub(super) fn refusal(&self) -> Option<Error> {
        lock(&self.0).refusal.clone()
    }
}

/// Why a counter that has been silent counts as lost.
#[cold]
pub(super) fn silent(timeline: &Timeline, last: Error) -> Error {
    let message = format!(
        "nothing was heard of the counter of {timeline} for a second ({last}): it counts as lost; take it in anew"
    );
    Error::new(Kind::DeviceLost, message).caused_by(last)
}
