//! The costs as a person reads them: a table, and bars for the ratios.

use std::time::Duration;

use super::{Costs, LeftOut, Machine, Rivalry, Row};
use crate::report::{
    Style,
    columns::{self, Column},
    style::Ink,
    unit,
};

/// What the bars reach from and to: a rival of a wake across cores is beaten thousandfold, and nobody loses tenfold.
const LEAST: f64 = 0.001;
const MOST: f64 = 10.0;
/// The marks above the bars: each a quarter of the way on from the one before.
const MARKS: [&str; 4] = ["0.001", "0.01", "0.1", "1"];

/// What is said of a build without optimization.
pub(crate) const DEBUG: &str =
    "DEBUG BUILD: THESE FIGURES MEAN NOTHING. Build with --release to measure.";

const NO_RIVALS: &str = "\
No rivals in this build. To measure them beside:
  cargo run --release -p syncpoint-cli --features rivals -- bench
";

const CAUTION: &str = "\
Ratios carry over to the next run better than times. Cases that wake threads
differ tenfold by where the threads are put: compare under taskset -c 0, too.
";

impl Costs {
    /// All of it, ending with a line feed.
    pub fn text(&self, style: Style) -> String {
        let parts = [
            style.paint(Ink::Strong, &self.title()) + "\n",
            self.table(style),
            self.bars(style),
            self.left_out(),
            self.footer(style),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("\n")
    }

    fn title(&self) -> String {
        let Machine { cores, pinned, load, version, .. } = &self.machine;
        let cores = if *cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
        let pinned = if *pinned == Some(true) { ", pinned" } else { "" };
        let load = load.map(|load| format!(", load {load:.1}")).unwrap_or_default();
        let profile = self.machine.profile();
        format!("{}, {cores}{pinned}{load}; syncpoint {version}, {profile} build", self.device)
    }

    fn table(&self, style: Style) -> String {
        let mut columns = self.columns();
        if columns::width(&columns) > style.room() {
            columns.pop();
        }
        columns::squeeze(&mut columns, style.room());
        let rows = (0..self.rows.len()).map(|place| columns::row(&columns, place) + "\n");
        style.paint(Ink::Strong, &columns::head(&columns)) + "\n" + &rows.collect::<String>()
    }

    fn columns(&self) -> Vec<Column> {
        let column = |head: &str, numeric, cell: fn(&Row) -> String| {
            Column::new(head, numeric, self.rows.iter().map(cell).collect())
        };
        let mut columns = vec![
            column("one operation", false, |row| row.name.clone()),
            column("takes", true, |row| time(row.nanos)),
        ];
        if self.rows.iter().any(|row| row.rival.is_some()) {
            columns.extend([
                column("rival", true, |row| of_rival(row, |rival| time(rival.nanos))),
                column("ratio", true, |row| row.ratio().map(ratio).unwrap_or_default()),
                column("beside", false, |row| of_rival(row, |rival| rival.name.clone())),
            ]);
        }
        columns
    }

    /// A bar for each ratio, ten times as much for every quarter; nothing if there is no rival.
    fn bars(&self, style: Style) -> String {
        let beside: Vec<(&Row, f64)> =
            self.rows.iter().filter_map(|row| Some((row, row.ratio()?))).collect();
        let name = beside.iter().map(|(row, _)| row.name.chars().count()).max();
        let Some(name) = name else { return String::new() };
        let room = style.width().saturating_sub(name + 2).max(MARKS.len() * 6);
        let quarter = room / MARKS.len();
        let marks = MARKS.map(|mark| format!("{mark:quarter$}")).concat();
        let title = format!("{:name$}  {}", "ratio", marks.trim_end());
        let bar = |(row, ratio): &(&Row, f64)| {
            let ink = if *ratio > 1.0 { Ink::Critical } else { Ink::Usual };
            let bar = style.paint(ink, &bar(*ratio, quarter * MARKS.len()));
            format!("{:name$}  {bar}\n", row.name)
        };
        style.paint(Ink::Strong, &title) + "\n" + &beside.iter().map(bar).collect::<String>()
    }

    fn left_out(&self) -> String {
        if self.left_out.is_empty() {
            return String::new();
        }
        let line = |left: &LeftOut| format!("  {}: {}\n", left.name, left.reason);
        "Left out:\n".to_owned() + &self.left_out.iter().map(line).collect::<String>()
    }

    fn footer(&self, style: Style) -> String {
        let footer = if self.machine.rivals { CAUTION } else { NO_RIVALS };
        let debug =
            if self.machine.debug { style.paint(Ink::Bad, DEBUG) + "\n" } else { String::new() };
        style.paint(Ink::Faint, footer) + &debug
    }
}

fn of_rival(row: &Row, show: fn(&Rivalry) -> String) -> String {
    row.rival.as_ref().map(show).unwrap_or_default()
}

/// A time with the digits that a reader takes in.
fn time(nanos: f64) -> String {
    if nanos < 99.95 {
        return format!("{nanos:.1} ns");
    }
    unit::show(Duration::from_secs_f64(nanos / 1e9), Duration::from_nanos(1))
}

fn ratio(ratio: f64) -> String {
    let digits = match ratio {
        ..1.0 => 3,
        ..100.0 => 2,
        _ => 0,
    };
    format!("{ratio:.digits$}")
}

/// A bar as long as the logarithm of the ratio, of other signs from 1 on; where it is shorter, a mark stands at 1.
fn bar(ratio: f64, room: usize) -> String {
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    let reached = |column: u32| {
        let part = (f64::from(column) + 0.5) / f64::from(room);
        LEAST * (MOST / LEAST).powf(part)
    };
    let sign = |column: u32| match reached(column) {
        here if here < ratio && here < 1.0 => '\u{2588}',
        here if here < ratio => '\u{2592}',
        _ if column == room / 4 * 3 => '\u{2502}',
        _ => ' ',
    };
    (0..room).map(sign).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    fn row(name: &str, nanos: f64, rival: Option<(&str, f64)>) -> Row {
        let rival = rival.map(|(name, nanos)| Rivalry { name: name.to_owned(), nanos });
        Row { name: name.to_owned(), nanos, rival }
    }

    fn costs() -> Costs {
        let machine = Machine {
            cores: 2,
            pinned: Some(false),
            load: Some(1.25),
            target: "linux x86_64".to_owned(),
            version: "9.9.9".to_owned(),
            rivals: true,
            debug: false,
        };
        let mut costs = Costs::none("host:0".to_owned(), machine);
        let thread = "thread a stream";
        costs.rows = vec![
            row("enqueue", 25.04, Some(("crossbeam-channel", 21.0))),
            row("record, idle stream", 9.0, None),
            row("query, complete point", 0.91, Some(("atomic load", 0.4))),
            row("trip, in a loop", 279.4, Some((thread, 64_600.0))),
            row("trip, 1 ms between", 99.96, Some((thread, 99.96))),
            row("pipeline of 64 streams", 1_234_567.8, Some((thread, 100.0))),
        ];
        costs
    }

    #[test]
    fn a_table_and_bars_tell_the_costs() {
        let text = costs().text(Style::PLAIN);
        golden::check("costs.txt", &text);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn without_rivals_there_are_no_bars_and_the_footer_tells_how_to_get_them() {
        let mut costs = costs();
        costs.machine.rivals = false;
        costs.rows.iter_mut().for_each(|row| row.rival = None);
        let name = "timed record".to_owned();
        costs.left_out = vec![LeftOut { name, reason: "the device keeps no time".to_owned() }];
        golden::check("costs_alone.txt", &costs.text(Style::PLAIN));
    }

    #[test]
    fn a_debug_build_says_so_last_and_loudly() {
        let mut costs = costs();
        costs.machine.debug = true;
        assert!(costs.text(Style::PLAIN).ends_with(&format!("\n{DEBUG}\n")));
    }

    #[test]
    fn a_narrow_terminal_has_bars_and_no_names_of_rivals() {
        let text = costs().text(Style::new(true, Some(60)).without_colours());
        assert!(!text.contains("beside") && text.contains('\u{2588}'), "{text}");
        let picture = |line: &&str| line.contains(" ns") || line.contains('\u{2588}');
        assert!(text.lines().filter(picture).all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(costs().text(Style::new(true, None)).contains('\u{1b}'));
        assert!(!costs().text(Style::new(false, None)).contains('\u{1b}'));
    }

    #[test]
    fn a_bar_grows_with_the_ratio_and_changes_its_signs_at_1() {
        let cases = [
            (0.0, "      │"),
            (0.001, "      │"),
            (0.01, "██    │"),
            (0.1, "████  │"),
            (1.0, "██████│"),
            (10.0, "██████▒▒"),
            (1e9, "██████▒▒"),
        ];
        for (ratio, expected) in cases {
            assert_eq!(bar(ratio, 8), expected, "{ratio}");
        }
    }
}
