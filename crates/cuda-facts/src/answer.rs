//! What becomes of a question: an answer, or why it could not be asked.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

/// The answer to a question, or why it could not be asked.
pub(crate) type Asked<T> = Result<T, Unasked>;

/// Why a question could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// The library has no function of this name.
    Missing(&'static str),
    /// Something else that it takes was refused.
    Refused(String),
    /// The machine lacks what it takes.
    Lacking(&'static str),
}

impl Display for Unasked {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(symbol) => write!(formatter, "the library has no {symbol}"),
            Self::Refused(why) => formatter.write_str(why),
            Self::Lacking(what) => write!(formatter, "there is no {what}"),
        }
    }
}

/// How a question ended, as the process that asked it was seen from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It was answered. What went wrong afterwards, as the process ended, is part of the answer.
    Answered(String),
    /// It could not be asked, for this reason.
    NotAsked(String),
}

/// What the process that asks writes before its answer, and before its reason for having none.
const ANSWERED: &str = "answered ";
const NOT_ASKED: &str = "not asked ";

/// The line by which the process that asks tells.
pub(crate) fn line(asked: &Asked<String>) -> String {
    match asked {
        Ok(answer) => format!("{ANSWERED}{answer}"),
        Err(why) => format!("{NOT_ASKED}{why}"),
    }
}

/// How the process that asked came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As programs end.
    Quiet,
    /// In another way, in words.
    Loud(String),
}

/// What was heard of a question: its lines, and how its process ended.
pub(crate) fn outcome(heard: &str, ending: &Ending) -> Outcome {
    let answer = heard.lines().find_map(|line| line.strip_prefix(ANSWERED));
    let reason = heard.lines().find_map(|line| line.strip_prefix(NOT_ASKED));
    match (answer, reason, ending) {
        (Some(answer), _, Ending::Quiet) => Outcome::Answered(answer.to_owned()),
        (Some(answer), _, Ending::Loud(end)) => Outcome::Answered(format!("{answer}, then {end}")),
        (None, Some(reason), _) => Outcome::NotAsked(reason.to_owned()),
        (None, None, Ending::Loud(end)) => Outcome::Answered(end.clone()),
        (None, None, Ending::Quiet) => Outcome::Answered("ends without a word".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_through_as_it_was_given() {
        let line = line(&Ok("SUCCESS, and waits".to_owned()));
        assert_eq!(outcome(&line, &Ending::Quiet), answered("SUCCESS, and waits"));
    }

    #[test]
    fn a_question_that_could_not_be_asked_says_why() {
        let line = line(&Err(Unasked::Missing("cuStreamGetId")));
        let reason = "the library has no cuStreamGetId".to_owned();
        assert_eq!(outcome(&line, &Ending::Quiet), Outcome::NotAsked(reason));
    }

    #[test]
    fn a_process_that_dies_or_hangs_is_an_answer() {
        let end = Ending::Loud("hangs".to_owned());
        assert_eq!(outcome("", &end), answered("hangs"));
        assert_eq!(outcome("answered SUCCESS\n", &end), answered("SUCCESS, then hangs"));
        assert_eq!(outcome("", &Ending::Quiet), answered("ends without a word"));
    }

    #[test]
    fn what_a_driver_prints_is_no_answer() {
        let heard = "a banner of the driver\nanswered SUCCESS\n";
        assert_eq!(outcome(heard, &Ending::Quiet), answered("SUCCESS"));
    }

    fn answered(text: &str) -> Outcome {
        Outcome::Answered(text.to_owned())
    }
}
