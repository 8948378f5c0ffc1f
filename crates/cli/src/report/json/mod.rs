//! The report as a program reads it: one JSON object whose keys stay.
//!
//! The keys of [`VERSION`] are never renamed or removed, and keep their meaning; new ones may come. A key whose value
//! is not known is there with `null`. Times are whole nanoseconds from the beginning of the run.
//!
//! | Key | What it holds |
//! |---|---|
//! | `version` | [`VERSION`] |
//! | `pipeline` | the file |
//! | `verdict` | `complete`, `failed`, `timed_out`, `interrupted` or `unfinished` |
//! | `clock` | `name`, `resolution_ns`, and `error_ns`: how far times may be off, if they came from another clock; where a device only estimates when something was, `began_ns` and `began_error_ns`: when the run began, and how far that may be off |
//! | `wall_ns` | when the run ended |
//! | `held_up` | of a run that was cut short: the longest chain of holds, from an open step to what nobody had done; see below |
//! | `left_behind` | what should have been removed at the end and could not be, and why |
//! | `streams` | for each: `name`, `device`, `priority`, and `busy_ns`: how long its steps ran, summed |
//! | `steps` | for each: see below |
//! | `overlap` | `busy_ns`: all steps, summed; `together_ns`: a list, how long 0, 1, 2 ... of them ran at once |
//! | `critical_path` | `work_ns`: its steps, summed; `links`: see below. `null` if no step has a time |
//!
//! A step has its `name`, its `stream`, its `work` (`command`, `fill`, `copy` or `delay`), its `state` (`complete`,
//! `failed`, `not_run` or `unfinished`), the `reason` of a failure, the step `because` of which it was not run,
//! `start_ns`, `end_ns`, what it came `after` (a list of edges), the end of its `output`, and `output_cut`: how many
//! bytes before that were not kept.
//!
//! An edge has the `step` that had to end first, and `why`: `order`, on the same stream, or `wait`, with the name of the
//! `point`. A hold has a `step`, where a stream stood, and the `edge` that kept it from beginning, `null` if it was
//! running; the next hold is of the stream that the edge is from. A link has its `step`, the `edge` that ties it to the link before (`null` for the first), `gap_ns` from the
//! end of that one, and `held_by`, a step off the path that it also waited for and that ended later.

mod chain;

use std::{io, time::Duration};

use serde::Serialize;

use super::{Report, State, Step, Stream, Verdict, style::is_hidden};
use chain::{EdgeForm, HoldForm, PathForm};

/// The version of the form: it grows when a key changes its meaning or goes.
pub const VERSION: u32 = 1;

impl Report {
    /// Writes the report as one JSON object with a line break behind it. Its keys are described in
    /// [`json`](crate::report::json).
    ///
    /// # Errors
    ///
    /// What the writer answers.
    pub fn json(&self, mut writer: impl io::Write) -> io::Result<()> {
        let text = serde_json::to_string_pretty(&Document::of(self))?;
        writeln!(writer, "{}", escaped(&text))
    }
}

#[derive(Serialize)]
struct Document<'r> {
    version: u32,
    pipeline: &'r str,
    verdict: &'static str,
    clock: ClockForm<'r>,
    wall_ns: u64,
    held_up: Vec<HoldForm<'r>>,
    left_behind: Option<&'r str>,
    streams: Vec<StreamForm<'r>>,
    steps: Vec<StepForm<'r>>,
    overlap: OverlapForm,
    critical_path: Option<PathForm<'r>>,
}

#[derive(Serialize)]
struct ClockForm<'r> {
    name: &'r str,
    resolution_ns: u64,
    error_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    began_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    began_error_ns: Option<u64>,
}

#[derive(Serialize)]
struct StreamForm<'r> {
    name: &'r str,
    device: &'r str,
    priority: Option<i32>,
    busy_ns: u64,
}

#[derive(Serialize)]
struct StepForm<'r> {
    name: &'r str,
    stream: Option<&'r str>,
    work: &'static str,
    state: &'static str,
    reason: Option<&'r str>,
    because: Option<&'r str>,
    start_ns: Option<u64>,
    end_ns: Option<u64>,
    after: Vec<EdgeForm<'r>>,
    output: &'r str,
    output_cut: u64,
}

#[derive(Serialize)]
struct OverlapForm {
    busy_ns: u64,
    together_ns: Vec<u64>,
}

impl<'r> Document<'r> {
    fn of(report: &'r Report) -> Self {
        let overlap = report.overlap();
        Self {
            version: VERSION,
            pipeline: &report.pipeline,
            verdict: verdict(report.verdict()),
            clock: ClockForm {
                name: &report.clock.name,
                resolution_ns: nanos(report.clock.resolution),
                error_ns: report.clock.error.map(nanos),
                began_ns: report.clock.began.map(|(time, _)| nanos(time)),
                began_error_ns: report.clock.began.map(|(_, error)| nanos(error)),
            },
            wall_ns: nanos(report.wall),
            held_up: report.held.iter().map(|hold| HoldForm::of(report, hold)).collect(),
            left_behind: report.left_behind.as_deref(),
            streams: report.streams.iter().zip(report.busy()).map(StreamForm::of).collect(),
            steps: report.steps.iter().map(|step| StepForm::of(report, step)).collect(),
            overlap: OverlapForm {
                busy_ns: nanos(overlap.busy),
                together_ns: overlap.together.into_iter().map(nanos).collect(),
            },
            critical_path: report.critical_path().map(|path| PathForm::of(report, path)),
        }
    }
}

impl<'r> StreamForm<'r> {
    fn of((stream, busy): (&'r Stream, Duration)) -> Self {
        Self {
            name: &stream.name,
            device: &stream.device,
            priority: stream.priority,
            busy_ns: nanos(busy),
        }
    }
}

impl<'r> StepForm<'r> {
    fn of(report: &'r Report, step: &'r Step) -> Self {
        let (state, reason, because) = match &step.state {
            State::Complete => ("complete", None, None),
            State::Failed { reason } => ("failed", Some(reason.as_str()), None),
            State::NotRun { because } => ("not_run", None, name(report, *because)),
            State::Unfinished => ("unfinished", None, None),
        };
        Self {
            name: &step.name,
            stream: report.streams.get(step.stream).map(|stream| stream.name.as_str()),
            work: step.work,
            state,
            reason,
            because,
            start_ns: step.start.map(nanos),
            end_ns: step.end.map(nanos),
            after: step.after.iter().map(|edge| EdgeForm::of(report, edge)).collect(),
            output: &step.output.text,
            output_cut: step.output.cut,
        }
    }
}

/// JSON that a terminal can be shown: JSON itself asks only for the oldest controls to be escaped. What is beyond ASCII
/// stands in strings only, where an escape means the same.
fn escaped(json: &str) -> String {
    let shown = |sign: char| match sign {
        sign if sign != '\n' && is_hidden(sign) => format!("\\u{:04x}", u32::from(sign)),
        sign => sign.to_string(),
    };
    json.chars().map(shown).collect()
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Complete => "complete",
        Verdict::Failed => "failed",
        Verdict::TimedOut => "timed_out",
        Verdict::Interrupted => "interrupted",
        Verdict::Unfinished => "unfinished",
    }
}

fn name(report: &Report, step: usize) -> Option<&str> {
    report.steps.get(step).map(|step| step.name.as_str())
}

/// Whole nanoseconds; 584 years are the most that the form can say.
fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::{
        super::{Hold, sample},
        *,
    };
    use crate::{golden, graph::Edge};

    fn json(report: &Report) -> Value {
        let mut bytes = Vec::new();
        report.json(&mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn keys(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            Value::Object(entries) => {
                for (key, value) in entries {
                    found.insert(key.clone());
                    keys(value, found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn the_form_is_as_it_was() {
        let mut report = sample::timed(&[(0, 0, 30, &[]), (1, 31, 80, &[0]), (1, 0, 0, &[1])]);
        report.steps[1].state = State::Failed { reason: "gzip ended with exit status 1".into() };
        report.steps[1].output.text = "gzip: no such file\n".into();
        (report.steps[2].start, report.steps[2].end) = (None, None);
        report.steps[2].state = State::NotRun { because: 1 };
        report.held = vec![Hold::new(1, Some(Edge::wait(0, "point 0"))), Hold::new(0, None)];
        let mut bytes = Vec::new();
        report.json(&mut bytes).unwrap();
        golden::check("report.json", &String::from_utf8(bytes).unwrap());
    }

    #[test]
    fn every_key_is_described() {
        let mut found = BTreeSet::new();
        let report = sample::timed(&[(0, 0, 30, &[]), (1, 31, 80, &[0])]);
        keys(&json(&report), &mut found);
        let described = include_str!("mod.rs").lines().filter(|line| line.starts_with("//!"));
        let described: String = described.collect();
        for key in found {
            assert!(described.contains(&format!("`{key}`")), "{key} is not described");
        }
    }

    #[test]
    fn nothing_in_it_moves_a_cursor_and_all_reads_back() {
        let mut report = sample::timed(&[(0, 0, 30, &[])]);
        let said = "\u{1b}[2J \u{9b}31m \u{7f} \u{202e} \u{e4}\n";
        report.steps[0].output.text = said.into();
        let mut bytes = Vec::new();
        report.json(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.chars().all(|sign| sign == '\n' || !is_hidden(sign)), "{text}");
        assert!(text.contains('\u{e4}'), "{text}");
        assert_eq!(json(&report)["steps"][0]["output"], said);
    }

    proptest! {
        #[test]
        fn every_step_and_time_reads_back(report in sample::random(12)) {
            let json = json(&report);
            for (place, step) in report.steps.iter().enumerate() {
                prop_assert_eq!(json["steps"][place]["name"].as_str(), Some(step.name.as_str()));
                prop_assert_eq!(json["steps"][place]["start_ns"].as_u64(), step.start.map(nanos));
                prop_assert_eq!(json["steps"][place]["end_ns"].as_u64(), step.end.map(nanos));
            }
        }
    }
}
