//! The driver's streams: made or borrowed, given work to wait for, asked, and destroyed.

use std::ffi::c_int;
use std::ptr;

use super::code::{Meaning, Refusal};
use super::context::Primary;
use super::event::{self, Event};
use super::identity::Identity;
use super::page::SharedPage;
use super::types::{
    Address, CAPTURES_NOTHING, ContextHandle, GreenHandle, LEGACY_STREAM, PER_THREAD_STREAM,
    STREAM_NON_BLOCKING, StreamHandle, WAIT_AT_LEAST, WAIT_EXTERNAL, WRITE_IN_ORDER,
};
use super::word::Word;

/// A stream of the driver's. Dropping it leaks it: a drop calls no driver. [`destroy`](Self::destroy) ends it.
#[derive(Debug)]
pub(crate) struct Stream {
    primary: Primary,
    handle: StreamHandle,
    whose: Whose,
}

/// Who made a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// We did, and no other stream waits for it by itself.
    Ours,
    /// Others did, and see to its end.
    Others,
    /// Nobody: the handle stands for a stream of the context that is current.
    Driver,
}

impl Stream {
    /// A new one; of priorities outside the device's range the driver takes the nearest (*documented*).
    pub(crate) fn create(primary: &Primary, priority: i32) -> Result<Self, Refusal> {
        let make = || {
            let (table, mut handle) = (primary.library().table(), StreamHandle::NULL);
            // SAFETY: the pointer is to a stream.
            unsafe { table.create_stream(&raw mut handle, STREAM_NON_BLOCKING, priority) }?;
            Ok(Self { primary: primary.clone(), handle, whose: Whose::Ours })
        };
        primary.making(make, Self::destroy)
    }

    /// One that others made. Nothing is asked of it.
    ///
    /// # Safety
    /// - `address` is a stream of the driver's, none of its default streams, and lives for as long as this does.
    pub(crate) unsafe fn borrow(primary: &Primary, address: usize) -> Self {
        let handle = StreamHandle(ptr::with_exposed_provenance_mut(address));
        Self { primary: primary.clone(), handle, whose: Whose::Others }
    }

    /// The address of the context that it is of, which is that of a green one where it was made in one. This breaks a capture
    /// of the stream.
    pub(crate) fn context_address(&self) -> Result<usize, Refusal> {
        self.context().map(|context| context.0.expose_provenance())
    }

    fn context(&self) -> Result<ContextHandle, Refusal> {
        let mut context = ContextHandle::NULL;
        let room = &raw mut context;
        let table = self.primary.library().table();
        // SAFETY: the pointer is to a context, and the stream lives.
        match self.call(|| unsafe { table.stream_context(self.handle, room) }) {
            Ok(()) => Ok(context),
            // Of a stream of a green context the elder function does not tell.
            Err(refusal) if refusal.meaning() == Meaning::Unsupported => self.green_context(),
            Err(refusal) => Err(refusal),
        }
    }

    fn green_context(&self) -> Result<ContextHandle, Refusal> {
        let (mut context, mut green) = (ContextHandle::NULL, GreenHandle::NULL);
        let (room, told) = (&raw mut context, &raw mut green);
        let table = self.primary.library().table();
        // SAFETY: the pointers are to a context and a green one, and the stream lives.
        self.call(|| unsafe { table.stream_contexts(self.handle, room, told) })?;
        if green == GreenHandle::NULL {
            return Ok(context);
        }
        // SAFETY: the pointer is to a context, and the green one lives for as long as its stream does.
        self.call(|| unsafe { table.green_context(room, green) })?;
        Ok(context)
    }

    /// The legacy default stream of a context.
    pub(crate) fn legacy(primary: &Primary) -> Self {
        Self::of_the_driver(primary, LEGACY_STREAM)
    }

    /// The default stream of whichever thread uses it.
    pub(crate) fn per_thread(primary: &Primary) -> Self {
        Self::of_the_driver(primary, PER_THREAD_STREAM)
    }

    fn of_the_driver(primary: &Primary, number: usize) -> Self {
        let handle = StreamHandle(ptr::without_provenance_mut(number));
        Self { primary: primary.clone(), handle, whose: Whose::Driver }
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

    /// What tells it from every other. This breaks a capture of the stream.
    pub(crate) fn identity(&self) -> Result<Identity, Refusal> {
        let mut id = 0;
        let room = &raw mut id;
        // SAFETY: the pointer is to a word, and the stream lives.
        let asked =
            self.call(|| unsafe { self.primary.library().table().stream_id(self.handle, room) });
        Identity::told(asked.map(|()| id), self.address())
    }

    /// Its priority, or the usual one where the driver does not say. That the context cannot be made current is an error.
    pub(crate) fn priority(&self) -> Result<c_int, Refusal> {
        const USUAL: c_int = 0;
        let mut priority = USUAL;
        let room = &raw mut priority;
        let table = self.primary.library().table();
        // SAFETY: the pointer is to an int, and the stream lives.
        match self.call(|| unsafe { table.stream_priority(self.handle, room) }) {
            Err(refusal) if refusal.is_of("cuStreamGetPriority") => Ok(USUAL),
            asked => asked.map(|()| priority),
        }
    }

    /// Calls with what the handle needs to be current.
    #[expect(clippy::inline_always, reason = "a record and a wait are one function with it")]
    #[inline(always)]
    pub(super) fn call(&self, call: impl Fn() -> Result<(), Refusal>) -> Result<(), Refusal> {
        match self.whose {
            // As `near`, and a call that succeeds is through with one look.
            Whose::Ours | Whose::Others => match call() {
                Ok(()) => Ok(()),
                Err(refusal) => self.primary.nearer(refusal, call),
            },
            Whose::Driver => self.primary.within(call),
        }
    }

    /// Holds back what it is given later until the device has come to the event, which may be of another context.
    pub(crate) fn wait(&self, event: &Event) -> Result<(), Refusal> {
        self.call(|| self.wait_now(event))
    }

    /// The same behind a refusal of [`wait_now`](Self::wait_now).
    #[cold]
    pub(crate) fn wait_nearer(&self, refusal: Refusal, event: &Event) -> Result<(), Refusal> {
        self.primary.nearer(refusal, || self.wait_now(event))
    }

    /// The same with whatever is current, of a stream that is no default one.
    #[expect(
        clippy::inline_always,
        reason = "a frame of its own is 14 instructions of the 200 of a wait"
    )]
    #[inline(always)]
    pub(crate) fn wait_now(&self, event: &Event) -> Result<(), Refusal> {
        // SAFETY: both handles live: each is destroyed only with its owner, which is borrowed here.
        unsafe { self.primary.library().table().wait(self.handle, event.handle(), 0) }
    }

    /// Puts a wait for the event into a capture, at every launch of the graph.
    pub(crate) fn wait_at_launch(&self, event: &Event) -> Result<(), Refusal> {
        self.call(|| {
            let table = self.primary.library().table();
            // SAFETY: both handles live: each is destroyed only with its owner, which is borrowed here.
            unsafe { table.wait(self.handle, event.handle(), WAIT_EXTERNAL) }
        })
    }

    /// Holds back what it is given later until the word is at least `value`.
    pub(crate) fn wait_for_word(&self, word: &Word, value: u64) -> Result<(), Refusal> {
        let table = self.primary.library().table();
        self.primary.within(|| {
            // SAFETY: the stream lives, and the word does for as long as its context has streams.
            unsafe { table.wait_value(self.handle, word.address(), value, WAIT_AT_LEAST) }
        })
    }

    /// Holds back what it is given later until the number of a shared page is at least `value`.
    pub(crate) fn wait_for_number(
        &self,
        page: &SharedPage,
        index: usize,
        value: u64,
    ) -> Result<(), Refusal> {
        let table = self.primary.library().table();
        self.primary.within(|| {
            // SAFETY: the stream lives, and the page is registered until nothing waits for it.
            unsafe { table.wait_value(self.handle, page.address(index), value, WAIT_AT_LEAST) }
        })
    }

    /// Writes a number of a shared page as it comes to it.
    pub(crate) fn write_number(
        &self,
        page: &SharedPage,
        index: usize,
        value: u64,
    ) -> Result<(), Refusal> {
        self.write(page.address(index), value)
    }

    /// Writes a word as it comes to it.
    pub(crate) fn write_word(&self, word: &Word, value: u64) -> Result<(), Refusal> {
        self.write(word.address(), value)
    }

    fn write(&self, address: Address, value: u64) -> Result<(), Refusal> {
        let table = self.primary.library().table();
        self.primary.within(|| {
            // SAFETY: the stream lives, and the address is of memory that is registered until nothing writes to it.
            unsafe { table.write_value(self.handle, address, value, WRITE_IN_ORDER) }
        })
    }

    /// Whether others capture it into a graph.
    pub(crate) fn is_capturing(&self) -> Result<bool, Refusal> {
        let mut status = CAPTURES_NOTHING;
        let room = &raw mut status;
        let table = self.primary.library().table();
        // SAFETY: the pointer is to a status, and the stream lives.
        match self.call(|| unsafe { table.is_capturing(self.handle, room) }) {
            Ok(()) => Ok(status != CAPTURES_NOTHING),
            // Before there were captures.
            Err(refusal) if refusal.is_missing() => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// Whether everything that anybody launched on it has ended.
    pub(crate) fn is_idle(&self) -> Result<bool, Refusal> {
        let asked = self.call(|| {
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
        self.primary.unnoticed(|| event::settle(|| self.is_idle()))
    }

    /// Ends it, if it is ours. What it was given runs to its end (*documented*).
    pub(crate) fn destroy(self) -> Result<(), Refusal> {
        if self.whose != Whose::Ours {
            return Ok(());
        }
        self.primary.within(|| {
            // SAFETY: the handle lives, and nobody has it any more.
            unsafe { self.primary.library().table().destroy_stream(self.handle) }
        })
    }
}
