//! Pointers that come from C programs: null is refused, and the rest is the program's promise.

use std::ffi::{CStr, c_char, c_void};

use crate::code::{Code, Result};

/// Room for a result.
#[repr(transparent)]
pub(super) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Refuses null, before anything is done for the result.
    pub(super) fn check(&self) -> Result {
        if self.0.is_null() { Err(Code::INVALID_VALUE) } else { Ok(()) }
    }

    pub(super) fn put(&self, value: T) -> Result {
        self.check()?;
        // SAFETY: it is not null; the program promises that it leads to room for the type, as the driver asks of it.
        unsafe { self.0.write_unaligned(value) };
        Ok(())
    }

    /// One of several that lie in a row, for which the program has said that there is room.
    pub(super) fn put_at(&self, index: usize, value: T) -> Result {
        self.check()?;
        Self(self.0.wrapping_add(index)).put(value)
    }

    /// What is there.
    pub(super) fn get(&self) -> Result<T>
    where
        T: Copy,
    {
        In(self.0.cast_const()).get()
    }

    /// Gives what is there for something else.
    pub(super) fn exchange(&self, change: impl FnOnce(T) -> Result<T>) -> Result {
        self.check()?;
        // SAFETY: it is not null; the program promises that it leads to such a thing.
        let before = unsafe { self.0.read_unaligned() };
        self.put(change(before)?)
    }

    /// Where the program may leave the room out.
    pub(super) fn put_if_wanted(&self, value: T) {
        let _left_out = self.put(value);
    }
}

/// Something to read.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct In<T>(*const T);

impl<T: Copy> In<T> {
    pub(super) fn get(self) -> Result<T> {
        if self.0.is_null() {
            return Err(Code::INVALID_VALUE);
        }
        // SAFETY: it is not null; the program promises that it leads to such a thing.
        Ok(unsafe { self.0.read_unaligned() })
    }

    /// One of several that lie in a row, of which the program has said how many there are.
    pub(super) fn at(self, index: usize) -> Result<T> {
        Self(self.0.wrapping_add(index)).get()
    }
}

/// A text of C.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Text(*const c_char);

impl Text {
    pub(super) fn get(self) -> Result<String> {
        if self.0.is_null() {
            return Err(Code::INVALID_VALUE);
        }
        // SAFETY: it is not null; the program promises that it is a text with an end.
        let text = unsafe { CStr::from_ptr(self.0) };
        Ok(text.to_string_lossy().into_owned())
    }
}

/// Memory of the program of which the driver knows nothing.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Host(*mut c_void);

impl Host {
    /// Memory at an address that a program gave as a number.
    pub(super) fn at(address: u64) -> Self {
        Self(std::ptr::with_exposed_provenance_mut(usize::try_from(address).unwrap_or(0)))
    }

    pub(super) fn address(self) -> u64 {
        self.0.addr() as u64
    }

    /// The address of memory that will be reached by it.
    pub(super) fn exposed(self) -> u64 {
        self.0.expose_provenance() as u64
    }

    /// The bytes as they are now.
    pub(super) fn read(self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        if length == 0 {
            return Ok(bytes);
        }
        if self.0.is_null() {
            return Err(Code::INVALID_VALUE);
        }
        // SAFETY: the program promises so many bytes to read; the room was made above and is nobody else's.
        unsafe { self.0.cast::<u8>().copy_to_nonoverlapping(bytes.as_mut_ptr(), length) };
        Ok(bytes)
    }

    pub(super) fn write(self, bytes: &[u8]) -> Result {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.0.is_null() {
            return Err(Code::INVALID_VALUE);
        }
        // SAFETY: the program promises room for so many bytes; the source is a copy of ours.
        unsafe { self.0.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    /// Writes a text with its end, cut where the room ends.
    pub(super) fn write_text(self, text: &str, room: i32) -> Result {
        let room =
            usize::try_from(room).ok().filter(|room| *room > 0).ok_or(Code::INVALID_VALUE)?;
        let mut bytes: Vec<u8> = text.bytes().take(room - 1).collect();
        bytes.push(0);
        self.write(&bytes)
    }
}
