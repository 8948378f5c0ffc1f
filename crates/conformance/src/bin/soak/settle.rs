//! After the end: everything is dropped, and what was on its way settles.

use std::thread;
use std::time::{Duration, Instant};

use syncpoint_conformance::allocation;

use crate::actor::Shared;
use crate::acts::interprocess;
use crate::sample::Sample;

/// Work that was queued runs out, and what the threads of the library hold is let go.
pub(crate) fn clear(shared: &Shared) {
    shared.clear();
    for device in &shared.devices {
        // Work of streams that were dropped may have failed: only its end counts.
        device.synchronize_timeout(Duration::from_secs(10)).ok();
    }
    // Whoever exports when it exported nothing sweeps away what killed children left.
    interprocess(&shared.devices[0]).and_then(|event| event.export()).expect("memory is shared");
}

/// The sample once nothing changes any more, or after the time in which threads that are not needed end.
pub(crate) fn last_sample(folder: &str, acts: u64) -> Sample {
    let begin = Instant::now();
    let mut before = allocation::live();
    while begin.elapsed() < Duration::from_secs(15) {
        thread::park_timeout(Duration::from_secs(2));
        let now = allocation::live();
        if now == before && begin.elapsed() > Duration::from_secs(12) {
            break;
        }
        before = now;
    }
    Sample::take(folder, acts)
}
