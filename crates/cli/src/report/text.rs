//! The report as a person reads it: the verdict, the table, the lanes, the overlap, the critical path, the troubles.

use std::{iter, time::Duration};

use super::{
    CutShort, Interval, Link, Overlap, Report, State, Style, Verdict, lanes,
    pick::{pick, rest},
    style::{Ink, visible},
    table::{name, table},
    trouble,
    unit::{self, Unit},
    width::{pad, width},
};
use crate::graph::{Edge, Why};

/// How many numbers of steps, or groups of them, the overlap tells.
const GROUPS: usize = 10;
/// How many steps of the critical path are told.
const LINKS: usize = 50;

impl Report {
    /// The whole report, as text for an output of this style. It ends with a line break.
    pub fn text(&self, style: Style) -> String {
        let parts = [
            self.headline(style),
            table(self, style),
            lanes::lanes(self, style),
            self.overlap_text(style),
            self.critical_text(style),
            trouble::troubles(self, style),
            trouble::outputs(self, style),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// A length in the unit that suits it.
    pub(super) fn show(&self, length: Duration) -> String {
        unit::show(length, self.clock.resolution)
    }

    /// How the run went, and on which clock it was timed.
    fn headline(&self, style: Style) -> String {
        let ink = if self.verdict() == Verdict::Complete { Ink::Strong } else { Ink::Bad };
        let headline = format!("{}: {}", visible(&self.pipeline), self.verdict_text());
        format!(
            "{}\n{}\n",
            style.paint(ink, &headline),
            style.paint(Ink::Faint, &self.clock_text())
        )
    }

    fn verdict_text(&self) -> String {
        let wall = self.show(self.wall);
        match self.verdict() {
            Verdict::Complete if self.steps.len() == 1 => format!("1 step complete in {wall}"),
            Verdict::Complete => format!("all {} in {wall}", self.counts().join(", ")),
            Verdict::TimedOut => {
                let limit = match self.cut_short {
                    Some(CutShort::TimedOut(limit)) => limit,
                    _ => self.wall,
                };
                format!("timed out after {}: {}", self.show(limit), self.counts().join(", "))
            }
            Verdict::Interrupted => {
                format!("interrupted after {wall}: {}", self.counts().join(", "))
            }
            Verdict::Failed | Verdict::Unfinished => {
                format!("{} in {wall}", self.counts().join(", "))
            }
        }
    }

    /// How many steps came to which end, for the ends that occur.
    fn counts(&self) -> Vec<String> {
        let count =
            |kind: fn(&super::Step) -> bool| self.steps.iter().filter(|step| kind(step)).count();
        let counts = [
            (count(|step| matches!(step.state, State::Failed { .. })), "failed"),
            (count(|step| matches!(step.state, State::NotRun { .. })), "not run"),
            (
                count(|step| step.state == State::Unfinished && step.start.is_some()),
                "still running",
            ),
            (count(|step| step.state == State::Unfinished && step.start.is_none()), "not begun"),
            (count(|step| step.state == State::Complete), "complete"),
        ];
        let told = counts.into_iter().filter(|(count, _)| *count > 0).enumerate();
        told.map(|(place, (count, what))| {
            let steps = if count == 1 { " step" } else { " steps" };
            format!("{count}{} {what}", if place == 0 { steps } else { "" })
        })
        .collect()
    }

    fn clock_text(&self) -> String {
        let resolution = unit::show(self.clock.resolution, Duration::ZERO);
        let error = self.clock.error.map(|error| format!(", within {}", self.show(error)));
        let name = visible(&self.clock.name);
        let began = self.clock.began.map(|(time, error)| {
            let (unit, error) = (Unit::fitting(time, error), unit::show(error, Duration::ZERO));
            format!(", run began at {} {} \u{b1} {error}", unit.number(time), unit.name)
        });
        let [error, began] = [error, began].map(Option::unwrap_or_default);
        format!("clock: {name}, resolution {resolution}{error}{began}")
    }

    /// How much ran at once; nothing if nothing ran.
    fn overlap_text(&self, style: Style) -> String {
        let overlap = self.overlap();
        if overlap.peak() == 0 {
            return String::new();
        }
        let (busy, wall) = (self.show(overlap.busy), self.show(self.wall));
        let average = hundredths(overlap.busy, self.wall);
        let head = style.paint(Ink::Strong, "overlap:");
        let mut text =
            format!("{head} {busy} of work in {wall}, {average} steps at once on average\n");
        let lines: Vec<_> = together(&overlap).filter(|(_, time)| !time.is_zero()).collect();
        let width = lines.iter().map(|(running, _)| running.len()).max().unwrap_or(0).max(3);
        let total = overlap.together.iter().sum::<Duration>().as_nanos();
        let line = |(running, time): (String, Duration)| {
            let share = (time.as_nanos() * 100 + total / 2) / total;
            format!("  {running:>width$} at once {:>12} {share:>4} %\n", self.show(time))
        };
        text.extend(lines.into_iter().map(line));
        text
    }

    /// The critical path, and why each step of it began when it did.
    fn critical_text(&self, style: Style) -> String {
        let Some(path) = self.critical_path() else { return String::new() };
        let head = style.paint(Ink::Strong, "critical path:");
        let (work, wall) = (self.show(path.work), self.show(self.wall));
        let mut text = format!("{head} {work} of work out of {wall}\n");
        let length = |link: usize| self.interval(path.links[link].step).map(Interval::length);
        let shown = pick(path.links.len(), LINKS, length);
        let links = || shown.iter().map(|&link| &path.links[link]);
        let widest = links().map(|link| width(&name(self, link.step))).max();
        for link in links() {
            text += &self.link_line(link, widest.unwrap_or(0), style);
        }
        text + &rest(path.links.len(), shown.len(), "that took less time, which --json tells, too")
    }

    fn link_line(&self, link: &Link, columns: usize, style: Style) -> String {
        let name = style.paint(Ink::Critical, &pad(&name(self, link.step), columns));
        let length = self.interval(link.step).map(|run| self.show(run.length()));
        format!("  {name}  {:>12}  {}\n", length.unwrap_or_default(), self.reason(link))
    }

    /// Why a link of the critical path began when it did.
    fn reason(&self, link: &Link) -> String {
        let began = match link.gap {
            Duration::ZERO => "right".to_owned(),
            gap => self.show(gap),
        };
        let reason = match &link.edge {
            None if link.gap.is_zero() => "began the run".to_owned(),
            None => format!("began {began} after the run did"),
            Some(Edge { from, why: Why::Order }) => {
                format!("began {began} after {}, next on its stream", name(self, *from))
            }
            Some(Edge { from, why: Why::Wait(point) }) => {
                format!("began {began} after {}, waited for {}", name(self, *from), visible(point))
            }
        };
        let held = link.held_by.map(|step| format!("; held longer by {}", name(self, step)));
        reason + &held.unwrap_or_default()
    }
}

/// How long each number of steps ran at once. Great numbers are told in groups of equal width.
fn together(overlap: &Overlap) -> impl Iterator<Item = (String, Duration)> {
    let (times, peak) = (&overlap.together, overlap.peak());
    let width = peak.div_ceil(GROUPS).max(1);
    let group = move |first: usize| {
        let last = peak.min(first + width - 1);
        let label = if first == last { first.to_string() } else { format!("{first} to {last}") };
        (label, times[first..=last].iter().sum())
    };
    iter::once(("0".to_owned(), times[0])).chain((1..=peak).step_by(width).map(group))
}

/// A quotient with two digits.
fn hundredths(part: Duration, whole: Duration) -> String {
    let hundredths = part.as_nanos() * 100 / whole.as_nanos().max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{Hold, Stream, sample},
        *,
    };
    use crate::golden;

    const MILLI: u64 = 1_000_000;

    fn pipeline() -> Report {
        sample::timed(&[
            (0, 0, 30 * MILLI, &[]),
            (0, 30 * MILLI, 60 * MILLI, &[]),
            (1, 31 * MILLI, 80 * MILLI, &[0]),
            (1, 80 * MILLI, 100 * MILLI, &[1, 2]),
        ])
    }

    #[test]
    fn a_complete_run_is_told_from_verdict_to_critical_path() {
        golden::check("complete.txt", &pipeline().text(Style::PLAIN));
    }

    #[test]
    fn a_failed_run_tells_what_failed_and_what_it_said() {
        let mut report = pipeline();
        let reason = "gzip ended with exit status 1".to_owned();
        report.steps[2].state = State::Failed { reason };
        report.steps[2].output.text = "gzip: no such file\n\u{1b}[2J".into();
        report.steps[2].output.cut = 70;
        report.steps[3].state = State::NotRun { because: 2 };
        (report.steps[3].start, report.steps[3].end) = (None, None);
        golden::check("failed.txt", &report.text(Style::PLAIN));
    }

    #[test]
    fn a_crowd_is_told_in_groups() {
        let crowd = |stream: usize| (stream, stream as u64, 40, [].as_slice());
        let report = sample::timed(&(0..25).map(crowd).collect::<Vec<_>>());
        let text = report.overlap_text(Style::PLAIN);
        assert_eq!(text.lines().count(), 1 + 9, "{text}");
        assert!(text.contains("\n    4 to 6 at once         3 ns    8 %\n"), "{text}");
        assert!(text.ends_with("\n        25 at once        16 ns   40 %\n"), "{text}");
    }

    #[test]
    fn of_a_very_long_critical_path_the_longest_steps_are_told() {
        let before: Vec<[usize; 1]> = (0..300).map(|step| [step]).collect();
        let chain = |step: usize| {
            let (start, more) = (2 * step as u64, u64::from(step % 30 == 7));
            (0, start, start + 1 + more, if step == 0 { &[][..] } else { &before[step - 1] })
        };
        let report = sample::timed(&(0..300).map(chain).collect::<Vec<_>>());
        let text = report.critical_text(Style::PLAIN);
        assert_eq!(text.lines().count(), 1 + LINKS + 1, "{text}");
        assert!(text.contains("  step 277 ") && text.contains("  step 0 "), "{text}");
        assert!(
            text.ends_with("\nand 250 more that took less time, which --json tells, too\n"),
            "{text}"
        );
    }

    #[test]
    fn a_run_that_timed_out_tells_what_was_waited_for() {
        let mut report = pipeline();
        report.cut_short = Some(CutShort::TimedOut(Duration::from_millis(70)));
        report.wall = Duration::from_millis(70);
        for step in &mut report.steps[2..] {
            (step.state, step.end) = (State::Unfinished, None);
        }
        report.steps[3].start = None;
        report.streams.push(Stream { name: "stream 2".into(), ..report.streams[1].clone() });
        report.steps[3].stream = 2;
        let edge = report.steps[3].after[1].clone();
        report.held = vec![Hold::new(3, Some(edge)), Hold::new(2, None)];
        golden::check("timed_out.txt", &report.text(Style::PLAIN));
    }

    proptest! {
        #[test]
        fn no_report_moves_the_cursor(report in sample::random(12)) {
            let text = report.text(Style::PLAIN);
            prop_assert!(text.chars().all(|sign| sign == '\n' || !sign.is_control()));
            prop_assert!(text.ends_with('\n'));
        }
    }
}
