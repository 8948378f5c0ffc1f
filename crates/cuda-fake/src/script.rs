//! Scripts: what the driver is to pretend, as text.
//!
//! Clauses stand apart by `;` or a new line, words by blanks, and `#` begins a comment. The README has the grammar.

use std::time::Duration;

use crate::code::Code;

/// One thing that a script asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Clause {
    Setting(Setting),
    /// What some calls of a function do.
    Rule(Rule),
    /// A function that the driver does not have.
    Missing(String),
    /// Give the handles of objects that are destroyed to new ones.
    Reuse,
    /// Refuse a thread without a current context wherever the manual lists the code.
    Strict,
    /// The stream with this number among those made from now on never comes to its first work.
    Stall(u64),
    /// Ends every stall and every block.
    Release,
    /// The driver is gone from now on.
    Deinitialized,
}

/// What stays as it is until another script says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting {
    Devices(i32),
    Version(i32),
    Name(String),
    Memory(u64),
    /// How much a stream takes before a call blocks.
    Queue(usize),
    /// How many queues the streams share that a context makes.
    Queues(usize),
    /// The step of event times, in nanoseconds.
    Step(u64),
    /// An attribute of every device, and what it is said to be.
    Attribute(i32, i32),
}

/// What some calls of a function do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    /// The name of the function, `*`, [`OPERATION`] or [`ELAPSED`].
    pub(crate) function: String,
    /// The first and the last call that it is about, counted from when the rule is given; the first is 1.
    pub(crate) calls: (u64, u64),
    pub(crate) act: Act,
}

/// What a call does instead of, before or after its work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    /// Does nothing and returns the code.
    Fail(Code),
    /// Breaks the current context for good, and returns the code.
    Break(Code),
    /// Does its work and returns the code, as for an earlier launch.
    Late(Code),
    /// Blocks until it is released, or for so long, and does its work then.
    Block(Option<Duration>),
    /// Gives so many milliseconds.
    Give(f32),
}

/// In place of a function: an operation that a stream is given, and that breaks its context when the stream comes to it.
pub(crate) const OPERATION: &str = "an operation";

/// In place of a function: the time between two events.
pub(crate) const ELAPSED: &str = "a time";

/// Reads a script. The error says which clause is wrong and why.
pub(crate) fn read(text: &str) -> Result<Vec<Clause>, String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or(""));
    let clauses = lines.flat_map(|line| line.split(';')).map(str::trim);
    clauses.filter(|clause| !clause.is_empty()).map(told).collect()
}

fn told(clause: &str) -> Result<Clause, String> {
    read_clause(clause).map_err(|trouble| format!("`{clause}`: {trouble}"))
}

fn read_clause(clause: &str) -> Result<Clause, String> {
    if let Some((name, value)) = clause.split_once('=') {
        return setting(name.trim(), value.trim()).map(Clause::Setting);
    }
    let words: Vec<&str> = clause.split_whitespace().collect();
    match words.as_slice() {
        ["attribute", number, value] => {
            Ok(Clause::Setting(Setting::Attribute(parse(number)?, parse(value)?)))
        }
        ["missing", name] => Ok(Clause::Missing((*name).to_owned())),
        ["stall", number] => Ok(Clause::Stall(parse(number)?)),
        ["reuse"] => Ok(Clause::Reuse),
        ["strict"] => Ok(Clause::Strict),
        ["fault", calls, code] => Ok(about(OPERATION, range(calls)?, Act::Break(number(code)?))),
        ["elapsed", calls, time] => Ok(about(ELAPSED, range(calls)?, Act::Give(parse(time)?))),
        ["release"] => Ok(Clause::Release),
        ["deinitialized"] => Ok(Clause::Deinitialized),
        [verb, name, rest @ ..] => rule(verb, name, rest).map(Clause::Rule),
        _ => Err(UNKNOWN.to_owned()),
    }
}

const UNKNOWN: &str = "no clause begins so; the README of syncpoint-cuda-fake lists them";

fn setting(name: &str, value: &str) -> Result<Setting, String> {
    Ok(match name {
        "devices" => Setting::Devices(parse(value)?),
        "version" => Setting::Version(parse(value)?),
        "name" => Setting::Name(value.to_owned()),
        "memory" => Setting::Memory(parse(value)?),
        "queue" => Setting::Queue(parse(value)?),
        "queues" => Setting::Queues(parse(value)?),
        "step" => Setting::Step(parse(value)?),
        _ => return Err(UNKNOWN.to_owned()),
    })
}

fn about(function: &str, calls: (u64, u64), act: Act) -> Clause {
    Clause::Rule(Rule { function: function.to_owned(), calls, act })
}

fn rule(verb: &str, name: &str, rest: &[&str]) -> Result<Rule, String> {
    let (calls, act) = match (verb, rest) {
        ("fail", [calls, code]) => (range(calls)?, Act::Fail(number(code)?)),
        ("break", [calls, code]) => (range(calls)?, Act::Break(number(code)?)),
        ("late", [calls, code]) => (range(calls)?, Act::Late(number(code)?)),
        ("not_ready", [count]) => ((1, parse(count)?), Act::Fail(Code::NOT_READY)),
        ("block", [calls]) => (range(calls)?, Act::Block(None)),
        ("block", [calls, millis]) => {
            (range(calls)?, Act::Block(Some(Duration::from_millis(parse(millis)?))))
        }
        _ => return Err(UNKNOWN.to_owned()),
    };
    Ok(Rule { function: name.to_owned(), calls, act })
}

/// `3`, `3..5` with both ends, `3..` or `*`.
fn range(text: &str) -> Result<(u64, u64), String> {
    let (from, upto) = match text.split_once("..") {
        _ if text == "*" => return Ok((1, u64::MAX)),
        None => (parse(text)?, parse(text)?),
        Some((from, "")) => (parse(from)?, u64::MAX),
        Some((from, upto)) => (parse(from)?, parse(upto)?),
    };
    if from == 0 || upto < from {
        return Err(format!("{text} names no call; the first is 1"));
    }
    Ok((from, upto))
}

fn number(text: &str) -> Result<Code, String> {
    parse(text).map(Code)
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is no such number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_stand_apart_by_semicolons_and_lines() {
        let read = read("devices=3; version=12000 # old\n\n fail cuEventRecord 2 719;").unwrap();
        let rule =
            Rule { function: "cuEventRecord".to_owned(), calls: (2, 2), act: Act::Fail(Code(719)) };
        let expected = [
            Clause::Setting(Setting::Devices(3)),
            Clause::Setting(Setting::Version(12000)),
            Clause::Rule(rule),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn calls_are_one_some_or_all_that_follow() {
        for (text, expected) in
            [("3", (3, 3)), ("3..5", (3, 5)), ("3..", (3, u64::MAX)), ("*", (1, u64::MAX))]
        {
            assert_eq!(range(text), Ok(expected));
        }
    }

    #[test]
    fn every_verb_is_read() {
        for clause in [
            "name=a b",
            "memory=4096",
            "queue=8",
            "queues=8",
            "step=32",
            "attribute 92 1",
            "missing cuStreamGetId",
            "stall 1",
            "reuse",
            "strict",
            "release",
            "deinitialized",
            "break cuEventQuery 1 700",
            "late * 1.. 719",
            "not_ready cuEventQuery 5",
            "fault 2.. 700",
            "elapsed * -1.5",
            "elapsed 1 NaN",
            "block cuCtxSynchronize 1",
            "block cuCtxSynchronize 1 50",
        ] {
            assert_eq!(read(clause).map(|clauses| clauses.len()), Ok(1), "{clause}");
        }
    }

    #[test]
    fn a_clause_that_makes_no_sense_is_named() {
        for clause in [
            "devices=many",
            "color=red",
            "fail cuInit",
            "fail cuInit 0 1",
            "fail cuInit 5..3 1",
            "x",
        ] {
            let trouble = read(&format!("release; {clause}")).unwrap_err();
            assert!(trouble.contains(&format!("`{clause}`: ")), "{trouble}");
        }
    }
}
