//! What went wrong in a run, and what its steps said.

use std::iter;

use super::{
    Hold, Report, State, Step,
    pick::{pick, rest},
    style::{Ink, Style, visible},
    table::name,
};
use crate::graph::{Edge, Why};

/// How many troubles of a kind are told; the others are counted.
const TOLD: usize = 20;
/// How many lines of output are shown of a step that failed, and of one that did not.
const FAILED_LINES: usize = 20;
const USUAL_LINES: usize = 3;
/// How much of a line of output is shown, in characters: what says more is no text for a person.
const LONGEST: usize = 400;

/// Every failure with its reason; then, of a run that was cut short, what held it up and where each stream stood.
pub(super) fn troubles(report: &Report, style: Style) -> String {
    let failures = report.steps.iter().filter_map(|step| match &step.state {
        State::Failed { reason } => {
            Some(format!("{} failed: {}", visible(&step.name), visible(reason)))
        }
        _ => None,
    });
    let fronts = report.steps_by_stream().into_iter().filter_map(|steps| front(report, &steps));
    let left = report.left_behind.iter().map(|left| visible(left));
    list(&failures.collect::<Vec<_>>(), style, Ink::Bad)
        + &chain(report, style)
        + &list(&fronts.collect::<Vec<_>>(), style, Ink::Plain)
        + &list(&left.collect::<Vec<_>>(), style, Ink::Bad)
}

/// The chain from the end of the run to what nobody had done yet. A chain of one hop is told by where its stream stood.
fn chain(report: &Report, style: Style) -> String {
    if report.held.len() < 2 {
        return String::new();
    }
    let before = iter::once(None).chain(report.held.iter().map(|hold| hold.edge.as_ref()));
    let hops = report.held.iter().zip(before).map(|(hold, before)| hop(report, hold, before));
    let lines: Vec<String> = hops.map(|hop| format!("  {hop}")).collect();
    let head = style.paint(Ink::Strong, "what held the run up:");
    format!("{head}\n{}\n", list(&lines, style, Ink::Plain))
}

/// One hop; the edge before it leads to its stream, but maybe to a later step of that.
fn hop(report: &Report, hold: &Hold, before: Option<&Edge>) -> String {
    let needed = before.map(|edge| edge.from).filter(|&needed| needed != hold.step);
    let needed = needed.map(|needed| format!(", before {} on its stream,", name(report, needed)));
    let held = match &hold.edge {
        Some(edge) => format!("waited for {}", awaited(report, edge)),
        None if report.interval(hold.step).is_some() => "was still running".to_owned(),
        None => "had not begun".to_owned(),
    };
    format!("{}{} {held}", name(report, hold.step), needed.unwrap_or_default())
}

fn list(lines: &[String], style: Style, ink: Ink) -> String {
    let more = lines.len().saturating_sub(TOLD);
    let told = lines.iter().take(TOLD).map(|line| style.paint(ink, line));
    let rest = (more > 0).then(|| format!("and {more} more"));
    told.chain(rest).flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// What the first step of a stream that has not ended was doing, and how many more wait behind it.
fn front(report: &Report, steps: &[usize]) -> Option<String> {
    let open = |step: &&usize| report.steps[**step].state == State::Unfinished;
    let front = *steps.iter().find(open)?;
    let doing = match report.interval(front) {
        Some(run) => {
            format!("was still running, {} after it began", report.show(run.length()))
        }
        None => format!("had not begun: {}", waiting(report, &report.steps[front])),
    };
    let behind = match steps.iter().filter(open).count() - 1 {
        0 => String::new(),
        1 => "; 1 step behind it had not begun".to_owned(),
        more => format!("; {more} steps behind it had not begun"),
    };
    Some(format!("{} {doing}{behind}", name(report, front)))
}

/// What a step that has not begun waited for.
fn waiting(report: &Report, step: &Step) -> String {
    let awaited: Vec<String> = open_edges(report, step).map(|edge| awaited(report, edge)).collect();
    match awaited[..] {
        [] => "it was about to".to_owned(),
        _ => format!("it waited for {}", awaited.join(", ")),
    }
}

/// The edges from steps that are not complete.
fn open_edges<'r>(report: &'r Report, step: &'r Step) -> impl Iterator<Item = &'r Edge> {
    let open = |edge: &&Edge| {
        report.steps.get(edge.from).is_some_and(|step| step.state != State::Complete)
    };
    step.after.iter().filter(open)
}

fn awaited(report: &Report, edge: &Edge) -> String {
    let step = name(report, edge.from);
    match &edge.why {
        Why::Wait(point) => format!("{} ({step})", visible(point)),
        Why::Order => format!("{step} before it on its stream"),
    }
}

/// What the steps said, each under its name: the last lines of it. Of very many, those that failed are told first.
pub(super) fn outputs(report: &Report, style: Style) -> String {
    let said = report.steps.iter().filter(|step| !step.output.text.trim().is_empty());
    let said: Vec<&Step> = said.collect();
    let shown = pick(said.len(), TOLD, |step| has_failed(said[step]));
    let told: String = shown.iter().map(|&step| output(said[step], style)).collect();
    told + &rest(said.len(), shown.len(), "said something, which --json tells, too")
}

fn has_failed(step: &Step) -> bool {
    matches!(step.state, State::Failed { .. })
}

fn output(step: &Step, style: Style) -> String {
    let failed = has_failed(step);
    let lines: Vec<&str> = step.output.text.trim_end().lines().collect();
    let hidden = lines.len().saturating_sub(if failed { FAILED_LINES } else { USUAL_LINES });
    let before = match (hidden, step.output.cut) {
        (0, 0) => String::new(),
        (_, 0) => format!(", its last {} lines", lines.len() - hidden),
        _ => ", the end of it".to_owned(),
    };
    let head = style.paint(Ink::Strong, &format!("{} said{before}:", visible(&step.name)));
    let body = lines[hidden..].iter().map(|line| format!("  {}\n", shown(line)));
    format!("{head}\n{}", body.collect::<String>())
}

/// A line as a terminal would show it in the end: what was written over is gone, and the end of a long one is cut off.
fn shown(line: &str) -> String {
    let last = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or("");
    let mut signs = visible(last);
    if let Some((cut, _)) = signs.char_indices().nth(LONGEST) {
        signs.truncate(cut);
        signs += " ...";
    }
    signs
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn of_many_troubles_some_are_counted() {
        let shape: Vec<(usize, &[usize])> = (0..25).map(|stream| (stream, [].as_slice())).collect();
        let text = troubles(&sample::unrun(&shape), Style::PLAIN);
        assert_eq!(text.lines().count(), TOLD + 1);
        assert!(text.ends_with("and 5 more\n"), "{text}");
    }

    #[test]
    fn of_a_stream_only_the_first_open_step_is_told() {
        let text = troubles(&sample::unrun(&[(0, &[]), (0, &[]), (0, &[])]), Style::PLAIN);
        let expected = "step 0 had not begun: it was about to; 2 steps behind it had not begun\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_was_left_behind_is_told() {
        let mut report = sample::timed(&[(0, 0, 1, &[])]);
        report.left_behind = Some("/tmp/x could not be removed: \u{1b}".into());
        let expected = "/tmp/x could not be removed: \\u{1b}\n";
        assert_eq!(troubles(&report, Style::PLAIN), expected);
    }

    #[test]
    fn of_many_that_said_something_the_failed_are_told_first() {
        let shape = [(0, 0, 1, [].as_slice()); 30];
        let mut report = sample::timed(&shape);
        for step in &mut report.steps {
            step.output.text = "something\n".into();
        }
        report.steps[29].state = State::Failed { reason: "broken".into() };
        let text = outputs(&report, Style::PLAIN);
        assert!(text.contains("step 0 said:") && text.contains("step 29 said:"), "{text}");
        assert!(text.ends_with("and 10 more said something, which --json tells, too\n"), "{text}");
    }

    #[test]
    fn a_line_is_shown_as_it_stood_in_the_end_and_as_far_as_it_can_be_read() {
        assert_eq!(shown("10 %\r50 %\r100 %\r"), "100 %");
        assert_eq!(shown(&"\0".repeat(30_000)).chars().count(), LONGEST + " ...".len());
        assert_eq!(shown(&"x".repeat(LONGEST)), "x".repeat(LONGEST));
    }

    #[test]
    fn a_step_that_did_not_fail_shows_its_last_lines_only() {
        let mut report = sample::timed(&[(0, 0, 1, &[])]);
        report.steps[0].output.text = "1\n2\n3\n4\n5\n".into();
        let expected = "step 0 said, its last 3 lines:\n  3\n  4\n  5\n";
        assert_eq!(outputs(&report, Style::PLAIN), expected);
    }
}
