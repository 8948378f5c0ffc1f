//! The keeper of deadlines: a thread for each context with gates that lets go what stands on the device for too long.
//!
//! It asks the driver nothing. A question may wait inside the driver for a call of another thread, and that for the very stream
//! that stands: so the poller, which asks, keeps no deadline.

use syncpoint_core::contract::Ours;
use syncpoint_core::errands::Errands;

use crate::guarded::Guarded;
use crate::latch::Deadline;

/// Keeps deadlines until there is none for a while.
pub(crate) fn serve(errands: &Errands<Deadline>) {
    let ours = Ours::begin();
    let mut guarded = Guarded::default();
    while let Some(given) = errands.take(guarded.sleep()) {
        for deadline in given {
            guarded.add(Box::new(deadline));
        }
        guarded.pass(ours);
    }
}
