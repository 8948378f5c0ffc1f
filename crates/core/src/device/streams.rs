//! The streams of a device: listed for waits on all of them, and for as long as anybody knows their timelines.

use std::fmt;
use std::sync::Arc;

use crate::contract::RawStream;
use crate::place::Place;
use crate::point::Point;
use crate::sync::process::{AtomicBool, Mutex, Ordering, lock};
use crate::timeline::{Timeline, WeakTimeline};

/// The streams of a device by their timelines. Keeps neither alive: a stream that is dropped stays listed for as long as
/// the backend still has work of it, or somebody a point, and its timeline takes the entry out as it goes.
///
/// The lock guards the rows and is a leaf: no timeline is dropped under it, since that takes it again.
#[derive(Default)]
pub(super) struct Streams(Mutex<Rows>);

#[derive(Default)]
struct Rows {
    timelines: Vec<Option<WeakTimeline>>,
    /// Where the empty rows are.
    empty: Vec<usize>,
}

/// A list of so few rows is kept for the next.
const SHORT: usize = 64;

/// The row of a timeline in the list of its device.
pub(crate) struct Listed {
    streams: Arc<Streams>,
    row: usize,
}

impl Streams {
    /// Names the stream of a timeline and lists it, unless the device is closed. Both under the lock: whoever has closed the
    /// device finds the stream here, or is found.
    pub(super) fn adopt(
        self: &Arc<Self>,
        timeline: &Timeline,
        stream: &Arc<dyn RawStream>,
        is_closed: &AtomicBool,
    ) -> bool {
        let mut rows = lock(&self.0);
        // Relaxed: who has set it takes the lock behind that.
        if is_closed.load(Ordering::Relaxed) {
            return false;
        }
        timeline.adopt(stream, self.list(&mut rows, timeline));
        true
    }

    fn list(self: &Arc<Self>, rows: &mut Rows, timeline: &Timeline) -> Listed {
        Listed { streams: Arc::clone(self), row: rows.add(timeline.downgrade()) }
    }

    /// The streams that the backend still has, in the order in which they were made.
    pub(super) fn alive(&self) -> Vec<(Arc<dyn RawStream>, Timeline)> {
        let mut timelines = self.timelines();
        // Rows are used again; ids are not, and grow.
        timelines.sort_unstable_by_key(Timeline::id);
        timelines.into_iter().filter_map(|timeline| Some((timeline.stream()?, timeline))).collect()
    }

    fn timelines(&self) -> Vec<Timeline> {
        let rows = lock(&self.0);
        rows.timelines.iter().flatten().filter_map(WeakTimeline::upgrade).collect()
    }

    /// The points of everything enqueued so far. Streams that can no longer be reached have completed everything.
    pub(super) fn points(&self, place: Place) -> Vec<Point> {
        let point = |(stream, timeline): (Arc<dyn RawStream>, Timeline)| {
            // Where the driver refuses a record, the latest value is waited for as it is.
            let value = stream.record().map_or_else(|_| timeline.enqueued(), |placed| placed.value);
            // Said while the stream is held: one whose owner is gone may end with this name, and the value with it.
            stream.expect(value);
            Point::new(timeline, value, place)
        };
        self.alive().into_iter().map(point).collect()
    }
}

impl Rows {
    fn add(&mut self, timeline: WeakTimeline) -> usize {
        if let Some(row) = self.empty.pop() {
            self.timelines[row] = Some(timeline);
            return row;
        }
        self.timelines.push(Some(timeline));
        self.timelines.len() - 1
    }

    /// Empties a row. With the last stream of a crowd goes the crowd's memory.
    fn remove(&mut self, row: usize) {
        self.timelines[row] = None;
        self.empty.push(row);
        if self.empty.len() == self.timelines.len() && self.empty.len() > SHORT {
            *self = Self::default();
        }
    }
}

impl Listed {
    /// Takes the entry out: the timeline is gone.
    pub(crate) fn leave(self) {
        lock(&self.streams.0).remove(self.row);
    }
}

impl fmt::Debug for Listed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Listed({})", self.row)
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn rows_are_used_again_and_given_back_with_the_last() {
        let (streams, line) = (Arc::new(Streams::default()), Timeline::for_stream(None));
        let list = || streams.list(&mut lock(&streams.0), &line);
        let mut listed: Vec<_> = (0..100).map(|_| list()).collect();
        listed.swap_remove(7).leave();
        assert_eq!(streams.timelines().len(), 99);
        listed.push(list());
        assert_eq!(listed[99].row, 7, "the empty row");
        listed.into_iter().for_each(Listed::leave);
        let rows = lock(&streams.0);
        assert_eq!([rows.timelines.capacity(), rows.empty.capacity()], [0, 0]);
    }

    #[test]
    fn a_list_keeps_no_timeline() {
        let streams = Arc::new(Streams::default());
        let [line, gone] = [(); 2].map(|()| Timeline::for_stream(None));
        let _rows = [&line, &gone].map(|line| streams.list(&mut lock(&streams.0), line));
        drop(gone);
        assert_eq!(streams.timelines().len(), 1);
    }
}
