//! The picture of a run in the terminal: a lane for each stream, a block for each step, time to the right.

use std::{iter, time::Duration};

use super::{
    Interval, Report, State, Stream,
    pick::{pick, rest},
    style::{Ink, Style, visible},
    unit::Unit,
    width::{cut, pad, width},
};

/// How many columns the longest name of a stream has in the picture.
const NAME: usize = 20;
/// How many lanes are drawn: what fits a tall screen. The trace has all.
const LANES: usize = 50;
/// How wide the share at the end of a lane is: `  100 %`.
const SHARE: usize = 7;
/// How many columns a mark of the time axis takes at least: its number and some air.
const MARK: u128 = 10;

/// What a block is drawn with, and what that says. A block off the critical path is lighter.
const KEY: [(char, Ink, &str); 4] = [
    ('█', Ink::Critical, "critical path"),
    ('▒', Ink::Usual, "other work"),
    ('╳', Ink::Bad, "failed"),
    ('░', Ink::Faint, "unfinished"),
];
/// Where a block begins right behind another.
const BORDER: char = '│';

/// The picture; nothing if no step ran for any time. Of very many streams, the least busy are left out.
pub(super) fn lanes(report: &Report, style: Style) -> String {
    let canvas = Canvas::new(report, style);
    if canvas.horizon.is_zero() {
        return String::new();
    }
    let mut text = canvas.axis();
    let mut drawn = vec![false; report.steps.len()];
    let (steps, busy) = (report.steps_by_stream(), report.busy());
    let shown = canvas.shown(&steps, &busy);
    for &stream in &shown {
        let cells = canvas.cells(&steps[stream]);
        for &step in cells.iter().flatten() {
            drawn[step] = true;
        }
        text += &canvas.lane(&report.streams[stream], &cells, busy[stream]);
    }
    let hidden = rest(report.streams.len(), shown.len(), "streams, which --trace draws, too");
    let lanes: Vec<usize> = shown.into_iter().flat_map(|stream| steps[stream].clone()).collect();
    text + &style.paint(Ink::Faint, &hidden) + &canvas.key(&lanes, &drawn)
}

/// A report with the measures of its picture.
struct Canvas<'r> {
    report: &'r Report,
    style: Style,
    critical: Vec<bool>,
    /// The time at the right edge: the end of the run, or of a step that a clock puts behind it.
    horizon: Duration,
    /// How wide the names of the streams are.
    names: usize,
    /// How many cells a lane has.
    width: usize,
}

impl<'r> Canvas<'r> {
    fn new(report: &'r Report, style: Style) -> Self {
        let ends = (0..report.steps.len()).filter_map(|step| report.interval(step));
        let horizon = ends.map(|run| run.end).chain([report.wall]).max().unwrap_or_default();
        let names = report.streams.iter().map(|stream| width(&visible(&stream.name)));
        let names = names.max().unwrap_or(0).min(NAME);
        let width = style.width() - names - 2 - SHARE;
        let critical = report.on_critical_path();
        Self { report, style, critical, horizon, names, width }
    }

    /// The streams to draw: those on the critical path or with trouble first, then the busiest.
    fn shown(&self, steps: &[Vec<usize>], busy: &[Duration]) -> Vec<usize> {
        let matters = |step: &usize| self.critical[*step] || self.kind(*step) > 1;
        pick(steps.len(), LANES, |stream| (steps[stream].iter().any(matters), busy[stream]))
    }

    /// The cell in which a time lies; the horizon lies behind the last.
    fn cell(&self, time: Duration) -> usize {
        let cell = time.as_nanos() * self.width as u128 / self.horizon.as_nanos();
        usize::try_from(cell).unwrap_or(self.width).min(self.width)
    }

    /// For each cell of a lane the step that fills most of it. A step of any length fills a cell if no other does.
    fn cells(&self, steps: &[usize]) -> Vec<Option<usize>> {
        let mut cells = vec![None; self.width];
        let mut filled = vec![0; self.width];
        for &step in steps {
            let Some(run) = self.report.interval(step) else { continue };
            let first = self.cell(run.start).min(self.width - 1);
            for cell in first..=self.cell(run.end).clamp(first, self.width - 1) {
                let share = self.share(run, cell);
                let share = if run.length().is_zero() { 1 } else { share };
                if share > filled[cell] {
                    (cells[cell], filled[cell]) = (Some(step), share);
                }
            }
        }
        cells
    }

    /// How much of a cell a step fills, in nanoseconds times the number of cells, so that nothing is rounded.
    fn share(&self, run: Interval, cell: usize) -> u128 {
        let scale = |time: Duration| time.as_nanos() * self.width as u128;
        let (from, to) = (cell as u128, cell as u128 + 1);
        let (from, to) = (from * self.horizon.as_nanos(), to * self.horizon.as_nanos());
        scale(run.end).min(to).saturating_sub(scale(run.start).max(from))
    }

    /// One lane: the name of the stream, its blocks, and how much of the time it was busy.
    fn lane(&self, stream: &Stream, cells: &[Option<usize>], busy: Duration) -> String {
        let name = cut(&visible(&stream.name), self.names);
        let busy = busy.as_nanos() * 100 / self.horizon.as_nanos();
        let mut line = format!("{}  ", self.style.paint(Ink::Strong, &pad(&name, self.names)));
        let mut behind_block = false;
        for group in cells.chunk_by(|left, right| left == right) {
            line += &match group[0] {
                Some(step) => self.block(step, group.len(), behind_block),
                None => " ".repeat(group.len()),
            };
            behind_block = group[0].is_some();
        }
        format!("{line} {busy:>4} %\n")
    }

    /// One block: the name of the step if there is room for it.
    fn block(&self, step: usize, cells: usize, behind_block: bool) -> String {
        let (fill, ink, _) = KEY[self.kind(step)];
        let name = visible(&self.report.steps[step].name);
        let has_room = width(&name) + 4 <= cells;
        let mut block = if has_room { format!("{fill} {name} ") } else { String::new() };
        block.extend(iter::repeat_n(fill, cells - width(&block)));
        if behind_block {
            block.replace_range(..fill.len_utf8(), BORDER.encode_utf8(&mut [0; 4]));
        }
        self.style.paint(ink, &block)
    }

    /// The place in [`KEY`] of a step.
    fn kind(&self, step: usize) -> usize {
        match self.report.steps[step].state {
            State::Failed { .. } => 2,
            State::Unfinished => 3,
            _ => usize::from(!self.critical[step]),
        }
    }

    /// The numbers of the time axis, and its line.
    fn axis(&self) -> String {
        let unit = Unit::fitting(self.horizon, Duration::from_nanos(1));
        let step = nice_step(self.horizon.as_nanos() * MARK / self.width as u128);
        let mut numbers = String::new();
        let mut line: Vec<char> = vec!['─'; self.width];
        for time in
            (0..=self.horizon.as_nanos()).step_by(usize::try_from(step).unwrap_or(usize::MAX))
        {
            let time = Duration::from_nanos(u64::try_from(time).unwrap_or(u64::MAX));
            let (cell, number) = (self.cell(time), mark(unit, time));
            if cell + number.len() < self.width {
                numbers = pad(&numbers, cell) + &number;
                line[cell] = if cell == 0 { '├' } else { '┬' };
            }
        }
        let (margin, line) = (" ".repeat(self.names + 2), line.into_iter().collect::<String>());
        let axis = format!("{margin}{numbers}\n{margin}{line}\n");
        self.style.paint(Ink::Faint, &axis)
    }

    /// What the blocks mean, as far as they occur, and for how many steps of the lanes no cell was left.
    fn key(&self, lanes: &[usize], drawn: &[bool]) -> String {
        let ran = lanes.iter().filter(|&&step| self.report.interval(step).is_some()).count();
        let drawn: Vec<usize> = lanes.iter().copied().filter(|&step| drawn[step]).collect();
        let used = |kind: &usize| drawn.iter().any(|&step| self.kind(step) == *kind);
        let sign = |kind: usize| {
            let (fill, ink, meaning) = KEY[kind];
            format!("{} {meaning}", self.style.paint(ink, &fill.to_string()))
        };
        let mut signs: Vec<String> = (0..KEY.len()).filter(used).map(sign).collect();
        match ran - drawn.len() {
            0 => {}
            1 => signs.push("1 step is too short to draw".into()),
            hidden => signs.push(format!("{hidden} steps are too short to draw")),
        }
        format!("{:>1$}{2}\n", "", self.names + 2, signs.join("   "))
    }
}

/// The smallest of 1, 2, 5, 10, 20, 50 ... that is not below a number.
fn nice_step(least: u128) -> u128 {
    let decades = (0..38).map(|power| 10_u128.pow(power));
    let steps = decades.flat_map(|decade| [decade, 2 * decade, 5 * decade]);
    steps.into_iter().find(|&step| step >= least).unwrap_or(u128::MAX)
}

/// A number of the axis, without zeros that say nothing; the first has the unit.
fn mark(unit: Unit, time: Duration) -> String {
    if time.is_zero() {
        return format!("0 {}", unit.name);
    }
    let number = unit.number(time);
    match number.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        Some(_) => number.trim_end_matches('0').to_owned(),
        None => number,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::sample, *};
    use crate::golden;

    const MILLI: u64 = 1_000_000;

    #[test]
    fn blocks_stand_where_their_steps_ran() {
        let mut report = sample::timed(&[
            (0, 0, 30 * MILLI, &[]),
            (0, 30 * MILLI, 60 * MILLI, &[]),
            (1, 30 * MILLI, 90 * MILLI, &[0]),
            (2, 90 * MILLI, 95 * MILLI, &[2]),
            (2, 95 * MILLI, 100 * MILLI, &[3]),
        ]);
        report.steps[4].state = State::Failed { reason: "broken".into() };
        golden::check("lanes.txt", &lanes(&report, Style::PLAIN));
    }

    #[test]
    fn lanes_of_wide_names_end_in_one_column() {
        let mut report = sample::timed(&[(0, 0, 60 * MILLI, &[]), (1, 0, 100 * MILLI, &[])]);
        report.streams[0].name = "圧縮".into();
        report.streams[1].name = "とても長いストリームの名前".into();
        report.steps[0].name = "圧縮する".into();
        let picture = lanes(&report, Style::PLAIN);
        let lanes: Vec<&str> = picture.lines().skip(2).take(2).collect();
        assert!(lanes.iter().all(|lane| width(lane) == 80), "{picture}");
        assert!(lanes[1].starts_with("とても長いストリー\u{2026}   "), "{picture}");
    }

    #[test]
    fn a_run_of_no_time_has_no_picture() {
        assert_eq!(lanes(&sample::unrun(&[(0, &[])]), Style::PLAIN), "");
    }

    #[test]
    fn steps_that_find_no_cell_are_counted() {
        let crowd: Vec<(usize, u64, u64, &[usize])> =
            (0..500).map(|step| (0, step, step + 1, [].as_slice())).collect();
        let picture = lanes(&sample::timed(&crowd), Style::PLAIN);
        assert!(picture.contains("steps are too short to draw"), "{picture}");
    }

    #[test]
    fn of_very_many_streams_those_are_drawn_that_matter() {
        let crowd = |stream: usize| (stream, 0, if stream == 180 { 9 } else { 1 }, [].as_slice());
        let mut report = sample::timed(&(0..200).map(crowd).collect::<Vec<_>>());
        report.steps[190].state = State::Failed { reason: "broken".into() };
        let picture = lanes(&report, Style::PLAIN);
        // The axis has two lines, the count of the others and the key one each.
        assert_eq!(picture.lines().count(), 2 + LANES + 2);
        for stream in ["stream 0 ", "stream 180 ", "stream 190 "] {
            assert!(picture.lines().any(|line| line.starts_with(stream)), "{picture}");
        }
        assert!(
            picture.contains("\nand 150 more streams, which --trace draws, too\n"),
            "{picture}"
        );
    }

    #[test]
    fn marks_of_the_axis_are_round_numbers() {
        let steps: Vec<u128> = [1, 3, 6, 11, 4999, 5001].map(nice_step).into();
        assert_eq!(steps, [1, 5, 10, 20, 5000, 10_000]);
    }

    proptest! {
        #[test]
        fn every_lane_fits_the_width(report in sample::random(12), width in 40_usize..160) {
            let style = Style::new(false, Some(width));
            for line in lanes(&report, style).lines().take(2 + report.streams.len()) {
                prop_assert!(super::width(line) <= width, "{line}");
            }
        }

        #[test]
        fn colours_change_nothing_but_colours(report in sample::random(12)) {
            let coloured = lanes(&report, Style::new(true, None));
            let plain = without_colours(&coloured);
            prop_assert_eq!(plain, lanes(&report, Style::PLAIN));
        }
    }

    /// The text without its colour codes.
    fn without_colours(text: &str) -> String {
        let pieces = text.split("\u{1b}[").enumerate();
        pieces
            .map(|(place, piece)| if place == 0 { piece } else { piece.split_once('m').unwrap().1 })
            .collect()
    }
}
