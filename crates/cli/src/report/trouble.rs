//! What went wrong in a run, and what its steps said.

use super::{
    Report, State, Step,
    style::{Ink, Style, visible},
    table::name,
};
use crate::graph::{Edge, Why};

/// How many troubles of a kind are told; the others are counted.
const TOLD: usize = 20;
/// How many lines of output are shown of a step that failed, and of one that did not.
const FAILED_LINES: usize = 20;
const USUAL_LINES: usize = 3;

/// Every failure with its reason, then every step that had not ended with what it waited for.
pub(super) fn troubles(report: &Report, style: Style) -> String {
    let failures = report.steps.iter().filter_map(|step| match &step.state {
        State::Failed { reason } => {
            Some(format!("{} failed: {}", visible(&step.name), visible(reason)))
        }
        _ => None,
    });
    let unfinished = (0..report.steps.len()).filter_map(|step| unfinished(report, step));
    list(&failures.collect::<Vec<_>>(), style, Ink::Bad)
        + &list(&unfinished.collect::<Vec<_>>(), style, Ink::Plain)
}

fn list(lines: &[String], style: Style, ink: Ink) -> String {
    let more = lines.len().saturating_sub(TOLD);
    let told = lines.iter().take(TOLD).map(|line| style.paint(ink, line));
    let rest = (more > 0).then(|| format!("and {more} more"));
    told.chain(rest).flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// What a step that has not ended was doing.
fn unfinished(report: &Report, place: usize) -> Option<String> {
    let step = &report.steps[place];
    if step.state != State::Unfinished {
        return None;
    }
    let name = visible(&step.name);
    if step.start.is_some() {
        let run = report.interval(place)?;
        return Some(format!(
            "{name} was still running, {} after it began",
            report.show(run.length())
        ));
    }
    let awaited: Vec<String> = open_edges(report, step).map(|edge| awaited(report, edge)).collect();
    match awaited[..] {
        [] => Some(format!("{name} had not begun, though nothing held it back")),
        _ => Some(format!("{name} had not begun: it waited for {}", awaited.join(", "))),
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

/// What the steps said, each under its name: the last lines of it.
pub(super) fn outputs(report: &Report, style: Style) -> String {
    let said = report.steps.iter().filter(|step| !step.output.text.trim().is_empty());
    said.map(|step| output(step, style)).collect()
}

fn output(step: &Step, style: Style) -> String {
    let failed = matches!(step.state, State::Failed { .. });
    let lines: Vec<&str> = step.output.text.trim_end().lines().collect();
    let hidden = lines.len().saturating_sub(if failed { FAILED_LINES } else { USUAL_LINES });
    let before = match (hidden, step.output.cut) {
        (0, 0) => String::new(),
        (_, 0) => format!(", its last {} lines", lines.len() - hidden),
        _ => ", the end of it".to_owned(),
    };
    let head = style.paint(Ink::Strong, &format!("{} said{before}:", visible(&step.name)));
    let body = lines[hidden..].iter().map(|line| format!("  {}\n", visible(line)));
    format!("{head}\n{}", body.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn of_many_troubles_some_are_counted() {
        let shape: Vec<(usize, &[usize])> = vec![(0, &[]); 25];
        let text = troubles(&sample::unrun(&shape), Style::PLAIN);
        assert_eq!(text.lines().count(), TOLD + 1);
        assert!(text.ends_with("and 5 more\n"), "{text}");
    }

    #[test]
    fn a_step_that_did_not_fail_shows_its_last_lines_only() {
        let mut report = sample::timed(&[(0, 0, 1, &[])]);
        report.steps[0].output.text = "1\n2\n3\n4\n5\n".into();
        let expected = "step 0 said, its last 3 lines:\n  3\n  4\n  5\n";
        assert_eq!(outputs(&report, Style::PLAIN), expected);
    }
}
