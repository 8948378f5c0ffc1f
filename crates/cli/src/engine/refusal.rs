//! Why a plan cannot run here.

use std::{error, fmt};

/// Why a plan cannot run on this machine, found before any of its steps has run. Its display is what to tell a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(String);

impl Refusal {
    /// A refusal of one object of the plan.
    pub(super) fn of(object: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self(format!("{object}: {reason}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl error::Error for Refusal {}
