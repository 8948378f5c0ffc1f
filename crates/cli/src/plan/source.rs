//! The text of a pipeline file, and the line on which each place of it stands.

use std::{fmt, ops::Range};

use crate::report::width::width;

/// How much of a long line an excerpt shows, in characters: it fits a terminal beside the line number.
const SHOWN: usize = 90;
/// How much of a long line an excerpt shows before the place that it marks.
const LEAD: usize = 40;

/// A file's text with its lines counted.
#[derive(Debug)]
pub(super) struct Source<'t> {
    text: &'t str,
    /// Where each line begins, in bytes.
    starts: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(place, _)| place + 1);
        Self { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// The line, counted from 1, that a byte of the text stands on.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// The line on which `span` begins, with the span marked.
    pub(super) fn excerpt(&self, span: &Range<usize>) -> Excerpt {
        let number = self.line(span.start);
        let start = self.starts[number - 1];
        let line = self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or("");
        let marked = |(place, _): &(usize, char)| start + place < span.start;
        let before = line.char_indices().take_while(marked).count();
        let inside = |(place, _): &(usize, char)| start + place < span.end;
        let width = line.char_indices().skip(before).take_while(inside).count().max(1);
        Excerpt::cut(number, line, before, width)
    }
}

/// One line of a file as a message shows it, with a place marked beneath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    number: usize,
    line: String,
    /// How many columns stand before the place, and how many it takes.
    before: usize,
    width: usize,
}

impl Excerpt {
    /// Shows a window of a long line around the place, and nothing that could move a terminal's cursor.
    fn cut(number: usize, line: &str, before: usize, width: usize) -> Self {
        let skipped = if line.chars().count() > SHOWN { before.saturating_sub(LEAD) } else { 0 };
        let visible = |sign: char| if sign.is_control() { ' ' } else { sign };
        let line: String = line.chars().skip(skipped).take(SHOWN).map(visible).collect();
        let (before, place) = columns(&line, before - skipped, width);
        Self { number, line: line.trim_end().to_owned(), before, width: place.max(1) }
    }
}

/// How many columns the first signs of a line take, and those behind them.
fn columns(line: &str, before: usize, place: usize) -> (usize, usize) {
    let mut signs = line.chars();
    let [before, place] =
        [before, place].map(|count| signs.by_ref().take(count).collect::<String>());
    (width(&before), width(&place))
}

impl fmt::Display for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, line, before, width } = self;
        writeln!(formatter, "{number:>5} | {line}")?;
        write!(formatter, "      | {:before$}{:^<width$}", "", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one_and_end_with_their_break() {
        let source = Source::new("a\nbb\n\nc");
        let lines: Vec<usize> = (0..=7).map(|offset| source.line(offset)).collect();
        assert_eq!(lines, [1, 1, 2, 2, 2, 3, 4, 4]);
    }

    #[test]
    fn an_excerpt_marks_characters_not_bytes() {
        let source = Source::new("x\nnäme = \"ü\"\r\n");
        let excerpt = source.excerpt(&(10..14)).to_string();
        assert_eq!(excerpt, "    2 | näme = \"ü\"\n      |        ^^^");
    }

    #[test]
    fn a_mark_stands_below_wide_signs() {
        let excerpt = Source::new("名前 = \"値\"").excerpt(&(9..14)).to_string();
        assert_eq!(excerpt, "    1 | 名前 = \"値\"\n      |        ^^^^");
    }

    #[test]
    fn an_excerpt_of_a_long_line_shows_the_place() {
        let text = format!("{}HERE{}", "a".repeat(5000), "b".repeat(5000));
        let excerpt = Source::new(&text).excerpt(&(5000..5004)).to_string();
        let (line, mark) = excerpt.split_once('\n').unwrap();
        assert_eq!(line.find("HERE"), mark.find("^^^^"));
        assert!(line.len() < 110, "{line}");
    }

    #[test]
    fn a_place_past_the_end_marks_the_end() {
        let excerpt = Source::new("ab").excerpt(&(9..12)).to_string();
        assert_eq!(excerpt, "    1 | ab\n      |   ^");
    }

    #[test]
    fn a_line_that_would_move_the_cursor_is_shown_without_its_controls() {
        let excerpt = Source::new("a\x1b[2Jb\tc").excerpt(&(0..1)).to_string();
        assert_eq!(excerpt, "    1 | a [2Jb c\n      | ^");
    }
}
