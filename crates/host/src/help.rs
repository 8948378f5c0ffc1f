//! Helping: a host thread that synchronizes runs what the awaited point depends on, and nothing else.
//!
//! It follows the chain of what streams wait for, takes a stream of the chain that is runnable, and stops exactly at
//! the value that is needed: what comes after it may wait for the helper itself.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use syncpoint_core::contract::Hand;
use syncpoint_core::{Point, State};

use crate::order::{Order, Turn};
use crate::stream::HostStream;
use crate::sync::MutexGuard;
use crate::turn::{self, Limit};

/// Runs items until `value` of the stream is settled, or nothing on its chain can be run here.
pub(crate) fn help(stream: Arc<HostStream>, value: u64) {
    let Some(_kept) = Hand::<HostStream>::keep() else { return };
    let scheduler = Arc::clone(&stream.scheduler);
    let mut link = (stream, value);
    // The links that wait for the present one; no room is needed where nothing is chained.
    let mut chain = Vec::new();
    loop {
        let (stream, value) = &link;
        if is_settled(stream, *value) {
            let Some(before) = chain.pop() else { break };
            link = before;
            continue;
        }
        let point = match try_claim(stream) {
            Claim::Taken(order) => {
                let helping = scheduler.help();
                turn::run(stream, order, Limit::Upto(*value));
                if stream.timeline.is_inherited() {
                    // What ran forked, and this is the child: it helps with nothing, and drops nothing of the parent's.
                    let _never_the_last_count = ManuallyDrop::new((Arc::clone(stream), chain));
                    let _left_alone = ManuallyDrop::new(helping);
                    return;
                }
                continue;
            }
            Claim::Parked(point) => point,
            Claim::Elsewhere => break,
        };
        match behind(&point) {
            Some(next) if chain.len() < LONGEST => {
                chain.push(std::mem::replace(&mut link, next));
            }
            _ => break,
        }
    }
}

/// A chain longer than this is left to the workers: it may be a cycle through the host.
const LONGEST: usize = 4096;

fn is_settled(stream: &HostStream, value: u64) -> bool {
    stream.timeline.completed() >= value || stream.timeline.has_failed()
}

enum Claim<'a> {
    /// The helper owns the stream now.
    Taken(MutexGuard<'a, Order>),
    /// The stream waits for this point.
    Parked(Point),
    /// Somebody else runs it, or it waits for time to pass.
    Elsewhere,
}

/// Takes a runnable stream, leaving its entry in the run queue behind.
fn try_claim(stream: &HostStream) -> Claim<'_> {
    let mut order = stream.order();
    if order.state == Turn::Parked {
        let Some(point) = order.parked_on() else { return Claim::Elsewhere };
        if matches!(point.timeline().state_of(point.value()), State::Pending) {
            return Claim::Parked(point);
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
