//! The laws, tried on a device of the stand-in driver.

mod fake;

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

use fake::Fake;

syncpoint_conformance::suite!(cuda: managed);

fn cuda() -> Backend {
    Backend::new("cuda", open).beside(|| syncpoint::open("host:0")).without_children()
}

/// A device of its own for each case: a case may shut it down.
fn open() -> Result<Vec<Device>> {
    Fake::used();
    Ok(vec![syncpoint::cuda::open(0)?])
}
