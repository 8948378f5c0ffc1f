//! The laws, tried on the host.

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

syncpoint_conformance::suite!(host: managed);

fn host() -> Backend {
    Backend::new("host", open).beside(|| syncpoint::open("sim:0"))
}

/// Two devices, made for one case each: a case may shut one down.
#[expect(clippy::unnecessary_wraps, reason = "a device may be absent where it is no host")]
fn open() -> Result<Vec<Device>> {
    Ok(vec![syncpoint_host::open("host:0"), syncpoint_host::open("host:1")])
}
