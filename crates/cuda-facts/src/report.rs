//! The report: facts first, then what the machine has and what calls cost, as text or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::answer::Outcome;
use crate::expected::Known;
use crate::questions::Question;

/// A fact: what was asked, what came of it, and what was expected.
#[derive(Debug, Serialize)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) asks: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) expected: &'static str,
    pub(crate) known: Known<'static>,
}

impl Fact {
    pub(crate) fn verdict(&self) -> Verdict {
        match &self.outcome {
            Outcome::NotAsked(_) => Verdict::NotAsked,
            Outcome::Answered(answer) if answer == self.expected => Verdict::AsExpected,
            Outcome::Answered(_) => Verdict::Otherwise,
        }
    }
}

/// How an outcome compares with what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    AsExpected,
    Otherwise,
    NotAsked,
}

/// Something that differs between machines: no fact about drivers.
#[derive(Debug, Serialize)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) asks: &'static str,
    pub(crate) outcome: Outcome,
}

impl Measure {
    pub(crate) fn of(question: &'static Question, outcome: Outcome) -> Self {
        Self { name: question.name, asks: question.asks, outcome }
    }
}

/// All that was asked of one driver.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The day in UTC.
    pub(crate) date: String,
    pub(crate) machine: Vec<Measure>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) costs: Vec<Measure>,
}

impl Report {
    pub(crate) fn write_json(&self, to: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *to, self)?;
        writeln!(to)
    }

    pub(crate) fn write_text(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "{:NAME$} {}", "date", self.date)?;
        self.machine.iter().try_for_each(|measure| write_measure(measure, to))?;
        writeln!(to)?;
        self.facts.iter().try_for_each(|fact| write_fact(fact, to))?;
        writeln!(to, "\n{}", self.summary())?;
        if !self.costs.is_empty() {
            writeln!(to, "\nCosts on this machine, no facts: medians.")?;
        }
        self.costs.iter().try_for_each(|measure| write_measure(measure, to))
    }

    fn summary(&self) -> String {
        let count = |verdict| self.facts.iter().filter(|fact| fact.verdict() == verdict).count();
        format!(
            "{} questions: {} answered as expected, {} otherwise, {} not asked",
            self.facts.len(),
            count(Verdict::AsExpected),
            count(Verdict::Otherwise),
            count(Verdict::NotAsked),
        )
    }
}

/// Columns of the text, wide enough for the longest name and nearly every answer.
const NAME: usize = 44;
const ANSWER: usize = 52;

fn write_measure(measure: &Measure, to: &mut impl Write) -> io::Result<()> {
    match &measure.outcome {
        Outcome::Answered(answer) => writeln!(to, "{:NAME$} {answer}", measure.name),
        Outcome::NotAsked(why) => writeln!(to, "{:NAME$} not asked: {why}", measure.name),
    }
}

fn write_fact(fact: &Fact, to: &mut impl Write) -> io::Result<()> {
    let (expected, known) = (fact.expected, fact.known);
    match &fact.outcome {
        Outcome::NotAsked(why) => writeln!(to, "{:NAME$} not asked: {why}", fact.name),
        Outcome::Answered(answer) if answer == expected => {
            writeln!(to, "{:NAME$} {answer:ANSWER$} as {known}", fact.name)
        }
        Outcome::Answered(answer) => {
            writeln!(to, "{:NAME$} {answer:ANSWER$} NOT {expected} ({known})", fact.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_told_with_what_was_expected_and_how_that_is_known() {
        let text = text(&Report { costs: Vec::new(), ..report() });
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(lines[2]), "a.same SUCCESS as documented: cuEventQuery");
        assert_eq!(words(lines[3]), "a.other INVALID_VALUE NOT SUCCESS (believed)");
        assert_eq!(words(lines[4]), "a.gone not asked: the library has no cuGone");
        let summary = "3 questions: 1 answered as expected, 1 otherwise, 1 not asked";
        assert_eq!(lines[6], summary);
    }

    #[test]
    fn costs_stand_apart_from_facts() {
        let text = text(&report());
        let (facts, costs) = text.split_once("Costs on this machine").unwrap();
        assert!(!facts.contains("cost.query") && costs.contains("cost.query"));
    }

    fn text(report: &Report) -> String {
        let mut text = Vec::new();
        report.write_text(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    fn report() -> Report {
        let answered = |text: &str| Outcome::Answered(text.to_owned());
        let fact = |name, outcome, known| Fact {
            name,
            asks: "what?",
            outcome,
            expected: "SUCCESS",
            known,
        };
        let gone = Outcome::NotAsked("the library has no cuGone".to_owned());
        Report {
            date: "2026-01-01".to_owned(),
            machine: Vec::new(),
            facts: vec![
                fact("a.same", answered("SUCCESS"), Known::Documented("cuEventQuery")),
                fact("a.other", answered("INVALID_VALUE"), Known::Believed),
                fact("a.gone", gone, Known::Believed),
            ],
            costs: vec![Measure { name: "cost.query", asks: "what?", outcome: answered("9 ns") }],
        }
    }
}
