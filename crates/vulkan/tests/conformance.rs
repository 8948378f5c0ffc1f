//! The laws, tried on devices of Vulkan.

mod machine;

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

syncpoint_conformance::suite!(vulkan: managed);

fn vulkan() -> Backend {
    let backend = Backend::new("vulkan", open).beside(|| syncpoint::open("host:0"));
    backend.without_children().may_lack(machine::lack)
}

/// Two devices of their own for each case: a case may shut one down.
fn open() -> Result<Vec<Device>> {
    Ok(vec![syncpoint::vulkan::open(0)?, syncpoint::vulkan::open(0)?])
}
