//! What a stream counts, and how it came here.

/// How a stream came here, which decides what can be promised of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Made by this library, its raw handle never given out: all its work came through the library.
    Managed,
    /// Made by this library, its raw handle given out: it stays exposed for ever. Other code may launch on it, so the host
    /// holds none of its work back: every record is an operation of the driver, and what would have to be held is held by the
    /// device, where it can, or refused.
    Exposed,
    /// Made by other code, which launches on it too: as `Exposed` otherwise.
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
    /// Calls that slept until the driver had room again. Counted on exposed and borrowed streams of Metal alone: elsewhere a
    /// call blocks inside the driver, which does not tell.
    pub waits_for_room: u64,
    /// Failures behind the first of its era, by another cause: of device work, of what the stream waits for, and the shutdown
    /// and the loss of its device. Who waits is told the first alone. Those of earlier holders of a stream of a pool count too.
    pub later_failures: u64,
}
