//! What becomes of an error of the user's that panics as it goes.
//!
//! In a process of its own: whoever drops the last name of a stream, a report of another wait too, drops its error.

use std::fmt;

use syncpoint::{Gate, Kind};
use syncpoint_conformance::patience::PATIENCE;

/// An error that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

impl fmt::Debug for Bomb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Bomb")
    }
}

impl fmt::Display for Bomb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("on purpose")
    }
}

impl std::error::Error for Bomb {}

#[test]
fn errors_that_panic_as_they_go_with_their_stream_end_no_worker() {
    let device = syncpoint_host::open("host:bombs");
    // As many as there may be workers, and more.
    for _ in 0..600 {
        let (stream, gate) = (device.stream().unwrap(), Gate::new());
        stream.enqueue(|| Err::<(), _>(Bomb)).unwrap();
        let failure = stream.synchronize_timeout(PATIENCE).unwrap_err();
        assert_eq!(failure.kind(), Kind::Failed, "the workers are gone");
        drop(failure);
        stream.recover().unwrap();
        stream.wait(&gate.point()).unwrap();
        drop(stream);
        gate.open().unwrap();
    }
    let stream = device.stream().unwrap();
    stream.enqueue(|| ()).unwrap();
    stream.synchronize_timeout(PATIENCE).unwrap();
}
