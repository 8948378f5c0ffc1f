//! The laws, tried on simulated devices that a thread of their own moves.

use syncpoint::sim::Sim;
use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

syncpoint_conformance::suite!(sim: managed);

fn sim() -> Backend {
    Backend::new("sim", open).beside(|| syncpoint::open("host:0"))
}

/// Two devices of a fresh world, made for one case each: a case may shut one down.
fn open() -> Result<Vec<Device>> {
    let sim = Sim::builder().devices(2).build();
    Ok(vec![sim.device(0)?, sim.device(1)?])
}
