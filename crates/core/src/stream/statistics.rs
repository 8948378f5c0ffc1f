//! What a stream counts, and how it came here.

/// How a stream came here, which decides what can be promised of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Made here, its raw handle never given out: all its work came through us.
    Managed,
    /// Made here, its raw handle given out once: for ever. Others may launch on it, so nothing of it is held on the host:
    /// every record is an operation of the driver, and what would have to be held the device holds, or it is refused.
    Exposed,
    /// Made by others, who launch on it too: the same holds as for an exposed one.
    Borrowed,
}

/// What a stream counts. One that a pool lends counts from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Items enqueued that are neither complete nor failed.
    pub queued: u64,
    /// Items held on the host, not yet given to the driver; on the host backend, where nothing is held, zero.
    pub held: u64,
    /// Waits left out because they would have cost for nothing.
    pub elided: u64,
    /// Driver calls made.
    pub driver_calls: u64,
    /// Calls of users that slept until the driver had room again: on streams that others launch on, and with Metal alone.
    pub waits_for_room: u64,
    /// Failures behind the first of its era, by another cause: of device work, of what the stream waits for, and the shutdown
    /// and the loss of its device. Who waits is told the first alone. Those of earlier holders of a stream of a pool count too.
    pub later_failures: u64,
}
