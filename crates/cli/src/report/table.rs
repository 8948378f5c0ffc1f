//! The table of steps: which, where, when, how long, and what each waited for.

use super::{
    Interval, Report, State, Step,
    columns::{self, Column},
    pick::{pick, rest},
    style::{Ink, Style, visible},
    unit::Unit,
};
use crate::graph::{Edge, Why};

/// How many steps the table has at most: some screens of them. JSON has all.
const SHOWN: usize = 100;
/// How many waits a line names; the others are counted.
const NAMED: usize = 3;

/// The table, with a line for each step in the order of the file. Of very many, those are left out that went well, are
/// not on the critical path, and took the least time.
///
/// Where there is no room to say who records each point that is waited for, only the points are named; where there is
/// no room for that, neither; then names are cut, and at last streams and starts are left to the picture.
pub(super) fn table(report: &Report, style: Style) -> String {
    let shown = shown(report);
    let columns = fitting(report, &shown, style.room());
    let mut text = style.paint(Ink::Strong, &columns::head(&columns)) + "\n";
    for (place, &step) in shown.iter().enumerate() {
        text += &style.paint(ink(&report.steps[step]), &columns::row(&columns, place));
        text.push('\n');
    }
    let rest = rest(report.steps.len(), shown.len(), "steps, which --json tells, too");
    text + &style.paint(Ink::Faint, &rest)
}

fn shown(report: &Report) -> Vec<usize> {
    let critical = report.on_critical_path();
    pick(report.steps.len(), SHOWN, |step| {
        let state = &report.steps[step].state;
        let failed = matches!(state, State::Failed { .. });
        let length = report.interval(step).map(Interval::length);
        (failed, *state == State::Unfinished && length.is_some(), critical[step], length)
    })
}

/// The columns that fit into the room, or the least that a table has.
fn fitting(report: &Report, shown: &[usize], room: usize) -> Vec<Column> {
    let unit = Unit::fitting(report.wall, report.clock.resolution);
    let mut columns = of_steps(report, shown, unit);
    if columns::width(&columns) > room {
        columns.pop();
        let points = |step| waits(report, step, point);
        columns.push(column(shown, "waited for", false, &points));
    }
    if columns::width(&columns) > room {
        columns.pop();
    }
    for _stream_or_start in 0..2 {
        if columns::squeeze(&mut columns, room) {
            break;
        }
        columns.remove(1);
    }
    columns::squeeze(&mut columns, room);
    columns
}

fn ink(step: &Step) -> Ink {
    match step.state {
        State::Failed { .. } => Ink::Bad,
        State::NotRun { .. } | State::Unfinished => Ink::Faint,
        State::Complete => Ink::Plain,
    }
}

/// The columns; the one of states only where not every step is complete.
fn of_steps(report: &Report, shown: &[usize], unit: Unit) -> Vec<Column> {
    let time = |text: &str| format!("{text} ({})", unit.name);
    let start = |step| report.interval(step).map(|run| unit.number(run.start)).unwrap_or_default();
    let mut columns = vec![
        column(shown, "step", false, &|step| visible(&report.steps[step].name)),
        column(shown, "stream", false, &|step| stream(report, step)),
        column(shown, &time("start"), true, &start),
        column(shown, &time("length"), true, &|step| length(report, unit, step)),
    ];
    if report.steps.iter().any(|step| step.state != State::Complete) {
        columns.push(column(shown, "state", false, &|step| state(report, step)));
    }
    let waited_for = |step| waits(report, step, point_and_step);
    columns.push(column(shown, "waited for", false, &waited_for));
    columns
}

fn column(shown: &[usize], head: &str, numeric: bool, cell: &dyn Fn(usize) -> String) -> Column {
    Column::new(head, numeric, shown.iter().copied().map(cell).collect())
}

fn stream(report: &Report, step: usize) -> String {
    let stream = report.streams.get(report.steps[step].stream);
    stream.map(|stream| visible(&stream.name)).unwrap_or_default()
}

/// The length; of a step that has not ended, how long it has run so far, with a sign that there was more to come.
fn length(report: &Report, unit: Unit, step: usize) -> String {
    let Some(run) = report.interval(step) else { return String::new() };
    let more = if report.steps[step].end.is_none() { "> " } else { "" };
    format!("{more}{}", unit.number(run.length()))
}

fn state(report: &Report, step: usize) -> String {
    let step = &report.steps[step];
    match &step.state {
        State::Complete => "complete".into(),
        State::Failed { .. } => "failed".into(),
        State::NotRun { because } => format!("not run: {} failed", name(report, *because)),
        State::Unfinished if step.start.is_none() => "not begun".into(),
        State::Unfinished => "unfinished".into(),
    }
}

/// The points that the file makes the step wait for, each as `show` has it.
fn waits(report: &Report, step: usize, show: fn(&Report, &str, usize) -> String) -> String {
    let wait = |edge: &Edge| match &edge.why {
        Why::Wait(point) => Some(show(report, point, edge.from)),
        Why::Order => None,
    };
    let waits: Vec<String> = report.steps[step].after.iter().filter_map(wait).collect();
    let more = waits.len().saturating_sub(NAMED);
    let named = waits[..waits.len() - more].join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

fn point(_report: &Report, point: &str, _step: usize) -> String {
    visible(point)
}

/// A point with the step that records it.
fn point_and_step(report: &Report, point: &str, step: usize) -> String {
    format!("{} ({})", visible(point), name(report, step))
}

/// The name of a step, for a person.
pub(super) fn name(report: &Report, step: usize) -> String {
    report.steps.get(step).map(|step| visible(&step.name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{
        super::{sample, width::width},
        *,
    };

    #[test]
    fn numbers_stand_under_each_other_and_waits_are_named() {
        let mut report =
            sample::timed(&[(0, 0, 9_500_000, &[]), (1, 9_600_000, 123_456_789, &[0])]);
        report.steps[1].after.insert(0, Edge::order(0));
        let expected = "\
step    stream    start (ms)  length (ms)  waited for
step 0  stream 0       0.000        9.500
step 1  stream 1       9.600      113.857  point 0 (step 0)
";
        assert_eq!(table(&report, Style::PLAIN), expected);
    }

    #[test]
    fn states_are_shown_once_something_went_wrong() {
        let mut report =
            sample::timed(&[(0, 0, 9, &[]), (1, 9, 10, &[]), (1, 0, 0, &[0]), (2, 0, 0, &[])]);
        report.steps[0].state = State::Failed { reason: "broken".into() };
        report.steps[1].state = State::Unfinished;
        report.steps[1].end = None;
        for step in &mut report.steps[2..] {
            (step.state, step.start, step.end) = (State::Unfinished, None, None);
        }
        report.wall = Duration::from_nanos(20);
        report.settle();
        let expected = "\
step    stream    start (ns)  length (ns)  state                   waited for
step 0  stream 0           0            9  failed
step 1  stream 1           9         > 11  unfinished
step 2  stream 1                           not run: step 0 failed  point 0 (step 0)
step 3  stream 2                           not begun
";
        assert_eq!(table(&report, Style::PLAIN), expected);
    }

    #[test]
    fn where_there_is_no_room_only_points_are_named() {
        const WIDE: usize = "step 1  stream 1          10            2  point 0 (step 0)".len();
        let report = sample::timed(&[(0, 0, 9, &[]), (1, 10, 12, &[0])]);
        let wide = table(&report, Style::new(true, Some(WIDE)));
        assert!(wide.ends_with("  point 0 (step 0)\n"), "{wide}");
        let narrow = table(&report, Style::new(true, Some(WIDE - 1)));
        assert!(narrow.ends_with("  point 0\n"), "{narrow}");
        let bare = table(&report, Style::new(true, Some(WIDE - "  point 0 (step 0)".len())));
        assert!(bare.ends_with("  2\n") && !bare.contains("waited for"), "{bare}");
        let endless = table(&report, Style::new(false, Some(WIDE - 1)));
        assert!(endless.ends_with("  point 0 (step 0)\n"), "{endless}");
    }

    #[test]
    fn the_narrowest_terminal_has_a_table_that_fits() {
        let mut report =
            sample::timed(&[(0, 0, 9_500_000, &[]), (1, 9_600_000, 123_456_789, &[0])]);
        report.steps[1].name = "圧縮する仕事の名前".into();
        let narrow = Style::new(true, Some(40)).without_colours();
        let expected = "\
step      stream    start (ms)  length (ms)
step 0    stream 0       0.000        9.500
圧縮す\u{2026}   stream 1       9.600      113.857
";
        let wider = Style::new(true, Some(43)).without_colours();
        assert_eq!(table(&report, wider), expected);
        assert!(!table(&report, narrow).contains("stream"), "{}", table(&report, narrow));
        report.steps[1].state = State::NotRun { because: 0 };
        for line in table(&report, narrow).lines() {
            assert!(width(line) <= 40, "{line}");
        }
        assert!(table(&report, narrow).contains("not run: "), "{}", table(&report, narrow));
    }

    proptest! {
        #[test]
        fn every_line_fits_the_terminal(report in sample::random(12), columns in 40_usize..160) {
            let style = Style::new(true, Some(columns)).without_colours();
            for line in table(&report, style).lines() {
                prop_assert!(width(line) <= columns, "{line}");
            }
        }
    }

    #[test]
    fn of_very_many_steps_those_are_shown_that_matter() {
        let crowd = |step: usize| (step % 4, 0, if step == 700 { 9 } else { 1 }, [].as_slice());
        let mut report = sample::timed(&(0..1_000).map(crowd).collect::<Vec<_>>());
        report.steps[900].state = State::Failed { reason: "broken".into() };
        report.steps[950].end = None;
        report.steps[950].state = State::Unfinished;
        let text = table(&report, Style::PLAIN);
        assert_eq!(text.lines().count(), 1 + SHOWN + 1);
        for step in ["step 0 ", "step 700 ", "step 900 ", "step 950 "] {
            assert!(text.lines().any(|line| line.starts_with(step)), "{text}");
        }
        assert!(text.ends_with("and 900 more steps, which --json tells, too\n"), "{text}");
    }

    #[test]
    fn of_many_waits_some_are_counted() {
        let report = sample::timed(&[
            (0, 0, 1, &[]),
            (0, 0, 1, &[]),
            (0, 0, 1, &[]),
            (0, 0, 1, &[]),
            (1, 1, 2, &[0, 1, 2, 3]),
        ]);
        assert!(table(&report, Style::PLAIN).ends_with("point 2 (step 2) and 1 more\n"));
    }
}
