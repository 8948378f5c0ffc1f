//! A journal: what happened, in the order in which it happened, as work and the test itself write it down.

use std::sync::{Arc, Mutex, PoisonError};

use syncpoint::{Result, Stream};

/// Lines in the order in which they were written, by any thread.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    /// Writes a line.
    pub fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.into());
    }

    /// Enqueues work that writes a line.
    #[track_caller]
    pub fn work(&self, stream: &Stream, line: impl Into<String>) -> Result<()> {
        let (journal, line) = (self.clone(), line.into());
        stream.enqueue(move || journal.write(line))
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Panics unless the journal reads so.
    #[track_caller]
    pub fn assert_reads(&self, expected: &[&str]) {
        assert_eq!(self.lines(), expected);
    }
}
