//! Owners: what keeps something of others alive. Its end is theirs, and comes on a thread of ours.

use std::any::Any;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use syncpoint_base::{Inside, Process};

use crate::errands::Errands;
use crate::exit;
use crate::panic::discard;
use crate::sync;

/// What keeps something of others alive. Wherever it is dropped, it ends on a thread of ours: who drops it may hold a lock
/// that the end of it takes. Where no thread can be made, it is kept until one can.
pub struct Owner {
    /// There until its end.
    kept: Option<Box<dyn Any + Send + Sync>>,
    process: Process,
}

sync::table! {
    /// Those that were dropped. What a context of CUDA used ends behind its use, on the reaper of that context.
    static LEFT: Arc<Errands<Owner>> = Errands::new("syncpoint-reap");
}

impl Owner {
    /// Keeps it until the drop.
    pub fn new(kept: impl Any + Send + Sync) -> Self {
        Self { kept: Some(Box::new(kept)), process: Process::current() }
    }

    /// Ends it here, on a thread of ours and under no lock.
    pub fn end(mut self) {
        if let Some(kept) = self.kept.take() {
            discard(kept);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let Some(kept) = self.kept.take() else { return };
        if self.process.is_current() {
            LEFT.give(Self { kept: Some(kept), process: self.process }, serve);
        } else {
            let _parents = ManuallyDrop::new(kept);
        }
    }
}

fn serve(errands: &Errands<Owner>) {
    errands.serve_each(|owner, _ours| {
        let Some(_inside) = Inside::enter() else { return exit::rest() };
        owner.end();
    });
}

impl fmt::Debug for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Owner")
    }
}
