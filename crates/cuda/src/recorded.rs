//! The records of one of the driver's events that are ours: which is the latest, and whether the driver has it.
//!
//! A managed stream may hold a record. Until the driver is given it, the driver answers for an earlier one, or for none.

use syncpoint_core::Point;

use crate::sync::{Mutex, lock};
use crate::sys::Refusal;

/// Those of one event.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// The driver records the event under it, so that a later record is never followed by an earlier one. Taken under the
    /// order lock of the stream that records.
    giving: Mutex<()>,
    /// Guards the numbers alone.
    numbers: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    /// How many were begun.
    begun: u64,
    /// The latest that the driver was given.
    given: u64,
    /// The latest that a stream took, and its point. It stays where the driver was given it since: a point may be the last
    /// name of what is the user's, and does not end under the order lock.
    taken: Option<(u64, Point)>,
}

impl Records {
    /// The number of a record that begins, from one on.
    pub(crate) fn begin(&self) -> u64 {
        let mut numbers = lock(&self.numbers);
        numbers.begun += 1;
        numbers.begun
    }

    /// Gives a record to the driver, unless it was given a later one.
    ///
    /// # Errors
    /// Those of `record`: then it was not given.
    pub(crate) fn give(
        &self,
        number: u64,
        record: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let _in_their_order = lock(&self.giving);
        if lock(&self.numbers).given > number {
            return Ok(());
        }
        record()?;
        lock(&self.numbers).given = number;
        Ok(())
    }

    /// A stream has taken a record whose end the point tells, and may hold it.
    pub(crate) fn taken(&self, number: u64, point: Point) {
        let mut numbers = lock(&self.numbers);
        let later = numbers.taken.as_ref().map_or(0, |(taken, _)| *taken).max(numbers.given);
        let old = (later < number).then(|| numbers.taken.replace((number, point)));
        drop(numbers);
        drop(old);
    }

    /// The point of the latest record, where that is held: pending, or failed.
    pub(crate) fn held(&self) -> Option<Point> {
        let numbers = lock(&self.numbers);
        let held = numbers.taken.as_ref().filter(|(taken, _)| *taken > numbers.given);
        held.map(|(_, point)| point.clone())
    }

    /// Whether the driver was given any.
    pub(crate) fn is_given(&self) -> bool {
        lock(&self.numbers).given > 0
    }
}

#[cfg(test)]
mod tests {
    use syncpoint_core::Gate;

    use super::*;

    fn given(records: &Records, number: u64) -> bool {
        let mut given = false;
        let outcome = records.give(number, || {
            given = true;
            Ok(())
        });
        outcome.is_ok() && given
    }

    #[test]
    fn the_latest_record_is_held_until_it_or_a_later_one_is_given() {
        let (records, gate) = (Records::default(), Gate::new());
        let [first, second, third] = [(); 3].map(|()| records.begin());
        records.taken(second, gate.point());
        records.taken(first, Gate::new().point());
        assert!(records.held().is_some_and(|held| held.timeline() == gate.point().timeline()));
        assert!(given(&records, first) && records.held().is_some(), "the second is held");
        assert!(given(&records, third) && records.held().is_none());
        assert!(!given(&records, second), "a later one was given");
        assert!(records.is_given());
    }

    #[test]
    fn what_was_given_before_its_point_was_known_is_not_held() {
        let records = Records::default();
        let number = records.begin();
        assert!(!records.is_given() && given(&records, number));
        records.taken(number, Gate::new().point());
        assert!(records.held().is_none());
    }
}
