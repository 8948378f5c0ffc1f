//! The frames of a thread: what each guard and scope has made current, the innermost last.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use syncpoint_core::{Device, Stream};

/// What one guard or scope, or the thread itself, has made current.
#[derive(Debug)]
pub(super) struct Frame {
    id: Id,
    device: Option<Device>,
    /// At most one for each device. A row, because threads use a handful of devices.
    streams: Vec<Arc<Stream>>,
}

/// Names a frame. Never reused in a process: the frames of a scope travel from thread to thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u64);

impl Id {
    /// The frame of the thread itself, which nobody takes away.
    const OF_THREAD: Self = Self(0);

    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // Relaxed: uniqueness needs no order with any other access.
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Frame {
    const fn of_thread() -> Self {
        Self { id: Id::OF_THREAD, device: None, streams: Vec::new() }
    }

    /// A frame that makes a device current.
    pub(super) fn of_device(device: &Device) -> Self {
        Self { id: Id::next(), device: Some(device.clone()), streams: Vec::new() }
    }

    /// A frame that makes a stream and its device current.
    pub(super) fn of_stream(stream: &Arc<Stream>) -> Self {
        Self { streams: vec![Arc::clone(stream)], ..Self::of_device(stream.device()) }
    }

    pub(super) fn id(&self) -> Id {
        self.id
    }

    pub(super) fn device(&self) -> Option<&Device> {
        self.device.as_ref()
    }

    pub(super) fn stream(&self, device: &Device) -> Option<&Arc<Stream>> {
        self.streams.iter().find(|stream| stream.device() == device)
    }

    /// Gives what it replaces, to be dropped outside the table.
    pub(super) fn set_device(&mut self, device: Device) -> Option<Device> {
        self.device.replace(device)
    }

    /// Gives what it replaces, to be dropped outside the table.
    pub(super) fn set_stream(&mut self, stream: Arc<Stream>) -> Option<Arc<Stream>> {
        let same = self.streams.iter_mut().find(|known| known.device() == stream.device());
        if let Some(known) = same {
            return Some(std::mem::replace(known, stream));
        }
        self.streams.push(stream);
        None
    }
}

/// The frames of one thread.
struct Frames {
    thread: Frame,
    above: Vec<Frame>,
}

thread_local! {
    static FRAMES: RefCell<Frames> =
        const { RefCell::new(Frames { thread: Frame::of_thread(), above: Vec::new() }) };
}

/// Works on the frames of this thread. While the thread ends they may be gone: `None`. No user code runs inside.
fn with<T>(work: impl FnOnce(&mut Frames) -> T) -> Option<T> {
    FRAMES.try_with(|frames| work(&mut frames.borrow_mut())).ok()
}

/// What the innermost frame says that says something.
pub(super) fn find<T>(look: impl Fn(&Frame) -> Option<T>) -> Option<T> {
    with(|frames| {
        let innermost_first = frames.above.iter().rev().chain([&frames.thread]);
        innermost_first.into_iter().find_map(look)
    })?
}

/// Changes the innermost frame.
pub(super) fn change<T>(edit: impl FnOnce(&mut Frame) -> T) -> Option<T> {
    with(|frames| edit(frames.above.last_mut().unwrap_or(&mut frames.thread)))
}

/// Puts frames on top. They stay with the caller where the thread takes none any more.
pub(super) fn put(row: &mut Vec<Frame>) {
    with(|frames| frames.above.append(row));
}

/// Takes one frame away, wherever it lies. `None`: it does not lie on this thread now.
pub(super) fn take(id: Id) -> Option<Frame> {
    with(|frames| {
        let at = frames.above.iter().rposition(|frame| frame.id == id)?;
        Some(frames.above.remove(at))
    })?
}

/// Takes a frame and all that lie above it.
pub(super) fn take_from(id: Id) -> Option<Vec<Frame>> {
    with(|frames| {
        let at = frames.above.iter().rposition(|frame| frame.id == id)?;
        Some(frames.above.split_off(at))
    })?
}
