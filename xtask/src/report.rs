//! The last words of a run: a table of the parts, then how many passed and how many failed.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// How one part ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed {
        took: Duration,
    },
    Failed {
        took: Duration,
        why: String,
    },
    /// It could not be run on this machine.
    Skipped {
        why: String,
    },
    /// A part before it failed.
    NotRun,
}

/// Each part of a run and how it ended, in the order they came.
///
/// Displayed, its last line is `N passed, N failed`, alone on the line: machines read it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<(&'static str, Outcome)>,
}

impl Report {
    pub(crate) fn add(&mut self, name: &'static str, outcome: Outcome) {
        self.rows.push((name, outcome));
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.count(|outcome| matches!(outcome, Outcome::Failed { .. })) > 0
    }

    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.rows.iter().map(|(name, _)| *name)
    }

    fn count(&self, is_meant: impl Fn(&Outcome) -> bool) -> usize {
        self.rows.iter().filter(|(_, outcome)| is_meant(outcome)).count()
    }
}

impl Display for Report {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "part      seconds  result")?;
        for (name, outcome) in &self.rows {
            writeln!(formatter, "{name:8} {outcome}")?;
        }
        let passed = self.count(|outcome| matches!(outcome, Outcome::Passed { .. }));
        let failed = self.count(|outcome| matches!(outcome, Outcome::Failed { .. }));
        writeln!(formatter, "{passed} passed, {failed} failed")
    }
}

impl Display for Outcome {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { took } => write!(formatter, "{:8.1}  passed", took.as_secs_f64()),
            Self::Failed { took, why } => {
                write!(formatter, "{:8.1}  failed: {why}", took.as_secs_f64())
            }
            Self::Skipped { why } => write!(formatter, "{:>8}  SKIPPED: {why}", "-"),
            Self::NotRun => write!(formatter, "{:>8}  not run", "-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_each_part_its_seconds_and_its_result() {
        let mut report = Report::default();
        report.add("fmt", Outcome::Passed { took: Duration::from_millis(640) });
        let why = "it broke".to_owned();
        report.add("clippy", Outcome::Failed { took: Duration::from_secs(75), why });
        report.add("tsan", Outcome::Skipped { why: "no tool".to_owned() });
        report.add("doc", Outcome::NotRun);
        assert_eq!(report.to_string(), TABLE);
    }

    const TABLE: &str = "\
part      seconds  result
fmt           0.6  passed
clippy       75.0  failed: it broke
tsan            -  SKIPPED: no tool
doc             -  not run
1 passed, 1 failed
";
}
