//! Contexts: their fate, their streams, and the order that the legacy stream keeps with the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use syncpoint_core::{Point, Stream};

use crate::capture::Capture;
use crate::channel::Channels;
use crate::code::{Code, Result};
use crate::current;
use crate::driver::Driver;
use crate::lane::{Kind, Lane, wait};
use crate::pretence;
use crate::sync::lock;
use crate::table::{Handle, next_handle};

/// How a context came to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// A program made it.
    Created,
    /// It is the primary one of its device, under the handle that it always has.
    Primary(Handle),
    /// It belongs to a green context, beside the primary one.
    Green { green: Handle, primary: Handle },
}

/// One context.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) handle: Handle,
    /// Never used again, also where the handle of a primary context is.
    pub(crate) id: u64,
    pub(crate) device: i32,
    origin: Origin,
    flags: AtomicU32,
    fate: Mutex<Option<Code>>,
    legacy: Arc<Lane>,
    host: syncpoint_core::Device,
    /// The default stream of each thread that has used its own.
    own: Mutex<BTreeMap<u64, Arc<Lane>>>,
    order: Mutex<Order>,
    /// Guards which comes next.
    channels: Mutex<Channels>,
    peers: Mutex<BTreeSet<Handle>>,
}

/// Held while an operation is given to a stream that keeps order with the legacy stream, or to that one.
#[derive(Debug, Default)]
struct Order {
    /// The streams besides the legacy one.
    lanes: Vec<Weak<Lane>>,
    /// The ends of streams that are destroyed, until they have come.
    departed: Vec<(Kind, Point)>,
    /// What is gone is swept when there is so much, so that each stream that comes or goes costs little.
    sweep_at: usize,
}

impl Order {
    fn sweep(&mut self) {
        self.lanes.retain(|lane| lane.strong_count() > 0);
        self.departed.retain(|(_, point)| !point.query().unwrap_or(true));
        self.sweep_at = 2 * (self.lanes.len() + self.departed.len());
    }

    fn sweep_in_time(&mut self) {
        /// So little is never swept for its own sake.
        const LITTLE: usize = 64;
        if self.lanes.len() + self.departed.len() >= self.sweep_at.max(LITTLE) {
            self.sweep();
        }
    }

    /// The ends of the work so far, of the streams of which this holds.
    fn ends(&mut self, is_meant: impl Fn(Kind) -> bool) -> Result<Vec<Point>> {
        self.sweep();
        let lanes = self.lanes.iter().filter_map(Weak::upgrade);
        let mut ends = Vec::new();
        for lane in lanes.filter(|lane| is_meant(lane.kind)) {
            ends.push(lane.queue.record()?);
        }
        let departed = self.departed.iter().filter(|(kind, _)| is_meant(*kind));
        ends.extend(departed.map(|(_, point)| point.clone()));
        Ok(ends)
    }
}

fn keeps_order(kind: Kind) -> bool {
    kind == Kind::Blocking
}

impl Context {
    pub(crate) fn new(
        driver: &Driver,
        device: i32,
        flags: u32,
        origin: Origin,
    ) -> Result<Arc<Self>> {
        let handle = match origin {
            Origin::Primary(handle) => handle,
            Origin::Created | Origin::Green { .. } => next_handle(),
        };
        let legacy = Lane::new(&driver.host, handle, Kind::Legacy, 0)?;
        Ok(Arc::new(Self {
            handle,
            id: next_handle(),
            device,
            origin,
            flags: AtomicU32::new(flags),
            fate: Mutex::new(None),
            legacy: Arc::new(legacy),
            host: driver.host.clone(),
            own: Mutex::default(),
            order: Mutex::default(),
            channels: Mutex::default(),
            peers: Mutex::default(),
        }))
    }

    pub(crate) fn is_primary(&self) -> bool {
        matches!(self.origin, Origin::Primary(_))
    }

    /// The handle of the green context that this is the context of.
    pub(crate) fn green(&self) -> Option<Handle> {
        match self.origin {
            Origin::Green { green, .. } => Some(green),
            Origin::Created | Origin::Primary(_) => None,
        }
    }

    /// The context that counts where events and streams have to be of the same: of a green one, the primary one.
    pub(crate) fn family(&self) -> Handle {
        match self.origin {
            Origin::Green { primary, .. } => primary,
            Origin::Created | Origin::Primary(_) => self.handle,
        }
    }

    /// What has become of the context: an error stays, and every call meets it.
    pub(crate) fn check(&self) -> Result {
        lock(&self.fate).map_or(Ok(()), Err)
    }

    /// Breaks the context for good. The first cause stays; what stalls goes on, and does nothing any more.
    pub(crate) fn breaks(&self, code: Code) {
        lock(&self.fate).get_or_insert(code);
        let lanes = lock(&self.order).lanes.clone();
        for lane in lanes.iter().filter_map(Weak::upgrade) {
            lane.release();
        }
    }

    /// The context is destroyed.
    pub(crate) fn end(&self) {
        self.breaks(Code::CONTEXT_IS_DESTROYED);
    }

    pub(crate) fn flags(&self) -> u32 {
        // Relaxed: a number, ordered with nothing.
        self.flags.load(Ordering::Relaxed)
    }

    pub(crate) fn set_flags(&self, flags: u32) {
        // Relaxed: as in `flags`.
        self.flags.store(flags, Ordering::Relaxed);
    }

    /// The stream that all threads share.
    pub(crate) fn legacy(&self) -> Arc<Lane> {
        Arc::clone(&self.legacy)
    }

    /// The default stream of the calling thread, made at its first use.
    pub(crate) fn own_default(&self) -> Result<Arc<Lane>> {
        let thread = current::thread()?;
        let mut own = lock(&self.own);
        if let Some(lane) = own.get(&thread) {
            return Ok(Arc::clone(lane));
        }
        let lane = self.make_lane(Kind::Blocking, 0)?;
        own.insert(thread, Arc::clone(&lane));
        Ok(lane)
    }

    /// A new stream of the context.
    pub(crate) fn make_lane(&self, kind: Kind, priority: i32) -> Result<Arc<Lane>> {
        let shared = pretence::setting(|settings| settings.queues);
        let channel = shared.map(|count| lock(&self.channels).next(count));
        let lane = Lane::new(&self.host, self.handle, kind, priority)?.sharing(channel);
        let lane = Arc::new(lane);
        let mut order = lock(&self.order);
        order.sweep_in_time();
        order.lanes.push(Arc::downgrade(&lane));
        drop(order);
        Ok(lane)
    }

    /// A stream is destroyed; what it was given goes on.
    pub(crate) fn depart(&self, lane: &Lane) -> Result {
        let end = lane.queue.record()?;
        let mut order = lock(&self.order);
        order.sweep_in_time();
        order.departed.push((lane.kind, end));
        Ok(())
    }

    /// Gives something to a stream, behind what the legacy stream and the others owe each other: a blocking stream
    /// comes after everything given to the legacy stream, and that one after everything given to blocking streams.
    pub(crate) fn in_order<T>(
        &self,
        lane: &Lane,
        give: impl FnOnce(&Stream) -> Result<T>,
    ) -> Result<T> {
        if lane.kind == Kind::NonBlocking {
            return give(&lane.queue);
        }
        let mut order = lock(&self.order);
        if lane.kind == Kind::Legacy {
            for end in order.ends(keeps_order)? {
                lane.queue.wait(&end)?;
            }
        } else {
            lane.queue.wait(&self.legacy.queue.record()?)?;
        }
        give(&lane.queue)
    }

    /// The ends of everything that a stream has been given: of the legacy stream also what blocking streams have.
    pub(crate) fn ends(&self, lane: &Lane) -> Result<Vec<Point>> {
        let mut ends = vec![lane.queue.record()?];
        if lane.kind == Kind::Legacy {
            ends.extend(lock(&self.order).ends(keeps_order)?);
        }
        Ok(ends)
    }

    /// Waits until every stream of the context has come to its end.
    pub(crate) fn synchronize(&self) -> Result {
        let mut ends = vec![self.legacy.queue.record()?];
        ends.extend(lock(&self.order).ends(|_| true)?);
        ends.iter().try_for_each(wait)?;
        self.check()
    }

    /// The capture of a blocking stream, which the legacy stream would have to wait for: it cannot be used meanwhile.
    pub(crate) fn implied_capture(&self, lane: &Lane) -> Option<Arc<Capture>> {
        if lane.kind != Kind::Legacy {
            return None;
        }
        let lanes = lock(&self.order).lanes.clone();
        let lanes = lanes.iter().filter_map(Weak::upgrade);
        lanes.filter(|lane| keeps_order(lane.kind)).find_map(|lane| lane.capture())
    }

    pub(crate) fn enable_peer(&self, peer: Handle) -> Result {
        let is_new = lock(&self.peers).insert(peer);
        if is_new { Ok(()) } else { Err(Code::PEER_ACCESS_ALREADY_ENABLED) }
    }

    pub(crate) fn disable_peer(&self, peer: Handle) -> Result {
        let was_there = lock(&self.peers).remove(&peer);
        if was_there { Ok(()) } else { Err(Code::PEER_ACCESS_NOT_ENABLED) }
    }
}
