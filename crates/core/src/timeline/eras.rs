//! The failed eras of a timeline: which values failed, and why.

use crate::error::Error;

/// The eras in which a stream had failed, in order; at most the last is still failing.
///
/// One entry for each failure that was recovered from, kept for the points that may still ask.
#[derive(Debug, Default)]
pub(crate) struct Eras(Vec<Era>);

#[derive(Debug)]
struct Era {
    from: u64,
    upto: u64,
    error: Error,
}

/// The end of an era that still fails.
const OPEN: u64 = u64::MAX;

impl Eras {
    /// Fails every value from `from` on that has not failed already.
    ///
    /// A stream that is cancelled fails from the item after the one that runs. If that one fails too, its value gets
    /// an era of its own before the other.
    ///
    /// # Errors
    /// The error, to be dropped outside the lock, where every such value has failed already.
    pub(crate) fn begin(&mut self, from: u64, error: Error) -> Result<(), Error> {
        let (index, upto) = match self.0.last() {
            Some(failing) if failing.upto == OPEN => (self.0.len() - 1, failing.from - 1),
            _ => (self.0.len(), OPEN),
        };
        if from > upto {
            return Err(error);
        }
        self.0.insert(index, Era { from, upto, error });
        Ok(())
    }

    /// Ends the failing era: it holds values up to `upto`.
    pub(crate) fn end(&mut self, upto: u64) -> Option<Error> {
        let era = self.0.last_mut().filter(|era| era.upto == OPEN)?;
        era.upto = upto;
        Some(era.error.clone())
    }

    /// The failure of the era that still fails.
    pub(crate) fn failing(&self) -> Option<&Error> {
        self.0.last().filter(|era| era.upto == OPEN).map(|era| &era.error)
    }

    /// The failure of the era that holds `value`.
    pub(crate) fn failure_of(&self, value: u64) -> Option<&Error> {
        let index = self.0.partition_point(|era| era.upto < value);
        self.0.get(index).filter(|era| era.from <= value).map(|era| &era.error)
    }
}
