//! What is expected of a driver, and how that is known: the table in `expected.md`.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

/// The table, as it was when this program was built.
pub(crate) const TABLE: &str = include_str!("../expected.md");

/// One row: what is expected of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) answer: &'a str,
    pub(crate) known: Known<'a>,
}

/// How an answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Known<'a> {
    /// It was seen, on this GPU, with this driver, on this day.
    Seen(&'a str),
    /// The manual says so, on the page of this function.
    Documented(&'a str),
    /// Neither: what programs and their bug reports lead to expect.
    Believed,
}

impl Display for Known<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen(on) => write!(formatter, "seen on {on}"),
            Self::Documented(page) => write!(formatter, "documented: {page}"),
            Self::Believed => formatter.write_str("believed"),
        }
    }
}

/// The rows of a table: its lines that begin with `|`, but for its head.
pub(crate) fn rows(table: &str) -> Result<Vec<Row<'_>>, String> {
    table.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

fn row(line: &str) -> Result<Row<'_>, String> {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [name, answer, known] = cells[..] else {
        return Err(format!("`{line}` has not three cells"));
    };
    let known = known_by(known).ok_or_else(|| format!("`{line}` says not how it is known"))?;
    Ok(Row { name: name.trim_matches('`'), answer, known })
}

fn known_by(text: &str) -> Option<Known<'_>> {
    if text == "believed" {
        return Some(Known::Believed);
    }
    let page = text.strip_prefix("documented: ").map(Known::Documented);
    page.or_else(|| text.strip_prefix("seen on ").map(Known::Seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::questions;

    #[test]
    fn a_row_is_a_question_its_answer_and_how_it_is_known() {
        let table = "| Question | Answer | Known |\n|---|---|---|\n\
            | `a.b` | SUCCESS, waits | documented: cuEventQuery |\n| `c` | yes | believed |\n";
        let rows = rows(table).unwrap();
        let documented = Known::Documented("cuEventQuery");
        assert_eq!(rows[0], Row { name: "a.b", answer: "SUCCESS, waits", known: documented });
        assert_eq!(rows[1].known, Known::Believed);
    }

    #[test]
    fn a_row_that_does_not_say_how_it_is_known_is_refused() {
        assert!(rows("| `a` | yes | everybody knows |\n").is_err());
        assert!(rows("| `a` | yes |\n").is_err());
    }

    #[test]
    fn the_table_has_a_row_for_each_question_in_their_order() {
        let expected: Vec<&str> = rows(TABLE).unwrap().iter().map(|row| row.name).collect();
        let asked: Vec<&str> = questions::all().map(|question| question.name).collect();
        assert_eq!(expected, asked);
    }

    #[test]
    fn every_page_that_is_named_is_one_of_the_manual() {
        /// Pages that are no functions.
        const OTHERS: &[&str] =
            &["CUresult", "cross-stream dependencies", "stream synchronization behavior"];
        let functions = include_str!("pages.txt");
        for row in rows(TABLE).unwrap() {
            let Known::Documented(page) = row.known else { continue };
            let base = page.trim_end_matches("_v2");
            let is_page = functions.lines().any(|name| name == base) || OTHERS.contains(&page);
            assert!(is_page, "{}: the manual has no page {page}", row.name);
        }
    }

    #[test]
    fn the_readmes_count_the_rows_as_they_are() {
        let rows = rows(TABLE).unwrap();
        let count = |is: fn(&Known<'_>) -> bool| rows.iter().filter(|row| is(&row.known)).count();
        let line = format!(
            "| {} | {} | {} | {} |",
            rows.len(),
            count(|known| matches!(known, Known::Seen(_))),
            count(|known| matches!(known, Known::Documented(_))),
            count(|known| matches!(known, Known::Believed)),
        );
        let readmes = [include_str!("../README.md"), include_str!("../../cuda-fake/README.md")];
        for readme in readmes {
            assert!(readme.contains(&line), "a README has no line {line}");
        }
    }
}
