//! What all streams of a bench share: what the driver was given, and how it is to behave.

use std::sync::mpsc::{Receiver, Sender};

use crate::error::{Error, Result};
use crate::hold::tests::room::Room;
use crate::sync::{Mutex, lock};

/// What all streams of a bench share.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) given: Mutex<Vec<String>>,
    /// Refuses a submission, once so many others were taken.
    pub(super) refusal: Mutex<Option<(u32, Error)>>,
    pub(super) expected: Mutex<Vec<(u64, u64)>>,
    /// How many latches were made, where the driver has latches.
    pub(super) latches: Mutex<Option<u64>>,
    /// Whether the driver says that a stream is idle.
    pub(super) idle: Mutex<bool>,
    /// Tells that the next submission has begun, and keeps it until it is told to go on.
    pub(super) pause: Mutex<Option<(Sender<()>, Receiver<()>)>>,
    /// Whether others capture the streams that they launch on.
    pub(super) capturing: Mutex<bool>,
    /// Whether the capture ends with the next record.
    pub(super) ends_with_record: Mutex<bool>,
    /// Whether what a function needs is current.
    pub(super) lent: Mutex<bool>,
    /// Whether what was submitted has to be marked at once.
    pub(super) marks_at_once: Mutex<bool>,
    /// Whether the device is lost.
    pub(super) lost: Mutex<bool>,
    pub(super) room: Room,
    /// Whether somebody who waits has looked and not been about to sleep.
    pub(super) spun: Mutex<bool>,
}

impl Notes {
    /// Whether the next submission is refused.
    pub(super) fn refuse(&self) -> Result<()> {
        let mut refusal = lock(&self.refusal);
        match refusal.take() {
            Some((0, error)) => Err(error),
            Some((others, error)) => {
                *refusal = Some((others - 1, error));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
