//! The log: every end, every signal and every piece of host work with its virtual time, as text.

use std::fmt::{self, Write};

/// Lines in the order in which things happened. Kept by stepped worlds only: an automatic one may live as long as its
/// process, and its order says nothing about its seed.
#[derive(Debug)]
pub(crate) struct Log(Option<String>);

impl Log {
    pub(crate) fn new(kept: bool) -> Self {
        Self(kept.then(String::new))
    }

    /// Writes a line: `     1250 ns  sim:0/1  ends 3: fill`.
    pub(crate) fn write(&mut self, nanos: u64, what: fmt::Arguments<'_>) {
        if let Some(text) = &mut self.0 {
            // Writing to a string does not fail.
            let _written = writeln!(text, "{nanos:>12} ns  {what}");
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0.clone().unwrap_or_default()
    }
}
