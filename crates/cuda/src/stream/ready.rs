//! What lies ready under the order lock of a stream: the event of its next record, and where those are that it waits for.

use std::sync::Arc;

use super::CudaStream;
use crate::context::Context;
use crate::marks::Marks;
use crate::sync::Lock;
use crate::sys::Event;

/// What the next record and the next wait of a stream need.
#[derive(Debug)]
pub(crate) struct Ready {
    /// An event that the device has passed and nobody else has. Taken out of the ring as a record goes in, so that a record
    /// locks the ring once.
    next: Option<Arc<Event>>,
    /// The ring of the stream that was waited for last, where that is of the same context. It keeps no stream: the ring of
    /// one that is gone is empty.
    awaited: Option<Arc<Lock<Marks>>>,
    /// Whose they are. Behind both: as the last name of a broken context goes its retention is given back, and what still
    /// names it then keeps it for ever.
    context: Arc<Context>,
}

impl Ready {
    pub(super) fn new(context: &Arc<Context>) -> Self {
        Self { next: None, awaited: None, context: Arc::clone(context) }
    }

    #[inline]
    pub(super) fn take(&mut self) -> Option<Arc<Event>> {
        self.next.take()
    }

    /// The event of the next record, where none lies ready.
    #[inline]
    pub(super) fn put(&mut self, event: Option<Arc<Event>>) {
        self.next = event;
    }

    /// `stream` waits for another.
    pub(super) fn remember(&mut self, stream: &CudaStream, other: &CudaStream) {
        let is_near = Arc::ptr_eq(&stream.context, &other.context);
        self.awaited = is_near.then(|| Arc::clone(&other.marks));
    }

    #[inline]
    pub(super) fn awaited(&self) -> Option<&Lock<Marks>> {
        self.awaited.as_deref()
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if let Some(event) = self.next.take_if(|_| self.context.is_usable()) {
            self.context.give_back(event);
        }
    }
}
