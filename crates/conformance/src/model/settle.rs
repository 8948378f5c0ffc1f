//! Settling: waits for everything that can settle, and compares it all with the reference.

use std::time::Duration;

use syncpoint::{Kind, Point, Result, State};

use super::drive::{Difference, Drive, ensure};
use super::log::Mark;
use super::reference::{Item, ItemKind, Outcome, Past, Place, Target, bit};

/// How long one point may take. Programs take microseconds; a machine may pause.
const LONG: Duration = Duration::from_secs(5);

impl Drive {
    /// Waits for everything that does not block, and compares states, what ran, in which order, and times.
    pub(super) fn settle(&mut self, helping: bool) -> Result<(), Difference> {
        for (point, target) in self.everything() {
            let end = self.reference.outcome(target);
            if end == Outcome::Blocked {
                self.compare(&point, target, point.query())?;
            } else {
                let outcome =
                    if helping { point.synchronize() } else { point.synchronize_timeout(LONG) };
                self.settled(&point, target, outcome)?;
            }
        }
        self.note_settled();
        self.compare_log()?;
        self.compare_bytes()?;
        self.compare_times()
    }

    /// Every point, gate and end of an item, with what it stands for.
    fn everything(&self) -> Vec<(Point, Target)> {
        let gates = self.gate_points.iter().cloned().enumerate();
        let gates = gates.map(|(gate, point)| (point, Target::Gate(gate)));
        let points = self.points.iter().chain(&self.ends).cloned();
        points.chain(gates).collect()
    }

    fn settled(
        &mut self,
        point: &Point,
        target: Target,
        outcome: Result<()>,
    ) -> Result<(), Difference> {
        match outcome {
            Err(error) if error.kind() == Kind::TimedOut => {
                let end = self.reference.outcome(target);
                Err(format!("{point} does not settle, and must end {end:?}: {error}"))
            }
            outcome => self.compare(point, target, outcome.map(|()| true)),
        }
    }

    /// From now on everything up to the first item that blocks is known to have settled.
    fn note_settled(&mut self) {
        for id in 0..self.streams.len() {
            let end = self.reference.end(id);
            let count = match self.reference.outcome_of(id) {
                Outcome::Blocked => self.reference.stops_at(end).unwrap_or(end.count),
                Outcome::Complete | Outcome::Failed(_) => end.count,
            };
            self.streams[id].settled = Some(Place { count, ..end });
        }
    }

    /// Compares what ran, each once, and what ran before it, with what had to.
    fn compare_log(&mut self) -> Result<(), Difference> {
        let marks = self.log.marks();
        let mut expected: Past = 0;
        for (place, Item { kind, number, .. }) in self.reference.everything() {
            let runs = self.reference.outcome(Target::Place(place)) == Outcome::Complete;
            if runs && (kind.is_work() || matches!(kind, ItemKind::Write(_))) {
                expected |= bit(*number);
            }
            if kind.is_work() {
                self.compare_work(&marks, place, *number, runs)?;
            }
        }
        self.host_past |= expected;
        Ok(())
    }

    fn compare_work(
        &self,
        marks: &[Mark],
        place: Place,
        number: usize,
        runs: bool,
    ) -> Result<(), Difference> {
        let begun = marks.iter().filter(|mark| **mark == Mark::Begin(number)).count();
        ensure(begun == usize::from(runs), || {
            format!("work {number} ran {begun} times; must it run: {runs}")
        })?;
        let past = if runs { self.reference.past(Target::Place(place)) } else { 0 };
        compare_order(marks, number, past)
    }

    /// A timed point never has a time before that of one that something orders before it.
    fn compare_times(&self) -> Result<(), Difference> {
        let complete: Vec<_> = self
            .timed
            .iter()
            .filter(|(point, ..)| matches!(point.state(), State::Complete))
            .collect();
        for (end, place, _) in &complete {
            let past = self.reference.past(Target::Place(*place));
            for (start, _, number) in &complete {
                if past & bit(*number) != 0 && start.clock() == end.clock() {
                    let elapsed = end.elapsed_since(start);
                    ensure(elapsed.is_ok(), || {
                        format!("{end:?} comes after {start:?}: {elapsed:?}")
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// Everything in the past of some work ended before it began. Records leave no mark.
fn compare_order(marks: &[Mark], number: usize, past: Past) -> Result<(), Difference> {
    let begin = marks.iter().position(|mark| *mark == Mark::Begin(number)).unwrap_or(marks.len());
    for (index, mark) in marks.iter().enumerate().skip(begin) {
        if let Mark::End(other) = mark
            && past & bit(*other) != 0
        {
            return Err(format!(
                "work {number} began before {other} had ended (mark {index}): {marks:?}"
            ));
        }
    }
    Ok(())
}
