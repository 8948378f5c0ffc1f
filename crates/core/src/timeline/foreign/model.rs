//! Models of what a counter of others was seen at: no value is told complete that fails as well.
//!
//! Who waits has models of its own (`call`).

use std::sync::Arc;

use loom::thread;

use super::{LOST, Seen};
use crate::error::Error;
use crate::model::{catches, holds};
use crate::point::State;
use crate::sync::{AtomicU64, Ordering};
use crate::timeline::Core;

/// A counter, apart from its driver, and how its loss is noted.
struct Bed {
    core: Core,
    seen: Seen,
    lose: fn(&Seen) -> Option<u64>,
}

fn a_look_and_a_loss_cross(lose: fn(&Seen) -> Option<u64>) {
    let bed = Arc::new(Bed { core: Core::new(0), seen: Seen(AtomicU64::new(0)), lose });
    let (looks, loses) = (Arc::clone(&bed), Arc::clone(&bed));
    let looks = thread::spawn(move || {
        if let Some(value) = looks.seen.raise(1) {
            looks.core.come(value);
        }
    });
    let loses = thread::spawn(move || {
        if let Some(last) = (loses.lose)(&loses.seen) {
            loses.core.fail(last + 1, Error::failed("lost")).wake();
        }
    });
    let is_complete = |bed: &Bed| matches!(bed.core.state(1), State::Complete);
    let was_complete = is_complete(&bed);
    assert!(looks.join().is_ok() && loses.join().is_ok());
    assert!(!was_complete || is_complete(&bed), "what was complete has failed");
    assert!(!matches!(bed.core.state(1), State::Pending), "a value is left to nobody");
}

#[test]
fn what_is_seen_beside_a_loss_is_complete_or_fails_and_stays_so() {
    holds(3, || a_look_and_a_loss_cross(Seen::lose));
}

#[test]
fn a_loss_that_is_noted_behind_the_last_look_is_caught() {
    catches("what was complete has failed", || {
        holds(3, || {
            a_look_and_a_loss_cross(|seen| {
                let last = seen.next() - 1;
                seen.0.fetch_or(LOST, Ordering::Relaxed);
                Some(last)
            });
        });
    });
}
