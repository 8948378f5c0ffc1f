//! The laws, tried on blocking streams that others have made, for which the legacy default stream waits.

mod fake;

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

use fake::{Fake, shared};

syncpoint_conformance::suite!(cuda: borrowed);

fn cuda() -> Backend {
    shared::backend_over(open, shared::blocking_stream)
}

fn open() -> Result<Vec<Device>> {
    Fake::used();
    shared::devices(1)
}
