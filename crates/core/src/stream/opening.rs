//! Opening a gate in the order of a stream, unless that closes a cycle.

use crate::contract::{Item, Line, Placed, Refused, Task, Why};
use crate::error::{Error, Reason, Result};
use crate::gate::{self, Gate, Opening};
use crate::graph;
use crate::place::Place;
use crate::point::Point;
use crate::stream::Stream;

#[cfg(all(test, syncpoint_loom))]
mod model;

impl Stream {
    /// Promises to open a gate. Where there is no room for that, this thread sleeps under no lock and tries anew: what makes
    /// room may be a promise of another thread.
    pub(super) fn promise_in_room(&self, gate: &Gate, place: Place) -> Result<Placed> {
        let mut line = Line::default();
        loop {
            if let Some(placed) = gate::promising(|| self.promise(gate, place))? {
                return Ok(placed);
            }
            self.raw.wait_for_room(&mut line)?;
        }
    }

    /// Checks for a cycle and enqueues the opening; checks again when the stream got more work in between, since that
    /// may be a wait for the gate. `None`: there is no room for it now, and nothing was promised.
    fn promise(&self, gate: &Gate, place: Place) -> Result<Option<Placed>> {
        let mut opening = gate.promise()?;
        loop {
            let enqueued = self.timeline.enqueued();
            if let Some(path) = graph::path_to_gate(self.raw.as_ref(), enqueued, gate.timeline()) {
                gate.take_back(opening);
                return Err(self.cycle(gate, &path));
            }
            opening = match self.put_opening(gate, opening, (enqueued, place)) {
                Ok(placed) => return Ok(Some(placed)),
                Err((back, Why::MoreWork)) => back,
                Err((back, Why::NoRoom)) => {
                    gate.take_back(back);
                    return Ok(None);
                }
                Err((back, Why::Error(error))) => {
                    gate.take_back(back);
                    return Err(error);
                }
            };
        }
    }

    /// Enqueues the opening behind this value. It comes back where the stream did not take it.
    fn put_opening(
        &self,
        gate: &Gate,
        opening: Opening,
        (enqueued, place): (u64, Place),
    ) -> Result<Placed, (Opening, Why)> {
        // Named before it is enqueued: a waiter that sees the stream's value must see the edge.
        let name = |value| gate.name_opener(Point::new(self.timeline.clone(), value, place));
        name(enqueued + 1);
        match self.raw.put_at(Item { task: Task::Open(opening), place }, enqueued) {
            Ok(placed) => {
                // A backend may put a mark before it.
                if placed.value != enqueued + 1 {
                    name(placed.value);
                }
                Ok(placed)
            }
            Err(Refused { item: Item { task: Task::Open(back), .. }, why }) => Err((back, why)),
            Err(_) => unreachable!("put_at gives back the item that it was given"),
        }
    }

    #[cold]
    fn cycle(&self, gate: &Gate, path: &graph::Path) -> Error {
        let message = format!(
            "{} cannot open {}: it waits for that gate itself ({path}); open the gate from another stream, or \
             before the wait",
            self.timeline,
            gate.timeline()
        );
        Error::misuse(Reason::WouldDeadlock, message)
    }
}
