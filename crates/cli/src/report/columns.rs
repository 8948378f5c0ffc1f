//! Columns of a table: each as wide as its widest cell, texts to the left and numbers to the right.

use super::width::{self, cut};

/// How many spaces stand between two columns.
const GAP: usize = 2;

/// How narrow a column of texts may become: what is left of a name is still told from others.
const LEAST: usize = 8;

/// One column: its head, whether it holds numbers, its cells, and how wide the widest of them is.
pub(crate) struct Column {
    head: String,
    numeric: bool,
    cells: Vec<String>,
    width: usize,
}

impl Column {
    pub(crate) fn new(head: impl Into<String>, numeric: bool, cells: Vec<String>) -> Self {
        let head = head.into();
        let width = cells.iter().chain([&head]).map(|cell| width::width(cell)).max().unwrap_or(0);
        Self { head, numeric, cells, width }
    }

    fn narrow(&mut self, width: usize) {
        for cell in self.cells.iter_mut().chain([&mut self.head]) {
            *cell = cut(cell, width);
        }
        self.width = width;
    }
}

/// How wide a line of these columns is at most.
pub(crate) fn width(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.width + GAP).sum::<usize>() - GAP
}

/// Cuts texts, the widest first, until a line fits into the room. `false`: it cannot, and nothing is cut.
pub(crate) fn squeeze(columns: &mut [Column], room: usize) -> bool {
    let mut excess = width(columns).saturating_sub(room);
    let mut widths: Vec<usize> = columns.iter().map(|column| column.width).collect();
    while excess > 0 {
        let texts = (0..columns.len()).filter(|&place| !columns[place].numeric);
        let Some(widest) = texts.max_by_key(|&place| widths[place]) else { return false };
        if widths[widest] <= LEAST {
            return false;
        }
        widths[widest] -= 1;
        excess -= 1;
    }
    columns.iter_mut().zip(widths).for_each(|(column, width)| column.narrow(width));
    true
}

/// The line of the heads.
pub(crate) fn head(columns: &[Column]) -> String {
    line(columns, |column| &column.head)
}

/// The line of this place, counted from 0.
pub(crate) fn row(columns: &[Column], place: usize) -> String {
    line(columns, |column| &column.cells[place])
}

/// One line: texts to the left, numbers to the right, two spaces between, none at the end.
fn line(columns: &[Column], cell: impl Fn(&Column) -> &str) -> String {
    let mut line = String::new();
    for column in columns {
        let cell = cell(column);
        let room = column.width.saturating_sub(width::width(cell));
        let (before, behind) = if column.numeric { (room, GAP) } else { (0, room + GAP) };
        line += &[&" ".repeat(before), cell, &" ".repeat(behind)].concat();
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let texts = ["圧縮する仕事", "pack"].map(str::to_owned).into();
        let numbers = ["9.5", "113.8"].map(str::to_owned).into();
        vec![Column::new("step", false, texts), Column::new("ms", true, numbers)]
    }

    fn lines(columns: &[Column]) -> [String; 3] {
        [head(columns), row(columns, 0), row(columns, 1)]
    }

    #[test]
    fn what_stands_behind_wide_signs_stays_in_its_column() {
        let columns = columns();
        assert_eq!(width(&columns), 19);
        let expected = ["step             ms", "圧縮する仕事    9.5", "pack          113.8"];
        assert_eq!(lines(&columns), expected);
    }

    #[test]
    fn texts_give_way_where_there_is_no_room_and_numbers_do_not() {
        let mut columns = columns();
        assert!(squeeze(&mut columns, 15));
        let expected = ["step         ms", "圧縮す\u{2026}     9.5", "pack      113.8"];
        assert_eq!(lines(&columns), expected);
        assert!(!squeeze(&mut columns, 14), "a name of fewer than eight columns says too little");
        assert_eq!(lines(&columns), expected, "then it is left as it was");
    }
}
