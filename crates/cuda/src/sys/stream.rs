//! The driver's streams: made, given work to wait for, and destroyed.

use super::code::Refusal;
use super::context::Primary;
use super::event::{self, Event};
use super::types::{CAPTURES_NOTHING, STREAM_NON_BLOCKING, StreamHandle, WAIT_EXTERNAL};

/// A stream of the driver's, of our making: no other stream waits for it by itself. Dropping it leaks it: a drop calls
/// no driver. [`destroy`](Self::destroy) ends it.
#[derive(Debug)]
pub(crate) struct Stream {
    primary: Primary,
    handle: StreamHandle,
}

impl Stream {
    /// A new one; of priorities outside the device's range the driver takes the nearest (*documented*).
    pub(crate) fn create(primary: &Primary, priority: i32) -> Result<Self, Refusal> {
        let mut handle = StreamHandle::NULL;
        let room = &raw mut handle;
        primary.within(|| {
            // SAFETY: the pointer is to a stream.
            unsafe { primary.library().table().create_stream(room, STREAM_NON_BLOCKING, priority) }
        })?;
        Ok(Self { primary: primary.clone(), handle })
    }

    pub(super) fn handle(&self) -> StreamHandle {
        self.handle
    }

    /// The context that it is of.
    pub(crate) fn primary(&self) -> &Primary {
        &self.primary
    }

    /// The address by which others know it.
    pub(crate) fn address(&self) -> usize {
        self.handle.0.expose_provenance()
    }

    /// Holds back what it is given later until the device has come to the event, which may be of another context.
    #[inline]
    pub(crate) fn wait(&self, event: &Event) -> Result<(), Refusal> {
        self.primary.near(|| {
            // SAFETY: both handles live: each is destroyed only with its owner, which is borrowed here.
            unsafe { self.primary.library().table().wait(self.handle, event.handle(), 0) }
        })
    }

    /// Puts a wait for the event into a capture, at every launch of the graph.
    pub(crate) fn wait_at_launch(&self, event: &Event) -> Result<(), Refusal> {
        self.primary.near(|| {
            let table = self.primary.library().table();
            // SAFETY: both handles live: each is destroyed only with its owner, which is borrowed here.
            unsafe { table.wait(self.handle, event.handle(), WAIT_EXTERNAL) }
        })
    }

    /// Whether somebody captures it, a broken capture included. A driver without captures has none.
    pub(crate) fn is_capturing(&self) -> Result<bool, Refusal> {
        let mut status = CAPTURES_NOTHING;
        let room = &raw mut status;
        let asked = self.primary.near(|| {
            // SAFETY: the pointer is to a status, and the handle lives.
            unsafe { self.primary.library().table().is_capturing(self.handle, room) }
        });
        match asked {
            Err(refusal) if refusal.is_missing() => Ok(false),
            outcome => outcome.map(|()| status != CAPTURES_NOTHING),
        }
    }

    /// Whether everything that anybody launched on it has ended.
    pub(crate) fn is_idle(&self) -> Result<bool, Refusal> {
        let asked = self.primary.near(|| {
            // SAFETY: the handle lives: it is destroyed only with its owner, which is borrowed here.
            unsafe { self.primary.library().table().query_stream(self.handle) }
        });
        match asked {
            Ok(()) => Ok(true),
            Err(refusal) if refusal.is_not_ready() => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// Waits on this thread until everything on it has ended.
    pub(crate) fn settle(&self) -> Result<(), Refusal> {
        event::settle(|| self.is_idle())
    }

    /// Ends it. What it was given runs to its end (*documented*).
    pub(crate) fn destroy(self) -> Result<(), Refusal> {
        self.primary.within(|| {
            // SAFETY: the handle lives, and nobody has it any more.
            unsafe { self.primary.library().table().destroy_stream(self.handle) }
        })
    }
}
