//! The exit statuses, by convention: shells tell a signal as 128 and its number, `timeout` tells 124.

use crate::report::{Report, Verdict};

/// Everything went well.
pub(super) const DONE: u8 = 0;
/// A step failed; what did not depend on it was done.
const FAILED: u8 = 1;
/// Nothing was run, because of the arguments, the file or the machine; or a result could not be written.
pub(super) const REFUSED: u8 = 2;
/// The time ran out.
const TIMED_OUT: u8 = 124;
/// A signal ended the run: this, and the number of the signal.
const SIGNALLED: u8 = 128;
/// The number of Ctrl-C's signal, for an interruption that no signal made.
const INTERRUPT: i32 = 2;

/// The table that the help shows.
pub(super) const TABLE: &str = "\
Exit status:
    0  every step is complete
    1  a step failed; all that did not depend on it was done
    2  nothing was run: bad arguments, a bad file, no such device; or a result could not be written
  124  the time ran out
  130  Ctrl-C (INT); 129 for HUP, 143 for TERM. A second one exits at once";

/// The status for a signal.
pub(super) fn signalled(signal: i32) -> u8 {
    SIGNALLED.saturating_add(u8::try_from(signal).unwrap_or(u8::MAX))
}

/// The status for a run, and the signal that interrupted it if one did.
pub(super) fn of(report: &Report, signal: Option<i32>) -> u8 {
    match report.verdict() {
        Verdict::Complete => DONE,
        Verdict::Failed | Verdict::Unfinished => FAILED,
        Verdict::TimedOut => TIMED_OUT,
        Verdict::Interrupted => signalled(signal.unwrap_or(INTERRUPT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_the_status_that_shells_give_it() {
        assert_eq!([1, 2, 15].map(signalled), [129, 130, 143]);
    }
}
