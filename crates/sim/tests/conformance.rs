//! The laws, tried on simulated devices that a thread of their own moves.

use syncpoint::sim::Sim;
use syncpoint::{Device, Result};
use syncpoint_conformance::{Backend, Exception};

syncpoint_conformance::suite!(sim: managed);

fn sim() -> Backend {
    Backend::new("sim", open).beside(|| syncpoint::open("host:0")).unsupported(NOT_BUILT)
}

/// Two devices of a fresh world, made for one case each: a case may shut one down.
fn open() -> Result<Vec<Device>> {
    let sim = Sim::builder().devices(2).build();
    Ok(vec![sim.device(0)?, sim.device(1)?])
}

const NOT_BUILT: &[Exception] = &[
    Exception {
        law: "an_exported_event_orders_another_process",
        reason: "events between processes come with an issue of their own",
    },
    Exception {
        law: "a_dead_peer_is_an_error_not_a_hang",
        reason: "events between processes come with an issue of their own",
    },
];
