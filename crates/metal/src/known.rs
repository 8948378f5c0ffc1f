//! The queues that others commit to, too, in the whole process: what is on its way on one is counted once.
//!
//! Two libraries may take in the same queue, each with the room that was left to it; and a device of Metal may be opened here
//! several times.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use syncpoint_base::PerProcess;

use crate::room::Out;
use crate::sync::{Mutex, lock};

/// By the address of the queue, which whoever counts there keeps alive. A leaf.
static KNOWN: PerProcess<Mutex<HashMap<usize, Weak<Out>>>> = PerProcess::new(Mutex::default);

/// What is on its way on a queue of ours that others are about to have. Nobody counts there yet: one that is lent alone is not
/// to be taken in.
pub(crate) fn enter(queue: usize, out: &Arc<Out>) {
    let mut table = lock(&*KNOWN);
    table.retain(|_, out| out.strong_count() > 0);
    table.insert(queue, Arc::downgrade(out));
}

/// What is on its way on a queue of others.
pub(crate) fn out_of(queue: usize) -> Arc<Out> {
    let mut table = lock(&*KNOWN);
    table.retain(|_, out| out.strong_count() > 0);
    let known = table.get(&queue).and_then(Weak::upgrade);
    known.unwrap_or_else(|| {
        let out = Arc::new(Out::default());
        table.insert(queue, Arc::downgrade(&out));
        out
    })
}
