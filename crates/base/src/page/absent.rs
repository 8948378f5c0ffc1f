//! Pages where there are none: everything is refused.
#![expect(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the doors are those of a system that has pages"
)]

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::NUMBERS;

/// There is no page.
#[derive(Debug)]
pub struct Page(Infallible);

impl Page {
    /// Refused.
    ///
    /// # Errors
    /// `Unsupported`.
    pub fn make(_path: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Refused.
    ///
    /// # Errors
    /// `Unsupported`.
    pub fn open(_path: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// There are none.
    pub fn numbers(&self) -> &[AtomicU64; NUMBERS] {
        match self.0 {}
    }

    /// There is none.
    pub fn bell(&self) -> &Bell {
        match self.0 {}
    }
}

/// A bell that nobody hears.
#[derive(Debug, Default)]
pub struct Bell(());

impl Bell {
    /// Never.
    pub fn rung(&self) -> u32 {
        0
    }

    /// Wakes nobody.
    pub fn ring(&self) {}
}

/// Returns at once: there is nothing to listen to.
pub fn listen(_bells: &[(&Bell, u32)], _longest: Duration) {}

/// Why processes cannot share pages here.
pub fn refusal() -> Option<&'static str> {
    Some("events between processes are made for Linux only")
}

/// There is no sign.
#[derive(Debug)]
pub struct Sign(Infallible);

impl Sign {
    /// Refused.
    ///
    /// # Errors
    /// `Unsupported`.
    pub fn give(_path: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Refused.
    ///
    /// # Errors
    /// `Unsupported`.
    pub fn find(_path: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// There is none.
    pub fn is_alive(&self) -> bool {
        match self.0 {}
    }
}

/// There is none.
pub fn distinction() -> u64 {
    0
}

/// Whether an error says that a bound was reached.
pub fn is_exhausted(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
}

/// Refused.
///
/// # Errors
/// `Unsupported`.
pub fn random() -> io::Result<[u8; 16]> {
    Err(io::ErrorKind::Unsupported.into())
}
