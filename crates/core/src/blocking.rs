//! Telling a backend that one of its workers is about to wait inside this library.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use syncpoint_base::Process;

use crate::sync::local;

/// What a backend wants to hear of its workers' waits, so that it can bring another worker meanwhile.
pub trait Blocking: fmt::Debug + Send + Sync {
    /// This worker is about to wait.
    fn begin(&self);
    /// This worker waits no longer.
    fn end(&self);
}

local! {
    static LISTENER: RefCell<Option<(Process, Arc<dyn Blocking>)>> = RefCell::new(None);
}

/// Tells the waits of this thread to a listener, or to nobody.
pub fn set_blocking(listener: Option<Arc<dyn Blocking>>) {
    // While a thread ends its table may be gone; then it waits no more.
    let listener = listener.map(|listener| (Process::current(), listener));
    let _gone = LISTENER.try_with(|slot| slot.replace(listener));
}

/// A wait that the listener has been told of, until it is dropped.
pub(crate) struct Told(Option<Arc<dyn Blocking>>);

/// Tells the listener of this thread, if there is one, that a wait begins.
pub(crate) fn tell() -> Told {
    let listener = LISTENER.try_with(|slot| slot.borrow().clone()).ok().flatten();
    // Where a worker forked, its copy in the child works for nobody.
    let listener = listener.filter(|(process, _)| process.is_current());
    let listener = listener.map(|(_, listener)| listener);
    if let Some(listener) = &listener {
        listener.begin();
    }
    Told(listener)
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(listener) = &self.0 {
            listener.end();
        }
    }
}
