//! Failures of which nobody was told yet: where several begin together, all have failed before anybody is told, ours first.

use crate::inherited::Own;

/// A failure that has begun, whatever backend it is of.
#[must_use = "whoever waits sleeps until the failure is told"]
pub trait Untold {
    /// Tells ours, who run nothing of the user's. Under no lock.
    fn tell_ours(&mut self);

    /// Tells the others, and ends what will never run. Under no lock; where what is called forks, the rest is the parent's.
    fn tell_users(self: Box<Self>);
}

/// Tells of all of them. Under no lock.
pub fn tell_all(untold: impl IntoIterator<Item = Box<dyn Untold>>) {
    let mut untold: Vec<_> = untold.into_iter().collect();
    for untold in &mut untold {
        untold.tell_ours();
    }
    let mut left = Own::new(untold.into_iter());
    while let Some(untold) = left.get().and_then(Iterator::next) {
        untold.tell_users();
    }
}
