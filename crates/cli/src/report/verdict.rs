//! How a run as a whole went.

use std::time::Duration;

use super::{Report, State, Step};

/// How a run as a whole went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Every step is complete.
    Complete,
    /// A step failed; what depended on it was not run.
    Failed,
    /// The time ran out.
    TimedOut,
    /// The run was stopped from outside.
    Interrupted,
    /// Some steps did not end, and nobody has said why.
    Unfinished,
}

/// What ended a run early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CutShort {
    /// Its time ran out: the limit that it had.
    TimedOut(Duration),
    /// A person or a program stopped it.
    Interrupted,
}

impl Report {
    /// How the run as a whole went. Time and interruption are told before failures.
    pub fn verdict(&self) -> Verdict {
        let failed = |step: &Step| matches!(step.state, State::Failed { .. });
        match self.cut_short {
            Some(CutShort::TimedOut(_)) => Verdict::TimedOut,
            Some(CutShort::Interrupted) => Verdict::Interrupted,
            None if self.steps.iter().any(failed) => Verdict::Failed,
            None if self.steps.iter().all(|step| step.state == State::Complete) => {
                Verdict::Complete
            }
            None => Verdict::Unfinished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn the_verdict_tells_an_interruption_before_a_failure() {
        let mut report = sample::timed(&[(0, 0, 10, &[])]);
        assert_eq!(report.verdict(), Verdict::Complete);
        report.steps[0].state = State::Failed { reason: "broken".into() };
        assert_eq!(report.verdict(), Verdict::Failed);
        report.cut_short = Some(CutShort::Interrupted);
        assert_eq!(report.verdict(), Verdict::Interrupted);
    }
}
