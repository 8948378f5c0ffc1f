//! The latest point of each stream that has not come, in whatever order they are told.

use syncpoint_core::Point;

use crate::import::is_complete;
use crate::sync::{Mutex, lock};

/// The latest of the points told of each timeline, until they are complete: when they are, so are all that were told.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    /// One of a timeline, and of those that are complete any. Guards the list alone.
    points: Mutex<Vec<Point>>,
}

impl Latest {
    /// Notes a point. Threads that put one after the other may tell in the other order: the larger value stays.
    pub(crate) fn note(&self, point: Point) {
        let mut points = lock(&self.points);
        let is_behind =
            |known: &Point| known.timeline() == point.timeline() && known.value() >= point.value();
        if points.iter().any(is_behind) {
            return;
        }
        let is_over =
            |known: &mut Point| known.timeline() == point.timeline() || is_complete(known);
        let over: Vec<Point> = points.extract_if(.., is_over).collect();
        points.push(point);
        drop(points);
        drop(over);
    }

    /// Takes what is not complete.
    pub(crate) fn take_pending(&self) -> Vec<Point> {
        let mut pending = std::mem::take(&mut *lock(&self.points));
        pending.retain(|point| !is_complete(point));
        pending
    }
}

#[cfg(test)]
mod tests {
    use syncpoint_core::Gate;

    use super::*;

    #[test]
    fn the_later_of_two_points_of_a_stream_stays_in_whatever_order_they_are_told() {
        let gates = [Gate::new(), Gate::new()];
        let [one, other] = gates.each_ref().map(|gate| gate.point().timeline().clone());
        for told in [[4, 6], [6, 4]] {
            let latest = Latest::default();
            latest.note(other.point(5));
            for value in told {
                latest.note(one.point(value));
            }
            let mut pending: Vec<u64> = latest.take_pending().iter().map(Point::value).collect();
            pending.sort_unstable();
            assert_eq!(pending, [5, 6], "told {told:?}");
        }
    }

    #[test]
    fn what_is_complete_is_forgotten() {
        let gate = Gate::new();
        let latest = Latest::default();
        latest.note(gate.point());
        gate.open().unwrap_or(());
        assert!(latest.take_pending().is_empty());
    }
}
