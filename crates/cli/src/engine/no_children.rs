//! Where there are no process groups: no command runs, so there is nothing to end.

use std::time::Duration;

/// The commands of a run: none.
#[derive(Debug, Default)]
pub(super) struct Children;

impl Children {
    /// Tells nobody to end.
    pub(super) fn close(&self) {}

    /// Kills nobody.
    pub(super) fn kill(&self) {}

    /// Nobody is there.
    pub(super) fn wait_until_gone(&self, _longest: Duration) -> bool {
        true
    }
}
