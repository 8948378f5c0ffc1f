//! Functions of the user's: run where a panic ends one item only, and their trouble told as a failure of the stream.

use syncpoint_base::Cause;

use crate::error::{Error, Origin};
use crate::exit::rest_if_exiting;
use crate::panic::contain;
use crate::place::Place;
use crate::running::Running;
use crate::timeline::Timeline;

/// Which item a function is.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "the contract is outside the semver promise")]
pub struct Called<'a> {
    /// The stream's timeline.
    pub timeline: &'a Timeline,
    /// Its value.
    pub value: u64,
    /// The name of the method that asked for it.
    pub name: &'static str,
    /// Where it was asked for.
    pub place: Place,
}

/// Runs a function of the user's, on whose thread a wait for what comes after it is refused. Outside every lock. While
/// the process exits it does not return: nothing is begun any more.
///
/// # Errors
/// What the stream fails with: the function returned an error or panicked.
#[inline]
pub fn run_function(
    called: Called<'_>,
    function: impl FnOnce() -> Result<(), Cause>,
) -> Result<(), Error> {
    rest_if_exiting();
    let running = Running::enter(called.timeline, called.value);
    let outcome = contain(function);
    drop(running);
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(cause)) => Err(returned(called, cause)),
        Err(words) => Err(panicked(called, &words)),
    }
}

#[cold]
fn returned(called: Called<'_>, cause: Cause) -> Error {
    // The words are the user's code too.
    let words = contain(|| cause.to_string());
    let words = words.unwrap_or_else(|panic| format!("its error panicked when asked: {panic}"));
    let message = format!("work on {} failed: {words}; look at its cause", called.timeline);
    Error::failed(message).caused_by(cause).at(called.origin())
}

#[cold]
fn panicked(called: Called<'_>, words: &str) -> Error {
    let message = format!("work on {} panicked: {words}; mend the function", called.timeline);
    Error::failed(message).at(called.origin())
}

impl Called<'_> {
    /// Where the failure of the item began.
    pub(crate) fn origin(&self) -> Origin {
        Origin::new(self.name, self.timeline.to_string()).placed(self.place)
    }
}
