//! Who pumps streams that may go on, and runs their host work.

use std::fmt;
use std::sync::Arc;

use crate::error::Result;
use crate::work::Pump;

/// Whoever pumps the streams of a domain: the workers that all devices share, or a thread that steps by hand.
pub trait Crew: fmt::Debug + Send + Sync {
    /// Sees to it that somebody comes when a stream is roused. Called before the first item is held.
    ///
    /// # Errors
    /// `Exhausted` where no thread can be made.
    fn ensure(&self) -> Result<()>;

    /// Lists a stream, to be pumped once, soon. Runs nothing itself: called from wakers, drops and order locks.
    fn rouse(&self, stream: Arc<dyn Pump>);

    /// A function of the user's is about to run on this thread and may take long.
    fn about_to_run(&self) {}
}
