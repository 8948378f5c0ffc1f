//! Ending a run from another thread.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc::Sender,
};

use super::{children::Children, event::Event};

/// Ends a run from any thread, such as one that hears of Ctrl-C.
#[derive(Clone, Debug)]
pub struct Stopper {
    events: Sender<Event>,
    /// Whether stopping would change nothing, because the run was stopped before or is over.
    spent: Arc<AtomicBool>,
    children: Arc<Children>,
}

impl Stopper {
    pub(super) fn new(events: Sender<Event>, children: Arc<Children>) -> Self {
        Self { events, spent: Arc::default(), children }
    }

    /// Asks the run to end. Says whether that will have an effect: not if it was asked before, or if the run is over.
    pub fn stop(&self) -> bool {
        let first = !self.spend();
        first && self.events.send(Event::Stop).is_ok()
    }

    /// Kills every command that still runs, without a word to the run.
    pub fn kill(&self) {
        self.children.kill();
    }

    /// Makes stopping change nothing from now on. Says whether it did so already.
    pub(super) fn spend(&self) -> bool {
        // Relaxed: only the swap itself decides who was first.
        self.spent.swap(true, Ordering::Relaxed)
    }
}
