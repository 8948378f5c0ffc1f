//! The end of a stream: what it leaves goes back to its context or to the reaper, because a drop calls no driver.

use super::CudaStream;
use crate::marks::Marks;
use crate::reaper::Remains;

impl Drop for CudaStream {
    fn drop(&mut self) {
        // The lock of a parent is the parent's.
        if !self.context.is_inherited() {
            let marks = std::mem::take(&mut *self.marks());
            self.end(marks);
        }
        if let Some(owner) = self.owner.take() {
            self.context.let_go(owner);
        }
    }
}

impl CudaStream {
    /// Gives back what nobody needs any more. Of a broken context nothing can be ended: its events go here and now, since
    /// another stream may have a name of the ring, and what names the context behind its last user keeps it for ever.
    fn end(&mut self, marks: Marks) {
        if !self.context.is_usable() {
            return;
        }
        for event in marks.into_events() {
            self.context.give_back(event);
        }
        if let Some(native) = self.native.take() {
            self.context.reap(Remains::Stream(native));
        }
    }
}
