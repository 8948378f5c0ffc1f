//! The laws, tried where the first stream of a case is a default stream of the driver's.
//!
//! There is one for each context and one for each of its threads, so each case has a device of its own.

mod fake;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use syncpoint::{Device, Mode, Result, Stream};

use fake::{Fake, shared};

/// More than there are cases.
const DEVICES: &str = "devices=200";

/// The legacy one beside streams that do not wait for it.
mod legacy {
    use syncpoint_conformance::Backend;

    use super::*;

    syncpoint_conformance::suite!(cuda: borrowed);

    fn cuda() -> Backend {
        shared::backend_over(open, make)
    }

    fn make(device: &Device, mode: Mode) -> Result<Stream> {
        if is_first(device) {
            return syncpoint::cuda::legacy_stream(device).map(shared::owned);
        }
        shared::shared_stream(device, mode)
    }
}

/// The legacy one beside streams that wait for it, and that it waits for.
mod legacy_beside_blocking {
    use syncpoint_conformance::{Backend, Exception, Laws};

    use super::*;

    syncpoint_conformance::suite!(cuda: borrowed);

    /// cuda, on the legacy default stream beside blocking streams, which wait for it and it for them
    const LEGACY: &[Exception] = &[
        Exception {
            laws: Laws::These(&[
                "a_wait_holds_back_later_work_only",
                "a_blocked_stream_holds_back_no_other",
            ]),
            reason: "that the driver holds back all blocking streams with it is what the legacy default stream is",
        },
        Exception {
            laws: Laws::These(&[
                "a_wait_is_pinned_to_its_point",
                "a_wait_on_a_complete_or_own_point_costs_nothing",
                "query_never_blocks_and_pending_is_an_answer",
                "a_timeout_changes_nothing_and_explains_itself",
                "a_stream_may_wait_for_a_gate_not_yet_open",
                "a_cycle_is_named",
            ]),
            reason: "follows from these two: the case holds the one while others have to go on; beside non-blocking \
                     streams it holds",
        },
    ];

    fn cuda() -> Backend {
        shared::backend_over(open, make).known_failures(LEGACY)
    }

    fn make(device: &Device, mode: Mode) -> Result<Stream> {
        if is_first(device) {
            return syncpoint::cuda::legacy_stream(device).map(shared::owned);
        }
        shared::blocking_stream(device, mode)
    }
}

/// The one of the thread that runs the case.
mod per_thread {
    use syncpoint_conformance::{Backend, Exception, Laws};

    use super::*;

    syncpoint_conformance::suite!(cuda: borrowed);

    /// cuda, on the default stream of a thread
    const PER_THREAD: &[Exception] = &[Exception {
        laws: Laws::These(&[
            "a_wait_never_blocks_the_caller",
            "a_busy_stream_is_not_idle",
            "two_threads_recording_leave_one_record_whole",
            "record_once_records_once",
            "a_callback_runs_once_and_outside_every_lock",
        ]),
        reason: "the case uses the stream on a second thread, where it is `Misuse(WrongThread)`: there the driver's name for \
                 it means another stream",
    }];

    fn cuda() -> Backend {
        shared::backend_over(open, make).known_failures(PER_THREAD)
    }

    fn make(device: &Device, mode: Mode) -> Result<Stream> {
        if is_first(device) {
            return syncpoint::cuda::per_thread_stream(device).map(shared::owned);
        }
        shared::shared_stream(device, mode)
    }
}

fn open() -> Result<Vec<Device>> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    Fake::used_as(DEVICES);
    // Relaxed: the numbers have to differ, and nothing else hangs on them.
    Ok(vec![shared::device(NEXT.fetch_add(1, Ordering::Relaxed))?])
}

/// Whether a device is asked for the first stream of its case.
fn is_first(device: &Device) -> bool {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.insert(device.name().to_owned())
}
