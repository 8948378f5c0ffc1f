//! The laws, tried where the stand-in driver has three devices, whose streams wait for each other on the device.

mod fake;

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

use fake::Fake;

syncpoint_conformance::suite!(cuda: managed);

fn cuda() -> Backend {
    Backend::new("cuda", open).beside(|| syncpoint::open("host:0")).without_children()
}

/// Devices of their own for each case: a case may shut one down.
fn open() -> Result<Vec<Device>> {
    // Counted as the driver begins, and the same ever after.
    Fake::used().script("devices=3");
    (0..3).map(syncpoint::cuda::open).collect()
}
