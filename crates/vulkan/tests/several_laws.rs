//! The laws, tried on devices of Vulkan with several queues, each of which goes its own way.

#![cfg(target_os = "linux")]

mod between;
mod machine;
#[expect(dead_code, reason = "no queue is held here")]
mod several;

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

syncpoint_conformance::suite!(vulkan: managed);

fn vulkan() -> Backend {
    let backend = Backend::new("vulkan", open).beside(|| syncpoint::open("host:0"));
    backend.without_children().may_lack(machine::lack)
}

/// Two devices of their own for each case: a case may shut one down.
fn open() -> Result<Vec<Device>> {
    several::used();
    Ok(vec![syncpoint::vulkan::open(0)?, syncpoint::vulkan::open(0)?])
}
