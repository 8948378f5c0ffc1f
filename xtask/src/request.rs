//! What the command line asks for.

use crate::Result;
use crate::fuzz;
use crate::part::{PARTS, Part};
use crate::routine::OnFailure;

/// A command line that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Run these parts of the routine, in this order.
    Test { parts: Vec<&'static Part>, on_failure: OnFailure },
    /// Name the parts.
    List,
    /// Write the code map into `ARCHITECTURE.md`.
    RenewMap,
    /// Show the code map and write nothing.
    PrintMap,
    /// Count instructions and write the counts into `docs/costs.md`.
    RenewCost,
    /// Count instructions and compare them with what is written.
    CheckCost,
    /// Fuzz one target for so many seconds.
    Fuzz { target: &'static str, seconds: u32 },
    /// Keep what is worth keeping of what fuzzing one target has found.
    KeepCorpus { target: &'static str },
    /// Check dependencies, and promises since a commit or the last tag.
    Depend { since: Option<String> },
    /// Run a program of tests, and once more where one of them failed.
    Again { program: String, arguments: Vec<String> },
    /// Say what can be asked for.
    Help,
}

impl Request {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] | ["help" | "--help" | "-h", ..] => Ok(Self::Help),
            ["test", "--list"] => Ok(Self::List),
            ["test", rest @ ..] => parse_test(rest),
            ["map"] => Ok(Self::RenewMap),
            ["map", "--print"] => Ok(Self::PrintMap),
            ["cost"] => Ok(Self::RenewCost),
            ["cost", "--check"] => Ok(Self::CheckCost),
            ["deps"] => Ok(Self::Depend { since: None }),
            ["deps", "--since", commit] => Ok(Self::Depend { since: Some((*commit).to_owned()) }),
            ["fuzz", target] => parse_fuzz(target, fuzz::DEFAULT_SECONDS),
            ["fuzz", target, "--seconds", seconds] => parse_fuzz(target, seconds.parse()?),
            ["again", program, ..] => Ok(Self::Again {
                program: (*program).to_owned(),
                arguments: arguments[2..].to_vec(),
            }),
            ["fuzz", target, "--keep"] => Ok(Self::KeepCorpus { target: fuzz_target(target)? }),
            other => Err(format!("`{}` is not understood\n\n{USAGE}", other.join(" ")).into()),
        }
    }
}

fn parse_fuzz(target: &str, seconds: u32) -> Result<Request> {
    Ok(Request::Fuzz { target: fuzz_target(target)?, seconds })
}

fn fuzz_target(name: &str) -> Result<&'static str> {
    let known = fuzz::TARGETS.iter().map(|(name, _)| *name).find(|known| *known == name);
    let all = || fuzz::TARGETS.iter().map(|(name, reads)| format!("{name:8} {reads}\n"));
    known.ok_or_else(|| {
        let list: String = all().collect();
        format!("no fuzz target is called `{name}`; the targets are\n{list}").into()
    })
}

/// The parts run in the order of the routine, whatever the order they were asked in: the quickest to fail comes first.
fn parse_test(words: &[&str]) -> Result<Request> {
    let (options, names): (Vec<&str>, Vec<&str>) =
        words.iter().copied().partition(|word| word.starts_with('-'));
    if let Some(name) = names.iter().find(|name| PARTS.iter().all(|part| part.name != **name)) {
        return Err(format!("no part is called `{name}`; the parts are\n{}", list(PARTS)).into());
    }
    let wanted = |part: &&Part| names.is_empty() || names.contains(&part.name);
    Ok(Request::Test {
        parts: PARTS.iter().filter(wanted).collect(),
        on_failure: parse_on_failure(&options)?,
    })
}

fn parse_on_failure(options: &[&str]) -> Result<OnFailure> {
    match options {
        [] => Ok(OnFailure::Stop),
        ["--keep-going"] => Ok(OnFailure::KeepGoing),
        other => Err(format!("`{}` is not understood\n\n{USAGE}", other.join(" ")).into()),
    }
}

/// One line for each part.
pub(crate) fn list(parts: &[Part]) -> String {
    let line = |part: &Part| format!("{:8} {}", part.name, part.about);
    parts.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

pub(crate) const USAGE: &str = "\
usage: cargo xtask test [PART...] [--keep-going]   run every check, or these parts
       cargo xtask test --list                     name the parts
       cargo xtask map [--print]                   renew the code map in ARCHITECTURE.md, or show it
       cargo xtask cost [--check]                  count instructions (needs valgrind) and renew docs/costs.md, or compare
       cargo xtask fuzz TARGET [--seconds N]       give garbage to one target, 60 s if nothing is said
       cargo xtask fuzz TARGET --keep              renew fuzz/corpus with what was found
       cargo xtask deps [--since COMMIT]           check dependencies, and promises since a commit or the last tag
       cargo xtask again PROGRAM [ARGUMENT...]     run a program of tests, once more where one of them failed
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_without_names_asks_for_every_part() {
        let everything =
            Request::Test { parts: PARTS.iter().collect(), on_failure: OnFailure::Stop };
        assert_eq!(parse("test").unwrap(), everything);
    }

    #[test]
    fn named_parts_run_in_the_order_of_the_routine() {
        let Request::Test { parts, on_failure } = parse("test tidy --keep-going fmt").unwrap()
        else {
            panic!("`test` asks for a test");
        };
        let names: Vec<&str> = parts.iter().map(|part| part.name).collect();
        assert_eq!(names, ["fmt", "tidy"]);
        assert_eq!(on_failure, OnFailure::KeepGoing);
    }

    #[test]
    fn an_unknown_part_is_refused_with_the_names_of_all() {
        let message = parse("test fmt unti").unwrap_err().to_string();
        assert!(message.starts_with("no part is called `unti`; the parts are\n"), "{message}");
        assert!(PARTS.iter().all(|part| message.contains(part.name)), "{message}");
    }

    #[test]
    fn an_unknown_fuzz_target_is_refused_with_the_names_of_all() {
        let message = parse("fuzz plam").unwrap_err().to_string();
        assert!(fuzz::TARGETS.iter().all(|(name, _)| message.contains(name)), "{message}");
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_usage() {
        for line in ["tset", "test --keep-gong", "map --fresh", "test --list fmt"] {
            let message = parse(line).unwrap_err().to_string();
            assert!(message.ends_with(USAGE), "{line}: {message}");
        }
    }

    #[test]
    fn the_other_requests_are_understood() {
        assert_eq!(parse("").unwrap(), Request::Help);
        assert_eq!(parse("--help").unwrap(), Request::Help);
        assert_eq!(parse("test --list").unwrap(), Request::List);
        assert_eq!(parse("map").unwrap(), Request::RenewMap);
        assert_eq!(parse("map --print").unwrap(), Request::PrintMap);
        assert_eq!(parse("cost").unwrap(), Request::RenewCost);
        assert_eq!(parse("cost --check").unwrap(), Request::CheckCost);
        let (program, arguments) = ("a/b".to_owned(), vec!["--skip".to_owned(), "c".to_owned()]);
        assert_eq!(parse("again a/b --skip c").unwrap(), Request::Again { program, arguments });
        let seconds = fuzz::DEFAULT_SECONDS;
        assert_eq!(parse("fuzz plan").unwrap(), Request::Fuzz { target: "plan", seconds });
        let hour = Request::Fuzz { target: "page", seconds: 3600 };
        assert_eq!(parse("fuzz page --seconds 3600").unwrap(), hour);
        assert_eq!(parse("deps").unwrap(), Request::Depend { since: None });
        let since = Some("v1".to_owned());
        assert_eq!(parse("deps --since v1").unwrap(), Request::Depend { since });
        assert_eq!(parse("fuzz page --keep").unwrap(), Request::KeepCorpus { target: "page" });
    }

    fn parse(line: &str) -> Result<Request> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Request::parse(&arguments)
    }
}
