//! Streams that are gone leave nothing behind.
//!
//! One test alone in its process: it counts what is allocated.

use syncpoint::Stream;
use syncpoint_conformance::allocation;
use syncpoint_conformance::patience::{PATIENCE, until};

syncpoint_conformance::counting_allocator!();

#[test]
fn a_crowd_of_streams_that_is_gone_leaves_no_memory_behind() {
    let device = syncpoint_host::open("host:gone");
    let made_and_dropped = |count: usize| {
        let streams: Vec<Stream> = (0..count).map(|_| device.stream().unwrap()).collect();
        for stream in &streams {
            stream.enqueue(|| ()).unwrap();
        }
        device.synchronize_timeout(PATIENCE).unwrap();
    };
    allocation::count();
    // What the device and its workers need is there before.
    made_and_dropped(100);
    let before = allocation::live();
    made_and_dropped(10_000);
    // A worker lets go of the last of them a moment later. The run queue may have grown.
    until("the end of ten thousand streams", || allocation::live() - before < 500_000);
}
