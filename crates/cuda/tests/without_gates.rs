//! The laws, tried on streams that others launch on too where the device has no gates: its streams cannot be held there.

mod fake;

use syncpoint::{Device, Point, Result, Stream};
use syncpoint_conformance::{Backend, Exception, Laws};

use fake::{Fake, shared};

syncpoint_conformance::suite!(cuda: exposed, borrowed);

/// cuda, on exposed and borrowed streams of a device without gates
const WITHOUT_GATES: &[Exception] = &[Exception {
    laws: Laws::These(&[
        "a_wait_holds_back_later_work_only",
        "a_blocked_stream_holds_back_no_other",
        "a_wait_crosses_devices_and_backends",
        "a_timeout_changes_nothing_and_explains_itself",
        "failure_reaches_every_dependant_with_its_first_cause",
        "failure_wakes_every_waiter",
        "a_failed_stream_stays_failed",
        "drop_is_quick_silent_and_in_any_order",
        "a_dropped_stream_finishes_its_work",
        "a_fork_child_is_told_so",
        "a_callback_runs_once_and_outside_every_lock",
        "a_dropped_future_cancels_nothing",
        "a_stream_may_wait_for_a_gate_not_yet_open",
        "a_cycle_is_named",
        "a_call_leaves_the_callers_device_as_it_was",
        "an_exported_event_orders_another_process",
        "a_dead_peer_is_an_error_not_a_hang",
        "observers_hear_every_operation_once",
    ]),
    reason: "the law is about host work in the order of such a stream, or a gate, a held value or another backend's point for \
             which it waits, or its case has these beside other things; the remedy stands in the error: `submit`, a stream made here, or `device_gates`",
}];

fn cuda() -> Backend {
    shared::backend(open).held_by_others(held_until).unsupported(WITHOUT_GATES)
}

/// Has the device call a function that is not over before the point is settled.
fn held_until(stream: &Stream, point: Point) {
    Fake::used().launch(stream, move || drop(point.synchronize()));
}

fn open() -> Result<Vec<Device>> {
    Fake::used();
    Ok(vec![syncpoint::cuda::open(0)?])
}
