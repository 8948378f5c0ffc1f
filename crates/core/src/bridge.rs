//! The bridge: how a stream of one backend waits for a point of another.
//!
//! No two backends share a primitive today, so the way is the same for all: the waiting side lists a waker with the
//! point's timeline and holds its work until the point is settled, and the other side is asked to notice the
//! completion. Where two drivers can wait for each other natively, this is the room that will know.

use std::task::Waker;

use crate::contract::RawStream;
use crate::graph;
use crate::point::Point;
use crate::timeline::Ticket;

/// Lists a waker of a stream of the backend whose streams are `Own`, to be woken when the point is settled. `None`: it
/// is already. May be called under the order lock of the stream that waits: it takes no other order lock.
#[inline]
pub fn list<Own: RawStream>(point: &Point, waker: Waker) -> Option<Ticket> {
    let ticket = point.timeline().register(point.value(), waker)?;
    // A backend notices the completions of its own streams by itself, where the waiting side asks it to.
    match point.timeline().foreign_stream::<Own>() {
        Some(stream) => stream.expect(point.value()),
        None => point.timeline().expect_others(),
    }
    Some(ticket)
}

/// Somebody holds work until the point is settled: whoever moves it on is to notice its completion. Under no lock.
pub(crate) fn expect(point: &Point) {
    graph::expect(point);
}
