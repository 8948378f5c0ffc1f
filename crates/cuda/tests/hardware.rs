//! The laws, tried on the driver that `SYNCPOINT_CUDA_LIBRARY` names, on up to three of its devices.
//!
//! `SYNCPOINT_CUDA_LIBRARY=libcuda.so.1 cargo test -p syncpoint-cuda --test hardware`. Where it names none they are tried on
//! the stand-in: on streams of one device, of all three kinds, that may stand before a gate.

mod fake;

use std::iter;

use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

use fake::{Fake, shared};

syncpoint_conformance::suite!(cuda: managed, exposed, borrowed);

const DEVICES: u32 = 3;

fn cuda() -> Backend {
    shared::backend(open).with_standing(shared::STANDING)
}

/// The first device, and as many more as can be opened.
fn open() -> Result<Vec<Device>> {
    Fake::or_the_drivers();
    let first = shared::device(0)?;
    let others = (1..DEVICES).map_while(|index| shared::device(index).ok());
    Ok(iter::once(first).chain(others).collect())
}
