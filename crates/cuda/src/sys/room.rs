//! Rooms: memory of the host through which bytes go to a device and come back.

use std::ffi::c_void;
use std::slice;

use super::code::Refusal;
use super::context::Primary;
use super::pinned::Pinned;

/// Bytes of the host, pinned where the driver has room for that: then the device reaches them by itself.
#[derive(Debug)]
pub(crate) struct Room(Kind);

#[derive(Debug)]
enum Kind {
    Pinned(Pinned),
    /// Where there is no pinned memory: the driver copies once more.
    Plain(Box<[u8]>),
}

impl Room {
    /// So many bytes, all zero.
    pub(crate) fn new(primary: &Primary, bytes: usize) -> Self {
        match Pinned::new(primary, bytes) {
            Ok(pinned) => Self(Kind::Pinned(pinned)),
            Err(_plain_will_do) => Self(Kind::Plain(vec![0; bytes].into_boxed_slice())),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes().len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match &self.0 {
            // SAFETY: it has so many bytes, they were filled with zeros, and no device writes to them: to lend them takes
            // the room away.
            Kind::Pinned(pinned) => unsafe {
                slice::from_raw_parts(pinned.start().cast(), pinned.len())
            },
            Kind::Plain(bytes) => bytes,
        }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            // SAFETY: as in `bytes`, and the room is borrowed by nobody else.
            Kind::Pinned(pinned) => unsafe {
                slice::from_raw_parts_mut(pinned.start().cast(), pinned.len())
            },
            Kind::Plain(bytes) => bytes,
        }
    }

    /// Lends it to a device. If it is not taken back its bytes are leaked.
    pub(super) fn lend(mut self) -> Lent {
        let (start, bytes) = (self.bytes_mut().as_mut_ptr().cast(), self.len());
        Lent { room: Some(self), start, bytes }
    }

    /// Frees it.
    pub(crate) fn free(self) -> Result<(), Refusal> {
        match self.0 {
            Kind::Pinned(pinned) => pinned.free(),
            Kind::Plain(_) => Ok(()),
        }
    }
}

/// A room that a device may write to.
#[derive(Debug)]
pub(super) struct Lent {
    /// There until it is taken back.
    room: Option<Room>,
    start: *mut c_void,
    bytes: usize,
}

impl Lent {
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    pub(super) fn start(&self) -> *mut c_void {
        self.start
    }

    /// The device is done with it.
    pub(super) fn take_back(mut self) -> Room {
        self.room.take().unwrap_or_else(|| unreachable!("it is taken back once"))
    }
}

/// The device may be at it still. Its bytes stay, and nothing else does: a name of the context would keep that.
impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(Room(Kind::Plain(bytes))) = self.room.take() {
            Box::leak(bytes);
        }
    }
}
