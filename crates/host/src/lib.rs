//! The host backend: streams run by threads of this process, with no GPU and no driver.
//!
//! Every stream is a queue of items and a state. A few workers, and host threads that synchronize, take the streams
//! that have something to do and run their items in order; a stream that comes to a wait parks on the point's list of
//! waiters and costs nothing until the point wakes it. So a hundred thousand streams need two threads, and none before
//! the first item.
//!
//! # The rules of the scheduler
//!
//! Those who serve the streams are core's workers (`core/work`); each rule that can be seen from outside has its
//! tests in `tests/scheduler.rs` and `tests/helping.rs`, or where those say.
//!
//! 1. **States.** A stream is idle, runnable, running with one owner, or parked on one point or instant, and changes
//!    under its order lock. No wake between the look at a point and the parking is lost. A value and its place in the
//!    queue are taken under one lock. A plain record is no operation; a timed record and a wait are.
//! 2. **Who runs.** Workers do, and helpers (rule 7). Enqueueing, opening and failing only make streams runnable.
//! 3. **No nesting.** What completing a point sets free is kept and served after the present item, so no chain needs
//!    a stack; it is published before the next function of the user's begins, which may be long.
//! 4. **Fairness.** A stream gives way to ready ones after 64 items or 200 µs. The more urgent go first; at every
//!    61st pick the one that has waited longest does. Nothing that runs is interrupted.
//! 5. **Blocking work.** There are as many workers as the process may use cores. One that waits inside this library
//!    is replaced at once if streams are ready. Where work blocks unseen, the watch brings others after 2 ms, eight
//!    times as many at each further look that finds too few moving; a thread that computes moves. At most 512 live,
//!    and those beyond the base end after 10 s without work.
//! 6. **Waits inside work** run nothing else; one for what comes after the work itself is refused.
//! 7. **Helping.** A host thread runs items only in a plain `synchronize()`, outside work, and only of streams on
//!    which its point depends, up to the value that is needed and not beyond.
//! 8. **Waking.** While helpers take every submission, a worker without work naps for a while before it sleeps, and an
//!    enqueue wakes nobody; otherwise it sleeps at once. Nothing polls while nothing is pending.
//! 9. **Panics** end one item and fail its stream. What will never run is dropped outside every lock.
//! 10. **Memory.** A stream holds at most 2²⁰ items; beyond that an enqueue is refused, and never blocks.
//! 11. **Locks.** A stream's order lock, then the run queue's; never two streams'; none while users' code, a waker or
//!     an observer runs.
#![forbid(unsafe_code)]

mod batch;
mod clock;
mod device;
mod failing;
mod help;
#[cfg(all(test, syncpoint_loom))]
mod model;
mod order;
mod serve;
mod stream;
mod sync;
#[cfg(all(test, not(syncpoint_loom)))]
mod tests;
mod timer;
mod turn;

pub use device::open;
