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
    let (mut link, mut chain, mut helping, mut looks) = ((stream, value), Vec::new(), None, 0);
    while goes_back(&mut link, &mut chain) {
        looks += 1;
        let points = match look(&link, &scheduler, &mut helping) {
            Look::Ran if link.0.timeline.is_inherited() => {
                // What ran forked, and this is the child: it helps with nothing, and drops nothing of the parent's.
                let _left_alone = ManuallyDrop::new((link, chain, helping));
                return;
            }
            Look::Ran => {
                looks = 0;
                continue;
            }
            Look::Parked(points) => Some(points),
            Look::Elsewhere => None,
        };
        let goes_on = points.is_some_and(|points| goes_on(&mut link, &mut chain, points));
        if !goes_on && (looks > MOST_LOOKS || !goes_beside(&mut link, &mut chain)) {
            return;
        }
    }
}

/// What came of a look at a link.
enum Look {
    /// It ran here.
    Ran,
    /// It waits for these points.
    Parked(Points),
    /// Nothing: somebody else runs it, or it waits for time to pass.
    Elsewhere,
}

/// Runs a link, if it can be run here. From the first on the helper counts as one: counting each in and out costs as much
/// as a short item.
#[inline]
fn look<'a>(
    (stream, value): &Link,
    scheduler: &'a Scheduler,
    helping: &mut Option<Helping<'a, HostStream>>,
) -> Look {
    match try_claim(stream, *value) {
        Claim::Taken(order) => {
            helping.get_or_insert_with(|| scheduler.help()).note_taken();
            turn::run(stream, order, Limit::Upto(*value));
            Look::Ran
        }
        Claim::Parked(points) => Look::Parked(points),
        Claim::Elsewhere => Look::Elsewhere,
    }
}

/// A stream, and the value that it has to come to.
type Link = (Arc<HostStream>, u64);

/// The links that wait for the present one; no room is needed where nothing is chained.
type Chain = Vec<(Link, Role)>;

/// Why a link is on the chain.
enum Role {
    /// It waits for the one above it.
    Waits,
    /// It is waited for together with the one above it.
    Beside,
}

/// A chain longer than this is left to the workers: it may be a cycle through the host.
const LONGEST: usize = 4096;

/// After so many looks since something ran last it turns to no other link: a stream is met once for each way to it, and a
/// look takes an order lock. Enough for the longest chain, and less than half a millisecond.
const MOST_LOOKS: usize = LONGEST;

/// Goes back over links that are settled, to one that is not. `false`: all are.
fn goes_back(link: &mut Link, chain: &mut Chain) -> bool {
    while is_settled(&link.0, link.1) {
        let Some((before, _)) = chain.pop() else { return false };
        *link = before;
    }
    true
}

/// Goes on with what the link waits for, of several the last first: so it is not woken before all are settled. `false`:
/// none of that can be run here.
fn goes_on(link: &mut Link, chain: &mut Chain, (first, more): Points) -> bool {
    let mut links = once(first).chain(more).filter_map(|point| behind(&point));
    let first = links.next().filter(|_| chain.len() < LONGEST);
    let Some(first) = first else { return false };
    chain.push((replace(link, first), Role::Waits));
    chain.extend(links.map(|later| (replace(link, later), Role::Beside)));
    true
}

/// Goes on with what is waited for beside the link, or else beside one that waits for it. `false`: with nothing.
fn goes_beside(link: &mut Link, chain: &mut Chain) -> bool {
    while let Some((beside, role)) = chain.pop() {
        if let Role::Beside = role {
            *link = beside;
            return true;
        }
    }
    false
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
