//! Landing what is on its way: how far the driver's word reaches, and what has to be done before it does.

use super::Flight;
use crate::contract::Edge;
use crate::error::Error;
use crate::gate::Opening;
use crate::point::{Point, State};

/// What landing does next.
#[derive(Debug)]
pub(in crate::hold) enum Landing {
    /// Drop a wait that is over.
    Over(Edge),
    /// Open a gate.
    Open(Opening),
    /// The driver is past a wait whose point is not known complete yet.
    Seek(Point),
    /// The wait of this own value failed.
    Fail(u64, Error),
    /// Nothing more has come.
    Done,
}

impl Landing {
    /// The wait that failed, and with what.
    pub(in crate::hold) fn failed(&self) -> Option<(u64, &Error)> {
        if let Self::Fail(own, error) = self { Some((*own, error)) } else { None }
    }
}

impl Flight {
    /// How far values have come, waits not looked at.
    fn horizon(&self) -> u64 {
        let mut horizon = self.reached.max(self.landed);
        if self.is_through() {
            horizon = horizon.max(self.passed);
        }
        // What was submitted before an opening grows with its value, and those held are the last.
        let due = self.openings.partition_point(|promise| promise.is_due(self.reached));
        let last = due.checked_sub(1).and_then(|last| self.openings.get(last));
        let horizon = last.map_or(horizon, |promise| promise.value.max(horizon));
        self.running.map_or(horizon, |running| horizon.min(running - 1))
    }

    /// Lands what can: says what has to be done first, outside the lock, until it is done.
    pub(in crate::hold) fn land(&mut self) -> Landing {
        let horizon = self.horizon();
        loop {
            let wait = self.waits.front().filter(|edge| edge.own <= horizon);
            let gate = self.openings.front();
            let gate = gate.filter(|promise| promise.after.is_some() && promise.value <= horizon);
            match (wait, gate) {
                (Some(wait), gate) if gate.is_none_or(|gate| wait.own < gate.value) => {
                    let (own, point) = (wait.own, &wait.point);
                    match point.timeline().state(point.value()) {
                        State::Complete => {
                            if let Some(over) = self.waits.pop() {
                                return Landing::Over(over);
                            }
                        }
                        State::Failed(error) => return Landing::Fail(own, error),
                        State::Pending => return self.seek(own, point.clone()),
                    }
                }
                (_, Some(_)) => return self.open_front(),
                (_, None) => {
                    self.landed = self.landed.max(horizon);
                    self.answer(self.landed);
                    return Landing::Done;
                }
            }
        }
    }

    fn open_front(&mut self) -> Landing {
        let Some(promise) = self.openings.pop_front() else { return Landing::Done };
        // Landed before it is open: a device lost in between fails what comes after it only.
        self.landed = self.landed.max(promise.value);
        Landing::Open(promise.opening)
    }

    fn seek(&mut self, own: u64, point: Point) -> Landing {
        self.landed = self.landed.max(own - 1);
        let told = self.sought.replace(own) == Some(own);
        if told { Landing::Done } else { Landing::Seek(point) }
    }

    /// The wait that has failed of those that are passed, or that the stream is held for: what is held lies behind what is
    /// passed.
    pub(in crate::hold) fn failed_wait(&self) -> Option<(u64, Error)> {
        let stood_before = self.passed + u64::from(self.held > 0);
        let waits = self.waits.between(0, stood_before);
        waits.into_iter().find_map(|edge| match edge.point.timeline().state(edge.point.value()) {
            State::Failed(error) => Some((edge.own, error)),
            State::Pending | State::Complete => None,
        })
    }
}
