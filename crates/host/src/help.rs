//! Helping: a host thread that synchronizes runs what the awaited point depends on, and nothing else.
//!
//! It follows the chain of what streams wait for, takes a stream of the chain that is runnable, and stops exactly at
//! the value that is needed: what comes after it may wait for the helper itself.

use std::iter::once;
use std::mem::{ManuallyDrop, replace};
use std::sync::Arc;

use syncpoint_core::contract::{Hand, Helping};
use syncpoint_core::{Point, State};

use crate::order::{Order, Points, Turn};
use crate::serve::Scheduler;
use crate::stream::HostStream;
use crate::sync::MutexGuard;
use crate::turn::{self, Limit};

/// Runs items until `value` of the stream is settled, or nothing on its chain can be run here.
pub(crate) fn help(stream: Arc<HostStream>, value: u64) {
    let Some(_kept) = Hand::<HostStream>::keep() else { return };
    let scheduler = Arc::clone(&stream.scheduler);
    let (link, chain) = ((stream, value), Vec::new());
    let mut helper = Helper { scheduler: &scheduler, helping: None, link, chain, looks: 0 };
    while helper.takes_a_step() {}
    if helper.link.0.timeline.is_inherited() {
        // What ran forked, and this is the child: it helps with nothing, and drops nothing of the parent's.
        let _left_alone = ManuallyDrop::new(helper);
    }
}

/// How far a helper is.
struct Helper<'a> {
    scheduler: &'a Scheduler,
    /// From the first claim to the end: counting each in and out costs as much as a short item.
    helping: Option<Helping<'a, HostStream>>,
    /// Where it is.
    link: Link,
    /// The links that wait for the present one; no room is needed where nothing is chained.
    chain: Vec<(Link, Role)>,
    /// How many links it has looked at since it ran something last.
    looks: usize,
}

/// A stream, and the value that it has to come to.
type Link = (Arc<HostStream>, u64);

/// Why a link is on the chain.
enum Role {
    /// It waits for the one above it.
    Waits,
    /// It is waited for together with the one above it.
    Beside,
}

/// A chain longer than this is left to the workers: it may be a cycle through the host.
const LONGEST: usize = 4096;

/// After so many looks in vain it turns to no other link: a stream is met once for each way to it, and a look takes an
/// order lock. Enough for the longest chain, and less than half a millisecond.
const MOST_LOOKS: usize = LONGEST;

impl Helper<'_> {
    /// Runs what it is at, or goes on to another link. `false`: nothing more can be run here.
    fn takes_a_step(&mut self) -> bool {
        let (stream, value) = &self.link;
        if is_settled(stream, *value) {
            return self.goes_back();
        }
        self.looks += 1;
        let points = match try_claim(stream, *value) {
            Claim::Taken(order) => {
                self.helping.get_or_insert_with(|| self.scheduler.help()).note_taken();
                self.looks = 0;
                turn::run(stream, order, Limit::Upto(*value));
                return !stream.timeline.is_inherited();
            }
            Claim::Parked(points) if self.chain.len() < LONGEST => Some(points),
            Claim::Parked(_) | Claim::Elsewhere => None,
        };
        match points {
            Some(points) => self.goes_on(points),
            None => self.goes_beside(),
        }
    }

    /// Goes to the link before: the present one is settled.
    fn goes_back(&mut self) -> bool {
        let before = self.chain.pop();
        before.map(|(link, _)| self.link = link).is_some()
    }

    /// Goes on with what the present link waits for, of several the last first: so it is not woken before all are
    /// settled.
    fn goes_on(&mut self, (first, more): Points) -> bool {
        let mut links = once(first).chain(more).filter_map(|point| behind(&point));
        let Some(first) = links.next() else { return self.goes_beside() };
        self.chain.push((replace(&mut self.link, first), Role::Waits));
        self.chain.extend(links.map(|later| (replace(&mut self.link, later), Role::Beside)));
        true
    }

    /// Goes on with what is waited for beside the present link, of which nothing can be run here, or else beside one that
    /// waits for it.
    fn goes_beside(&mut self) -> bool {
        if self.looks > MOST_LOOKS {
            return false;
        }
        while let Some((link, role)) = self.chain.pop() {
            if let Role::Beside = role {
                self.link = link;
                return true;
            }
        }
        false
    }
}

fn is_settled(stream: &HostStream, value: u64) -> bool {
    stream.timeline.completed() >= value || stream.timeline.has_failed()
}

enum Claim<'a> {
    /// The helper owns the stream now.
    Taken(MutexGuard<'a, Order>),
    /// The stream waits for these points.
    Parked(Points),
    /// Somebody else runs it, or it waits for time to pass.
    Elsewhere,
}

/// Takes a runnable stream, leaving its entry in the run queue behind. What it waits for behind `upto` is not asked for:
/// that may wait for the helper itself.
fn try_claim(stream: &HostStream, upto: u64) -> Claim<'_> {
    let mut order = stream.order();
    if order.state == Turn::Parked {
        let Some(points) = order.parked_on(upto) else { return Claim::Elsewhere };
        if matches!(points.0.timeline().state_of(points.0.value()), State::Pending) {
            return Claim::Parked(points);
        }
        // Whoever settled the point has yet to wake the stream, and will find it awake.
        order.state = Turn::Runnable;
    }
    turn::claim(order).map_or(Claim::Elsewhere, Claim::Taken)
}

/// The host stream whose progress completes a point, and the value to come to.
fn behind(point: &Point) -> Option<(Arc<HostStream>, u64)> {
    let point = point.opener().unwrap_or_else(|| point.clone());
    Some((point.timeline().own_stream()?, point.value()))
}
