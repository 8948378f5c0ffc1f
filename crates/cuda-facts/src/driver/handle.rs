//! Handles: what the driver names its objects by, each kind a type of its own.
//!
//! A handle is as wide as a pointer and is never followed here. Those whose use after their end the manual leaves
//! undefined are not `Copy`: whoever destroys one gives it away.

use std::ffi::{CStr, c_char};

/// How a value is given to a function of C.
pub(super) trait Pass<Raw> {
    fn pass(self) -> Raw;
}

/// A type for each kind of object.
macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Debug, Default, PartialEq, Eq)]
        #[repr(transparent)]
        pub(crate) struct $name(usize);

        impl Pass<usize> for &$name {
            fn pass(self) -> usize {
                self.0
            }
        }

        impl Pass<usize> for $name {
            fn pass(self) -> usize {
                self.0
            }
        }
    )* };
}

handles! {
    Stream,
    Event,
    Graph,
    Executable,
    Module,
    Function,
    /// Memory of the device, by its address: what the device sees as a number is one.
    Block,
    /// Text of the driver's own, which is not read here.
    Text,
    /// A part of a device.
    Green,
    /// What a part is made of, as the driver describes it.
    Description,
}

impl Stream {
    /// The null stream, which the calls of this program take for the legacy one.
    pub(crate) const NULL: Self = Self(0);
    pub(crate) const LEGACY: Self = Self(1);
    pub(crate) const PER_THREAD: Self = Self(2);
}

impl Graph {
    pub(crate) fn is_null(&self) -> bool {
        self.0 == 0
    }
}

impl Text {
    pub(crate) fn is_null(&self) -> bool {
        self.0 == 0
    }
}

/// A context. The manual says what becomes of a thread whose context another has destroyed, so this one is `Copy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Context(usize);

impl Context {
    pub(crate) const NONE: Self = Self(0);
}

impl Pass<usize> for Context {
    fn pass(self) -> usize {
        self.0
    }
}

/// Where a word of memory lies for the device: only the driver says so, and what it gives out here is never freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Address(u64);

impl Address {
    pub(crate) const NULL: Self = Self(0);
}

impl Pass<u64> for Address {
    fn pass(self) -> u64 {
        self.0
    }
}

/// Room for the name of a device.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct Name(pub(super) [u8; Self::BYTES]);

impl Name {
    pub(super) const BYTES: usize = 256;
}

/// Room for what a device has to be divided, more than the manual of any version asks for.
#[derive(Debug)]
#[repr(C, align(8))]
pub(super) struct Resource([u8; Self::BYTES]);

impl Resource {
    const BYTES: usize = 512;

    pub(super) const NONE: Self = Self([0; Self::BYTES]);
}

/// An exported event, as 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Exported(pub(crate) [u8; 64]);

impl Pass<Self> for Exported {
    fn pass(self) -> Self {
        self
    }
}

impl<T> Pass<*mut T> for &mut T {
    fn pass(self) -> *mut T {
        self
    }
}

impl Pass<*const c_char> for &CStr {
    fn pass(self) -> *const c_char {
        self.as_ptr()
    }
}

/// Numbers are given as they are.
macro_rules! as_they_are {
    ($($number:ty),*) => { $(
        impl Pass<Self> for $number {
            fn pass(self) -> Self {
                self
            }
        }
    )* };
}

as_they_are!(u8, i32, u32, u64, usize, super::host::HostFunction, super::host::Callback);
