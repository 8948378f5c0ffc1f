//! What a CUDA driver does, asked question by question: a program that prints a row for each answer.
//!
//! It opens any `libcuda` through the loader and needs no toolkit. Each question is asked in a process of its own, so
//! that one which breaks its context, hangs or dies is a row like the others. `README.md` says how it is used.

mod answer;
mod asking;
mod costs;
mod date;
mod driver;
mod expected;
mod machine;
mod parent;
mod questions;
mod report;
mod request;
mod session;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use answer::{Asked, Outcome, Unasked};
use driver::Driver;
use expected::Row;
use questions::Question;
use report::{Fact, Measure, Report};
use request::{Costs, Form, Request, Wanted};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let done =
        Request::parse(&words).and_then(|request| answer(request).map_err(|e| e.to_string()));
    done.map_or_else(|error| complain(&error), |()| ExitCode::SUCCESS)
}

/// Nobody is left to tell if the terminal itself is gone.
fn complain(error: &str) -> ExitCode {
    writeln!(io::stderr(), "facts: {error}").ok();
    ExitCode::from(2)
}

fn answer(request: Request) -> io::Result<()> {
    match request {
        Request::Help => write!(io::stdout(), "{}", request::USAGE),
        Request::Report(wanted) => report(&wanted),
        Request::Ask { name } => {
            let _lines = parent::listen();
            tell(&in_this_process(&name))
        }
        Request::Peer { what, exported } => {
            let lines = parent::listen();
            let told = || lines.recv().unwrap_or_default();
            let asked =
                Driver::open().and_then(|driver| questions::peer(driver, &what, &exported, told));
            say(&asked.unwrap_or_else(|why| why.to_string()))
        }
    }
}

fn tell(asked: &Asked<String>) -> io::Result<()> {
    say(&answer::line(asked))
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

fn in_this_process(name: &str) -> Asked<String> {
    let mut known = questions::all().chain(machine::QUESTIONS).chain(costs::QUESTIONS);
    let question = known.find(|question| question.name == name);
    let question = question.ok_or_else(|| Unasked::Refused(format!("nobody asks `{name}`")))?;
    (question.ask)(Driver::open()?)
}

fn report(wanted: &Wanted) -> io::Result<()> {
    let rows = expected::rows(expected::TABLE).map_err(io::Error::other)?;
    let ask = |question: &Question| asking::ask(question, wanted.library.as_deref());
    let asked = questions::all().zip(rows).filter(|(question, _)| wanted.has(question.name));
    if let Outcome::NotAsked(why) = ask(&machine::LIBRARY) {
        return Err(io::Error::other(why));
    }
    let report = Report {
        date: date::today(),
        machine: machine::QUESTIONS.iter().map(|one| Measure::of(one, ask(one))).collect(),
        facts: asked.map(|(question, row)| fact(question, &row, ask(question))).collect(),
        costs: costs(wanted).map(|one| Measure::of(one, ask(one))).collect(),
    };
    let to = &mut io::stdout().lock();
    match wanted.form {
        Form::Text => report.write_text(to),
        Form::Json => report.write_json(to),
    }
}

fn fact(question: &Question, row: &Row<'static>, outcome: Outcome) -> Fact {
    let Row { answer: expected, known, .. } = *row;
    Fact { name: question.name, asks: question.asks, outcome, expected, known }
}

fn costs(wanted: &Wanted) -> impl Iterator<Item = &'static Question> {
    let measured = if wanted.costs == Costs::Measured { costs::QUESTIONS } else { &[] };
    measured.iter().filter(|question| wanted.has(question.name))
}
