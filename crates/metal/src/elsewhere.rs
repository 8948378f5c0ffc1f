//! Where there is no Metal: every other system says so.

use syncpoint_core::{Device, Error, Result};

#[cold]
fn absent() -> Error {
    Error::unsupported(
        "metal is of Apple's systems, and this is another; use vulkan, or host, which is everywhere",
    )
}

pub(crate) fn available() -> Result<Option<u32>> {
    Err(absent())
}

pub(crate) fn count() -> Result<u32> {
    Err(absent())
}

pub(crate) fn open(_index: u32) -> Result<Device> {
    Err(absent())
}
