//! A drop of the user's that forks: of an error that nobody has any more but a wait, as that is over.

use std::fmt;

use syncpoint::{Gate, Result, Wait};

use super::{forks, of_this_process, on_waking};

/// An error of the user's whose drop forks.
#[derive(Debug)]
struct Forking;

impl fmt::Display for Forking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("on purpose")
    }
}

impl std::error::Error for Forking {}

impl Drop for Forking {
    fn drop(&mut self) {
        forks();
    }
}

/// The child's copy of the thread must complete nothing of the parent's and wake nobody; the parent's goes on.
pub(super) fn a_drop_forks(device: &str) -> Result<()> {
    let device = syncpoint::open(device)?;
    let (failing, waiting) = (device.stream()?, device.stream()?);
    let (first, second) = (Gate::new(), Gate::new());
    failing.wait(&first.point())?;
    failing.enqueue(|| ())?;
    let awaited = failing.record()?;
    waiting.wait(&second.point())?;
    waiting.enqueue(|| ())?;
    waiting.wait(&awaited)?;
    let point = waiting.record()?;
    on_waking(&point, of_this_process("the waker of the wait"));
    waiting.enqueue(of_this_process("the work behind"))?;

    first.open()?;
    awaited.synchronize_with(Wait::NoHelp, None)?;
    failing.enqueue(|| Err::<(), _>(Forking))?;
    let failure = failing.record()?.synchronize_with(Wait::NoHelp, None);
    assert!(failure.is_err(), "it fails on purpose");
    drop((failure, awaited, failing));
    second.open()?;
    waiting.record()?.synchronize_with(Wait::NoHelp, None)
}
