//! Which work runs on this thread: so that a wait inside work that would wait for itself is refused.

use std::cell::RefCell;

use crate::sync::local;
use crate::timeline::Timeline;

local! {
    /// The works that run on this thread, innermost last, by the id of the timeline and the value: a helping host thread
    /// may run work of another stream. Ids, because counting a reference twice for each function costs more than the
    /// rest of running it.
    static RUNNING: RefCell<Vec<(u64, u64)>> = RefCell::new(Vec::new());
}

/// Says, for as long as it lives, that this thread runs the work of a value. A backend holds it round each call of
/// the user's.
#[derive(Debug)]
#[must_use = "the work counts as running only while this lives"]
pub struct Running {
    _on_this_thread: std::marker::PhantomData<*const ()>,
}

impl Running {
    /// This thread runs the work of `value` from now on.
    #[inline]
    pub fn enter(timeline: &Timeline, value: u64) -> Self {
        // While a thread ends its table may be gone; then nobody asks any more.
        let _gone = RUNNING.try_with(|running| running.borrow_mut().push((timeline.id(), value)));
        Self { _on_this_thread: std::marker::PhantomData }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // While a thread ends its table may be gone; then nobody asks any more.
        let _gone = RUNNING.try_with(|running| running.borrow_mut().pop());
    }
}

/// Whether this thread runs work at this moment.
pub fn in_work() -> bool {
    RUNNING.try_with(|running| !running.borrow().is_empty()).unwrap_or(false)
}

/// The works that run on this thread, by the id of the timeline and the value.
pub(crate) fn current() -> Vec<(u64, u64)> {
    RUNNING.try_with(|running| running.borrow().clone()).unwrap_or_default()
}
