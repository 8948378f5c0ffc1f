//! Helping: a host thread that synchronizes runs what the awaited point depends on, and nothing else.
//!
//! It follows the chain of what streams wait for, takes a stream of the chain that is runnable, and stops exactly at
//! the value that is needed: what comes after it may wait for the helper itself.

use std::iter::once;
use std::mem::{ManuallyDrop, replace};
use std::sync::Arc;

use syncpoint_core::contract::Hand;
use syncpoint_core::{Point, State};

use crate::order::{Order, Points, Turn};
use crate::stream::HostStream;
use crate::sync::MutexGuard;
use crate::turn::{self, Limit};

/// Runs items until `value` of the stream is settled, or nothing on its chain can be run here.
pub(crate) fn help(stream: Arc<HostStream>, value: u64) {
    let Some(_kept) = Hand::<HostStream>::keep() else { return };
    let scheduler = Arc::clone(&stream.scheduler);
    let mut helping = None;
    let mut link = (stream, value);
    // The links that wait for the present one; no room is needed where nothing is chained.
    let mut chain = Vec::new();
    loop {
        let (stream, value) = &link;
        if is_settled(stream, *value) {
            let Some((before, _)) = chain.pop() else { break };
            link = before;
            continue;
        }
        let points = match try_claim(stream, *value) {
            Claim::Taken(order) => {
                // From the first claim to the end: counting each in and out costs as much as a short item.
                let helping = helping.get_or_insert_with(|| scheduler.help());
                helping.note_taken();
                turn::run(stream, order, Limit::Upto(*value));
                if stream.timeline.is_inherited() {
                    // What ran forked, and this is the child: it helps with nothing, and drops nothing of the parent's.
                    let _never_the_last_count = ManuallyDrop::new((Arc::clone(stream), chain));
                    let _left_alone = ManuallyDrop::new(helping);
                    return;
                }
                continue;
            }
            Claim::Parked(points) if chain.len() < LONGEST => Some(points),
            Claim::Parked(_) | Claim::Elsewhere => None,
        };
        if !go_on(&mut link, &mut chain, points) {
            break;
        }
    }
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

/// Goes on with what the present link waits for, of several the last first: so it is not woken before all are settled.
/// Where none of that can be run here, goes on with what is waited for beside the link. `false`: with nothing.
fn go_on(link: &mut Link, chain: &mut Vec<(Link, Role)>, points: Option<Points>) -> bool {
    let points = points.into_iter().flat_map(|(first, more)| once(first).chain(more));
    let mut links = points.filter_map(|point| behind(&point));
    if let Some(first) = links.next() {
        chain.push((replace(link, first), Role::Waits));
        chain.extend(links.map(|later| (replace(link, later), Role::Beside)));
        return true;
    }
    match chain.pop() {
        Some((beside, Role::Beside)) => *link = beside,
        Some((_, Role::Waits)) | None => return false,
    }
    true
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
