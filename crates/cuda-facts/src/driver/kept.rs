//! Memory of this process that the driver comes to after a call: never freed, since a question is a process.

use std::sync::atomic::AtomicU64;

use super::handle::Pass;

/// What the driver reads later, or gives back to a function of ours, by its address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept(usize);

impl Kept {
    /// Nothing.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn of<T: Sync>(kept: &'static T) -> Self {
        Self(std::ptr::from_ref(kept).expose_provenance())
    }

    pub(super) fn address(self) -> usize {
        self.0
    }
}

impl Pass<usize> for Kept {
    fn pass(self) -> usize {
        self.0
    }
}

/// What devices also write to, by its address: shared as atomics.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(super) struct Reached(usize);

impl Reached {
    /// Nothing, where the driver is to say what.
    pub(super) const NONE: Self = Self(0);

    /// A page begins here, and has room for `BYTES` of `memory.rs`.
    pub(super) fn from(first: &'static AtomicU64) -> Self {
        Self(std::ptr::from_ref(first).expose_provenance())
    }

    pub(super) fn address(self) -> usize {
        self.0
    }
}

impl Pass<usize> for Reached {
    fn pass(self) -> usize {
        self.0
    }
}
