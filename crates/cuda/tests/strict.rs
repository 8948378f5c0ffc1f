//! The laws, tried on a driver that refuses a thread without a context wherever the manual lets it.

mod fake;

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

use fake::{Fake, shared};

syncpoint_conformance::suite!(cuda: managed, exposed, borrowed);

fn cuda() -> Backend {
    shared::backend(open)
}

fn open() -> Result<Vec<Device>> {
    Fake::used_as("strict");
    shared::devices(1)
}
