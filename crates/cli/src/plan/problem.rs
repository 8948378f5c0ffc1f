//! What is wrong with a pipeline file, all of it, in words that a person can act on.

use std::{cell::RefCell, error, fmt, io, ops::Range, path::Path, string::FromUtf8Error};

use super::{
    name,
    source::{Excerpt, Source},
};

/// For how many problems of a file a likely name is searched.
const SEARCHED: usize = 100;

/// Everything that is wrong with one file, in the order of its lines.
///
/// Its display is what the program prints: for each problem a line `FILE:LINE: what is wrong; what to do`, then the
/// line of the file with the place marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    file: String,
    list: Vec<Problem>,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    line: Option<usize>,
    message: String,
    excerpt: Option<Excerpt>,
    notes: Vec<String>,
}

impl Problems {
    /// The problem of a file that cannot even be read.
    pub(super) fn unreadable(file: &Path, error: &io::Error) -> Self {
        let message = format!("the file cannot be read: {error}; check its path and its rights");
        Self::bare(file, None, message)
    }

    /// The problem of something that is no regular file.
    pub(super) fn no_file(file: &Path, what: &str, remedy: &str) -> Self {
        Self::bare(file, None, format!("the pipeline is {what}, not a file; {remedy}"))
    }

    /// The problem of a text that is longer than so many MiB.
    pub(super) fn too_long(file: &Path, longest: u64) -> Self {
        let remedy = "is it a pipeline? if so, cut it into several";
        Self::bare(file, None, format!("the pipeline is longer than {longest} MiB; {remedy}"))
    }

    /// The problem of a file that is not UTF-8.
    pub(super) fn not_text(file: &Path, error: &FromUtf8Error) -> Self {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.split(|&byte| byte == b'\n').count();
        Self::bare(file, Some(line), "this line is not UTF-8; save the file as UTF-8".into())
    }

    /// A single problem with nothing to show of the file.
    fn bare(file: &Path, line: Option<usize>, message: String) -> Self {
        let problem = Problem { line, message, excerpt: None, notes: Vec::new() };
        Self { file: file.display().to_string(), list: vec![problem] }
    }

    /// The problems, in the order of their lines. There is at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }
}

impl Problem {
    /// The line that it stands on, counted from 1; none if the file could not be read.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong, of which object, and after `; ` what to do.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.list.iter().enumerate() {
            let gap = if place == 0 { "" } else { "\n" };
            write!(formatter, "{gap}{}", self.file)?;
            problem.fmt_after_file(formatter)?;
        }
        Ok(())
    }
}

impl Problem {
    fn fmt_after_file(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        write!(formatter, ": {}", self.message)?;
        if let Some(excerpt) = &self.excerpt {
            write!(formatter, "\n{excerpt}")?;
        }
        self.notes.iter().try_for_each(|note| write!(formatter, "\n      = {note}"))
    }
}

impl error::Error for Problems {}

/// Something wrong with one place of a file that was read, found by whoever tried to carry it out.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(super) at: Range<usize>,
    pub(super) message: String,
}

impl Finding {
    /// A message that goes as all of them do: what is wrong, of which object, and after `; ` what to do.
    pub(crate) fn new(at: &Range<usize>, message: String) -> Self {
        Self { at: at.clone(), message }
    }
}

/// Where the readers of a file write down what they find, so that none of them has to stop at the first problem.
///
/// The list is behind a cell because several readers of nested tables hold the ledger at once, on one thread.
#[derive(Debug)]
pub(super) struct Ledger<'s> {
    source: &'s Source<'s>,
    found: RefCell<Vec<(usize, Problem)>>,
}

impl<'s> Ledger<'s> {
    pub(super) fn new(source: &'s Source<'s>) -> Self {
        Self { source, found: RefCell::new(Vec::new()) }
    }

    /// What the file says.
    pub(super) fn text(&self) -> &'s str {
        self.source.text()
    }

    /// The line, counted from 1, on which a place of the file stands.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.source.line(span.start)
    }

    pub(super) fn add(&self, span: &Range<usize>, message: impl Into<String>) {
        self.add_with_notes(span, message, Vec::new());
    }

    pub(super) fn add_with_notes(
        &self,
        span: &Range<usize>,
        message: impl Into<String>,
        notes: Vec<String>,
    ) {
        let problem = Problem {
            line: Some(self.line(span)),
            message: message.into(),
            excerpt: Some(self.source.excerpt(span)),
            notes,
        };
        self.found.borrow_mut().push((span.start, problem));
    }

    /// The candidate that a misspelt name most likely means, while there are few problems: in a long file with a fault
    /// on every line, searching would take longer than a person waits.
    pub(super) fn nearest<'c>(
        &self,
        wanted: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        let few = self.found.borrow().len() < SEARCHED;
        few.then(|| name::nearest(wanted, candidates)).flatten()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All that was found, by line; what was found twice is told once.
    pub(super) fn close(self, file: &Path) -> Problems {
        let mut found = self.found.into_inner();
        found.sort_by_key(|&(start, _)| start);
        let mut list: Vec<Problem> = found.into_iter().map(|(_, problem)| problem).collect();
        list.dedup();
        Problems { file: file.display().to_string(), list }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_told_by_line_each_once() {
        let source = Source::new("one\ntwo\n");
        let ledger = Ledger::new(&source);
        ledger.add(&(4..7), "second");
        ledger.add_with_notes(&(0..3), "first", vec!["a note".into()]);
        ledger.add(&(4..7), "second");
        let expected = "\
f.toml:1: first
    1 | one
      | ^^^
      = a note
f.toml:2: second
    2 | two
      | ^^^";
        assert_eq!(ledger.close("f.toml".as_ref()).to_string(), expected);
    }

    #[test]
    fn a_file_that_cannot_be_read_has_no_line() {
        let error = io::Error::from(io::ErrorKind::NotFound);
        let problems = Problems::unreadable("f.toml".as_ref(), &error);
        assert_eq!(problems.iter().next().and_then(Problem::line), None);
        assert!(problems.to_string().starts_with("f.toml: the file cannot be read: "));
    }

    #[test]
    fn a_file_that_is_not_text_is_told_by_its_line() {
        let error = String::from_utf8(b"one\ntwo\xff\n".to_vec()).unwrap_err();
        let expected = "f.toml:2: this line is not UTF-8; save the file as UTF-8";
        assert_eq!(Problems::not_text("f.toml".as_ref(), &error).to_string(), expected);
    }
}
