//! Opening a gate in the order of a stream, unless that closes a cycle.

use crate::contract::{Item, Placed, Refused, Task};
use crate::error::{Error, Reason, Result};
use crate::gate::{Gate, Opening};
use crate::graph;
use crate::place::Place;
use crate::point::Point;
use crate::stream::Stream;

#[cfg(all(test, syncpoint_loom))]
mod model;

impl Stream {
    /// Checks for a cycle and enqueues the opening; checks again when the stream got more work in between, since that
    /// may be a wait for the gate.
    pub(super) fn promise(&self, gate: &Gate, place: Place) -> Result<Placed> {
        let mut opening = gate.promise()?;
        loop {
            let enqueued = self.timeline.enqueued();
            if let Some(path) = graph::path_to_gate(self.raw.as_ref(), enqueued, gate.timeline()) {
                gate.take_back(opening);
                return Err(self.cycle(gate, &path));
            }
            opening = match self.put_opening(gate, opening, (enqueued, place)) {
                Ok(placed) => return Ok(placed),
                Err((back, None)) => back,
                Err((back, Some(error))) => {
                    gate.take_back(back);
                    return Err(error);
                }
            };
        }
    }

    /// Enqueues the opening behind this value. It comes back with the error where it was refused, and without one where
    /// the stream got more work.
    fn put_opening(
        &self,
        gate: &Gate,
        opening: Opening,
        (enqueued, place): (u64, Place),
    ) -> Result<Placed, (Opening, Option<Error>)> {
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
            Err(Refused { item: Item { task: Task::Open(back), .. }, error }) => Err((back, error)),
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
