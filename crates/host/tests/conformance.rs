//! The laws, tried on the host.

use syncpoint::{Device, Result};
use syncpoint_conformance::{Backend, Exception};

syncpoint_conformance::suite!(host: managed);

fn host() -> Backend {
    Backend::new("host", open).beside(|| syncpoint::open("sim:0")).unsupported(NOT_BUILT)
}

/// Two devices, made for one case each: a case may shut one down.
#[expect(clippy::unnecessary_wraps, reason = "a device may be absent where it is no host")]
fn open() -> Result<Vec<Device>> {
    Ok(vec![syncpoint_host::open("host:0"), syncpoint_host::open("host:1")])
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
