//! Parts run one after another, timed, until the first that fails.

use std::time::Instant;

use crate::Result;
use crate::part::{Ending, Part};
use crate::report::{Outcome, Report};

/// What becomes of the parts behind one that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// They are not run.
    Stop,
    /// They are run all the same.
    KeepGoing,
}

/// Performs each part in turn and reports on all of them, those included that a failure left out.
pub(crate) fn run(
    parts: &[&'static Part],
    on_failure: OnFailure,
    mut perform: impl FnMut(&Part) -> Result<Ending>,
) -> Report {
    let mut report = Report::default();
    for part in parts {
        if report.has_failed() && on_failure == OnFailure::Stop {
            report.add(part.name, Outcome::NotRun);
        } else {
            report.add(part.name, timed(|| perform(part)));
        }
    }
    report
}

fn timed(perform: impl FnOnce() -> Result<Ending>) -> Outcome {
    let begun = Instant::now();
    let result = perform();
    let took = begun.elapsed();
    match result {
        Ok(Ending::Passed) => Outcome::Passed { took },
        Ok(Ending::Skipped(why)) => Outcome::Skipped { why },
        Err(error) => Outcome::Failed { took, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::PARTS;

    #[test]
    fn a_failure_stops_the_routine_and_the_rest_is_named_as_not_run() {
        let (performed, report) = run_failing(PARTS[1].name, OnFailure::Stop);
        assert_eq!(performed, [PARTS[0].name, PARTS[1].name]);
        assert_eq!(report.names().count(), PARTS.len());
        assert!(report.to_string().ends_with("\n1 passed, 1 failed\n"), "{report}");
    }

    #[test]
    fn keep_going_performs_every_part_in_spite_of_a_failure() {
        let (performed, report) = run_failing(PARTS[1].name, OnFailure::KeepGoing);
        assert_eq!(performed.len(), PARTS.len());
        let last = format!("\n{} passed, 1 failed\n", PARTS.len() - 1);
        assert!(report.to_string().ends_with(&last), "{report}");
    }

    #[test]
    fn a_routine_without_a_failure_has_not_failed() {
        let parts: Vec<&Part> = PARTS.iter().collect();
        assert!(!run(&parts, OnFailure::Stop, |_| Ok(Ending::Passed)).has_failed());
    }

    fn run_failing(name: &str, on_failure: OnFailure) -> (Vec<&'static str>, Report) {
        let parts: Vec<&Part> = PARTS.iter().collect();
        let mut performed = Vec::new();
        let report = run(&parts, on_failure, |part| {
            performed.push(part.name);
            if part.name == name { Err("it broke".into()) } else { Ok(Ending::Passed) }
        });
        (performed, report)
    }
}
