//! What tells a context or a stream of the driver's from every other.

use std::fmt;

use super::code::{Meaning, Refusal};

/// What tells one from every other of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// The driver's number, which it never gives again (*documented*).
    Id(u64),
    /// Its address, which another may have once it has ended: where the driver has no numbers.
    Address(usize),
}

impl Identity {
    /// By what the driver said when it was asked for the number. A driver that numbers and refuses this time says nothing of
    /// who it is: by its address it would be taken for another.
    pub(super) fn told(asked: Result<u64, Refusal>, address: usize) -> Result<Self, Refusal> {
        match asked {
            Ok(id) => Ok(Self::Id(id)),
            Err(refusal) if refusal.meaning() == Meaning::Unsupported => Ok(Self::Address(address)),
            Err(refusal) => Err(refusal),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(formatter, "{id}"),
            Self::Address(address) => write!(formatter, "{address:#x}"),
        }
    }
}
