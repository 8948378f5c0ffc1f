//! The laws on streams of others, tried on a stand-in without its control surface, which no driver has either.

mod fake;

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

use fake::{Fake, shared};

syncpoint_conformance::suite!(cuda: exposed, borrowed);

fn cuda() -> Backend {
    shared::backend(open).with_standing(shared::STANDING)
}

fn open() -> Result<Vec<Device>> {
    Fake::uncontrolled();
    shared::devices(1)
}
