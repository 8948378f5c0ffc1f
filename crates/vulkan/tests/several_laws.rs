//! The laws, tried on devices of Vulkan with several queues, each of which goes its own way.

#![cfg(target_os = "linux")]

mod between;
mod machine;
#[expect(dead_code, reason = "no queue is held here")]
mod several;
mod theirs;

use syncpoint::vulkan::handles;
use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

use theirs::Theirs;

syncpoint_conformance::suite!(vulkan: managed);

fn vulkan() -> Backend {
    let backend = Backend::new("vulkan", open).beside(|| syncpoint::open("host:0"));
    backend.without_children().may_lack(machine::lack)
}

/// Two devices of their own for each case: a case may shut one down. Where their queues may have a clock each one of them is
/// used, which is said aloud.
fn open() -> Result<Vec<Device>> {
    several::used();
    let devices = vec![syncpoint::vulkan::open(0)?, syncpoint::vulkan::open(0)?];
    machine::has(machine::TWO_CLOCKS, Theirs::of(&handles(&devices[0])?).reads_two_clocks());
    Ok(devices)
}
