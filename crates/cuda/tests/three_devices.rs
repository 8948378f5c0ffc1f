//! The laws, tried where the stand-in driver has three devices, whose streams wait for each other on the device.

mod fake;

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

use fake::{Fake, shared};

syncpoint_conformance::suite!(cuda: managed, exposed, borrowed);

fn cuda() -> Backend {
    shared::backend(open)
}

fn open() -> Result<Vec<Device>> {
    // Counted as the driver begins, and the same ever after.
    Fake::used_as("devices=3");
    shared::devices(3)
}
