//! What the command line asks for.

use crate::asking::ASK;
use crate::questions::PEER;

pub(crate) const USAGE: &str = "\
usage: facts [--json] [--no-costs] [--library PATH] [PREFIX...]

Asks the CUDA driver of this machine what it does, and prints a row for each answer. With prefixes, only the questions
whose names begin so. The library is PATH, or what SYNCPOINT_CUDA_LIBRARY names, or libcuda.so.1.
";

/// A command line that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Ask and report.
    Report(Wanted),
    /// Ask one question in this process and tell the answer.
    Ask { name: String },
    /// Be the other process of a question.
    Peer { what: String, exported: String },
    /// Say what can be asked for.
    Help,
}

/// What a report is to hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) form: Form,
    pub(crate) costs: Costs,
    pub(crate) library: Option<String>,
    /// The beginnings of names; all questions if there are none.
    pub(crate) prefixes: Vec<String>,
}

impl Wanted {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Costs {
    #[default]
    Measured,
    LeftOut,
}

impl Request {
    /// Understands the words behind the name of the program.
    ///
    /// # Errors
    ///
    /// What is not understood, in words.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["-h" | "--help", ..] => Ok(Self::Help),
            [ASK, name] => Ok(Self::Ask { name: name.to_owned() }),
            [PEER, what, exported] => {
                Ok(Self::Peer { what: what.to_owned(), exported: exported.to_owned() })
            }
            _ => wanted(&words).map(Self::Report),
        }
    }
}

fn wanted(words: &[&str]) -> Result<Wanted, String> {
    let (mut wanted, mut words) = (Wanted::default(), words.iter());
    while let Some(word) = words.next() {
        match *word {
            "--json" => wanted.form = Form::Json,
            "--no-costs" => wanted.costs = Costs::LeftOut,
            "--library" => wanted.library = Some(words.next().ok_or(USAGE)?.to_string()),
            option if option.starts_with('-') => {
                return Err(format!("`{option}` is not understood\n\n{USAGE}"));
            }
            prefix => wanted.prefixes.push(prefix.to_owned()),
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_asks_for_everything_as_text() {
        let Request::Report(wanted) = parse("").unwrap() else { panic!("a report") };
        assert_eq!(wanted, Wanted::default());
        assert!(wanted.has("event.null.query"));
    }

    #[test]
    fn prefixes_options_and_a_library_are_understood_in_any_order() {
        let line = "event. --json --library /lib/libcuda.so.1 wait. --no-costs";
        let Request::Report(wanted) = parse(line).unwrap() else { panic!("a report") };
        assert_eq!(wanted.form, Form::Json);
        assert_eq!(wanted.costs, Costs::LeftOut);
        assert_eq!(wanted.library.as_deref(), Some("/lib/libcuda.so.1"));
        assert!(wanted.has("wait.null") && !wanted.has("elapsed.reversed"));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_usage() {
        for line in ["--jsno", "--library"] {
            assert!(parse(line).unwrap_err().ends_with(USAGE), "{line}");
        }
    }

    fn parse(line: &str) -> Result<Request, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Request::parse(&words)
    }
}
