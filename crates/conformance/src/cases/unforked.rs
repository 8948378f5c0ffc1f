//! Cases that fork, on systems where no process can be forked: they say so.

use syncpoint::Error;

use crate::bed::TestBed;
use crate::run::{Stop, Verdict};

/// A fork is what the law is about.
pub fn a_fork_child_is_told_so(_bed: &TestBed) -> Verdict {
    Err(nothing_forks())
}

/// Its case lets children come to their ends.
pub fn exit_never_hangs(_bed: &TestBed) -> Verdict {
    Err(nothing_forks())
}

/// Its other process is a child.
pub fn an_exported_event_orders_another_process(_bed: &TestBed) -> Verdict {
    Err(nothing_forks())
}

/// As above.
pub fn a_dead_peer_is_an_error_not_a_hang(_bed: &TestBed) -> Verdict {
    Err(nothing_forks())
}

fn nothing_forks() -> Stop {
    Error::unsupported("no process can be forked here; run the case where one can").into()
}
