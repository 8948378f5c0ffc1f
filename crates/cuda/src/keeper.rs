//! The keeper of deadlines: a thread for each context with gates that lets go what stands on the device for too long.
//!
//! It asks the driver nothing. A question may wait inside the driver for a call of another thread, and that for the very stream
//! that stands: so the poller, which asks, keeps no deadline. Nor does the keeper run anything of the user's, which may call the
//! driver for what waits for another stream that stands: another thread tells of what it failed.

use syncpoint_core::contract::{Ours, Untold, contain};
use syncpoint_core::errands::Errands;

use crate::guarded::Guarded;
use crate::latch::Deadline;

/// A failure of which users are to be told.
pub(crate) type Failed = Box<dyn Untold + Send>;

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

/// Tells of failures until there is none for a while.
pub(crate) fn tell_each(errands: &Errands<Failed>) {
    errands.serve_each(|failed, _ours| tell(failed));
}

/// What panics as it is told is over alone.
pub(crate) fn tell(failed: Failed) {
    let _panicked = contain(|| failed.tell_users());
}
