//! Cases of sharing between processes.

use crate::bed::TestBed;
use crate::run::{Stop, Verdict};

/// No backend exports events yet.
pub fn an_exported_event_orders_another_process(_bed: &TestBed) -> Verdict {
    Err(Stop::NotBuilt("the export of events"))
}

/// No backend exports events yet.
pub fn a_dead_peer_is_an_error_not_a_hang(_bed: &TestBed) -> Verdict {
    Err(Stop::NotBuilt("the export of events"))
}
