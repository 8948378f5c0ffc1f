//! Telling a backend that one of its workers is about to wait inside this library.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use crate::inherited::Own;
use crate::sync::local;

/// What a backend wants to hear of its workers' waits, so that it can bring another worker meanwhile.
pub trait Blocking: fmt::Debug + Send + Sync {
    /// This worker is about to wait.
    fn begin(&self);
    /// This worker waits no longer.
    fn end(&self);
}

local! {
    static LISTENER: RefCell<Option<Own<Arc<dyn Blocking>>>> = RefCell::new(None);
}

/// Tells the waits of this thread to a listener, or to nobody.
pub fn set_blocking(listener: Option<Arc<dyn Blocking>>) {
    // While a thread ends its table may be gone; then it waits no more.
    let listener = listener.map(Own::new);
    let _gone = LISTENER.try_with(|slot| slot.replace(listener));
}

/// A wait that the listener has been told of, until it is dropped.
pub(crate) struct Told(Option<Arc<dyn Blocking>>);

/// Tells the listener of this thread, if there is one, that a wait begins.
pub(crate) fn tell() -> Told {
    // Where a worker forked, its copy in the child works for nobody.
    let listener = LISTENER.try_with(|slot| slot.borrow_mut().as_mut()?.get().cloned());
    let listener = listener.ok().flatten();
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
