//! The failed eras of a timeline: which values failed, and why.

use crate::error::Error;

/// The eras in which a stream had failed, in order; at most the last is still failing.
///
/// Boxed: every timeline has them, and few ever fail.
#[derive(Debug, Default)]
pub(crate) struct Eras(Option<Box<Failed>>);

#[derive(Debug, Default)]
struct Failed {
    /// One entry for each failure that was recovered from, kept for the points that may still ask.
    eras: Vec<Era>,
    /// Whether work of it may run still of which nobody will hear.
    is_unheard: bool,
}

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
    /// an era of its own before the other. So do values that a device loses behind a failure, or after a recovery.
    ///
    /// # Errors
    /// The error, to be dropped outside the lock, where every such value has failed already.
    pub(crate) fn begin(&mut self, from: u64, error: Error) -> Result<(), Error> {
        let (mut from, mut is_new) = (from, false);
        let eras = &mut self.0.get_or_insert_default().eras;
        let mut index = eras.partition_point(|era| era.upto < from);
        while let Some(&Era { from: begin, upto, .. }) = eras.get(index) {
            if from < begin {
                eras.insert(index, Era { from, upto: begin - 1, error: error.clone() });
                (index, is_new) = (index + 1, true);
            }
            if upto == OPEN {
                return if is_new { Ok(()) } else { Err(error) };
            }
            (from, index) = (upto + 1, index + 1);
        }
        eras.push(Era { from, upto: OPEN, error });
        Ok(())
    }

    /// Ends the failing era: it holds values up to `upto`.
    pub(crate) fn end(&mut self, upto: u64) -> Option<Error> {
        let era = self.0.as_mut()?.eras.last_mut().filter(|era| era.upto == OPEN)?;
        era.upto = upto;
        Some(era.error.clone())
    }

    /// Work of what has failed may run still, and nobody will hear of its end.
    pub(crate) fn leave_unheard(&mut self) {
        if let Some(failed) = &mut self.0 {
            failed.is_unheard = true;
        }
    }

    /// Somebody has heard of it.
    pub(crate) fn hear(&mut self) {
        if let Some(failed) = &mut self.0 {
            failed.is_unheard = false;
        }
    }

    pub(crate) fn is_unheard(&self) -> bool {
        self.0.as_ref().is_some_and(|failed| failed.is_unheard)
    }

    fn all(&self) -> &[Era] {
        self.0.as_ref().map_or(&[], |failed| failed.eras.as_slice())
    }

    /// The failure of the era that still fails.
    pub(crate) fn failing(&self) -> Option<&Error> {
        self.all().last().filter(|era| era.upto == OPEN).map(|era| &era.error)
    }

    /// How many of the values above `after` and up to `upto` have failed.
    pub(crate) fn failed_between(&self, after: u64, upto: u64) -> u64 {
        let late = self.all().iter().rev().take_while(|era| era.upto > after);
        late.map(|era| (era.upto.min(upto) + 1).saturating_sub(era.from.max(after + 1))).sum()
    }

    /// The failure of the era that holds `value`.
    pub(crate) fn failure_of(&self, value: u64) -> Option<&Error> {
        let eras = self.all();
        let index = eras.partition_point(|era| era.upto < value);
        eras.get(index).filter(|era| era.from <= value).map(|era| &era.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes<const N: usize>(eras: &Eras, values: [u64; N]) -> [Option<&str>; N] {
        values.map(|value| eras.failure_of(value).map(Error::message))
    }

    #[test]
    fn values_before_a_failure_may_fail_after_it_for_another_cause() {
        let mut eras = Eras::default();
        assert!(eras.begin(7, Error::failed("work")).is_ok());
        assert!(eras.begin(3, Error::failed("lost")).is_ok());
        assert!(eras.begin(5, Error::failed("late")).is_err());
        let (lost, work) = (Some("lost"), Some("work"));
        assert_eq!(causes(&eras, [2, 3, 6, 7, 100]), [None, lost, lost, work, work]);
        assert_eq!(eras.failing().map(Error::message), work);
    }

    #[test]
    fn a_failure_of_work_from_before_a_recovery_fails_what_came_after_it_too() {
        let mut eras = Eras::default();
        assert!(eras.begin(7, Error::failed("work")).is_ok());
        eras.end(9);
        assert!(eras.begin(3, Error::failed("late")).is_ok());
        let (late, work) = (Some("late"), Some("work"));
        assert_eq!(causes(&eras, [2, 3, 6, 7, 9, 10]), [None, late, late, work, work, late]);
        assert_eq!(eras.end(12).map(|error| error.to_string()), Some("late".to_owned()));
        assert_eq!(causes(&eras, [12, 13]), [late, None]);
    }
}
