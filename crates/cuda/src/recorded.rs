//! The records of one of the driver's events that are ours: which is the latest, and whether the driver has it.
//!
//! A managed stream may hold a record. Until the driver is given it, the driver answers for an earlier one, or for none.

use syncpoint_core::Point;

use crate::sync::{Mutex, lock};
use crate::sys::Refusal;

/// Those of one event.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Guards the numbers alone. The driver is called under no lock but the order lock of the stream that records: one whose
    /// queue is full keeps whoever records there, and nobody else.
    numbers: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    /// How many were begun.
    begun: u64,
    /// The latest that the driver was given.
    given: u64,
    /// Whether a capture has one, which the driver takes with each launch.
    is_captured: bool,
    /// How many it is being given now.
    calls: u64,
    /// Whether these came beside one another: then nobody knows in which order the driver took them.
    beside: bool,
    /// Whether the driver's event may be an earlier one than the latest that it was given: until it is given one alone, the
    /// point tells of the latest.
    is_unsure: bool,
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
        if !lock(&self.numbers).begin(number) {
            return Ok(());
        }
        let outcome = record();
        lock(&self.numbers).end(number, &outcome);
        outcome
    }

    /// Whether the point of a record that the driver was given has to be [told](Self::taken), because nobody knows whether
    /// the driver's event is that one.
    pub(crate) fn is_unsure(&self) -> bool {
        lock(&self.numbers).is_unsure
    }

    /// A stream has taken a record whose end the point tells, and may hold it.
    pub(crate) fn taken(&self, number: u64, point: Point) {
        let mut numbers = lock(&self.numbers);
        let later = numbers.taken.as_ref().map_or(0, |(taken, _)| *taken);
        let is_needed = later < number && numbers.is_told_by_point(number);
        let old = is_needed.then(|| numbers.taken.replace((number, point)));
        drop(numbers);
        drop(old);
    }

    /// The point of the latest record, where that is held, pending or failed, or nobody knows whether the driver's event is
    /// that one.
    pub(crate) fn held(&self) -> Option<Point> {
        let numbers = lock(&self.numbers);
        let held = numbers.taken.as_ref().filter(|(taken, _)| numbers.is_told_by_point(*taken));
        held.map(|(_, point)| point.clone())
    }

    /// A capture has taken a record.
    pub(crate) fn note_captured(&self) {
        lock(&self.numbers).is_captured = true;
    }

    /// Whether the driver was given any, or may be by a graph.
    pub(crate) fn is_given(&self) -> bool {
        let numbers = lock(&self.numbers);
        numbers.given > 0 || numbers.is_captured
    }
}

impl Numbers {
    /// The driver is about to be given a record. False: it was given a later one.
    fn begin(&mut self, number: u64) -> bool {
        let may_go = self.given <= number;
        if may_go {
            self.beside |= self.calls > 0;
            self.calls += 1;
        }
        may_go
    }

    /// It was, or refused it.
    fn end(&mut self, number: u64, outcome: &Result<(), Refusal>) {
        if outcome.is_ok() {
            self.given = self.given.max(number);
            self.is_unsure = self.beside;
        }
        self.calls -= 1;
        self.beside &= self.calls > 0;
    }

    /// Whether it is the point of this record that tells of it, and not the driver's event.
    fn is_told_by_point(&self, number: u64) -> bool {
        self.given < number || (self.given == number && self.is_unsure)
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
    fn of_records_that_the_driver_takes_beside_one_another_the_point_of_the_latest_tells() {
        let records = Records::default();
        let [first, second, third] = [(); 3].map(|()| records.begin());
        let (gate, within) = (Gate::new(), || {
            assert!(given(&records, second) && records.is_unsure());
            Ok(())
        });
        assert!(records.give(first, within).is_ok() && records.is_unsure());
        records.taken(second, gate.point());
        assert!(records.held().is_some_and(|held| held.timeline() == gate.point().timeline()));
        assert!(!given(&records, first), "a later one was given");
        assert!(given(&records, third) && !records.is_unsure() && records.held().is_none());
    }

    #[test]
    fn what_a_capture_alone_has_may_be_given_by_its_graph() {
        let records = Records::default();
        records.note_captured();
        assert!(records.is_given() && records.held().is_none());
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
