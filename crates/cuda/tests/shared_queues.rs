//! The laws where more streams stand before gates than the device has queues for: those behind them stand too.

mod fake;

use syncpoint::{Device, Mode, Result};
use syncpoint_conformance::{Backend, Exception, Laws, check_exceptions, run};

use fake::{Fake, shared};

/// cuda, on exposed and borrowed streams of a device with gates, of which more stand at once than a context has queues (8, or as
/// `CUDA_DEVICE_MAX_CONNECTIONS` says)
const SHARED_QUEUES: &[Exception] = &[Exception {
    laws: Laws::These(&["a_blocked_stream_holds_back_no_other"]),
    reason: "what is given to a queue of the device behind a stream that stands there stands with it, and streams share queues; \
             as long as no more stand than there are queues the law holds",
}];

fn cuda() -> Backend {
    shared::backend(open).with_standing(shared::STANDING).known_failures(SHARED_QUEUES)
}

fn open() -> Result<Vec<Device>> {
    // Two streams wait for a gate and two for work of the host.
    Fake::used_as("queues=4");
    shared::devices(1)
}

/// One after the other: what stands for one stands for the next.
#[test]
fn a_stream_stands_behind_another_whose_queue_it_shares() {
    check_exceptions(&cuda());
    for mode in [Mode::Exposed, Mode::Borrowed] {
        run(&cuda(), mode, "a_blocked_stream_holds_back_no_other");
    }
}
