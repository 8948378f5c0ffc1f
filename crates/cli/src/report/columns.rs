//! Columns of a table: each as wide as its widest cell, texts to the left and numbers to the right.

/// How many spaces stand between two columns.
const GAP: usize = 2;

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
        let width = cells.iter().chain([&head]).map(|cell| cell.chars().count()).max().unwrap_or(0);
        Self { head, numeric, cells, width }
    }
}

/// How wide a line of these columns is at most.
pub(crate) fn width(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.width + GAP).sum::<usize>() - GAP
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
        let room = column.width.saturating_sub(cell.chars().count());
        let (before, behind) = if column.numeric { (room, GAP) } else { (0, room + GAP) };
        line += &[&" ".repeat(before), cell, &" ".repeat(behind)].concat();
    }
    line.trim_end().to_owned()
}
