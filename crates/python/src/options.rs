//! Options of events, as keywords of Python tell them.

use syncpoint::{Error, EventOptions};

/// The options: timing, blocking, interprocess, external, native handle.
///
/// # Errors
/// `Misuse` where they contradict each other; `Unsupported` of timing beside external.
pub(crate) fn chosen(
    [timing, blocking, interprocess, external, native_handle]: [bool; 5],
) -> syncpoint::Result<EventOptions> {
    if timing && external {
        let words = "an external event is not timed here: what records it is a launch of a graph; time the launch between two \
                     events of its stream";
        return Err(Error::unsupported(words));
    }
    let mut builder = EventOptions::builder();
    if timing {
        builder = builder.timing();
    }
    if blocking {
        builder = builder.blocking();
    }
    if interprocess {
        builder = builder.interprocess();
    }
    if external {
        builder = builder.external();
    }
    if native_handle {
        builder = builder.native_handle();
    }
    builder.build()
}
