//! Opening a gate in the order of a stream, unless that closes a cycle.

use crate::contract::{Item, Placed, Task};
use crate::error::{Error, Reason, Result};
use crate::gate::Gate;
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
            // Named before it is enqueued: a waiter that sees the stream's value must see the edge.
            let name = |value| gate.name_opener(Point::new(self.timeline.clone(), value, place));
            name(enqueued + 1);
            let refused = match self.raw.put_at(Item { task: Task::Open(opening), place }, enqueued)
            {
                Ok(placed) => {
                    // A backend may put a mark before it.
                    if placed.value != enqueued + 1 {
                        name(placed.value);
                    }
                    return Ok(placed);
                }
                Err(refused) => refused,
            };
            let Task::Open(back) = refused.item.task else {
                unreachable!("put_at gives back the item that it was given")
            };
            if let Some(error) = refused.error {
                gate.take_back(back);
                return Err(error);
            }
            opening = back;
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
