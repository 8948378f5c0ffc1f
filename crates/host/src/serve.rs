//! How the workers of core serve the host's streams: one pool for each device.

use std::sync::Arc;

use syncpoint_core::contract::{Hand, Pool, Seat, Serve};
use syncpoint_core::work;

use crate::clock::HostClock;
use crate::stream::HostStream;
use crate::sync::{LocalKey, local};
use crate::timer::Timer;
use crate::turn::{self, Limit};

/// The workers of a device, and what its streams share.
pub(crate) type Scheduler = Pool<HostStream>;

/// What the streams of a device share besides its workers.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: HostClock,
    pub(crate) timer: Timer,
    /// How many items a stream holds at most.
    pub(crate) bound: u64,
}

impl Shared {
    pub(crate) fn new(clock: HostClock, bound: u64) -> Self {
        Self { clock, timer: Timer::default(), bound }
    }
}

local! {
    /// What this thread has set free and not yet passed on.
    static HAND: Hand<HostStream> = Hand::new();
}

impl Serve for HostStream {
    type Shared = Shared;

    const THREADS: &'static str = "syncpoint-host";

    fn pool(&self) -> &Arc<Pool<Self>> {
        &self.scheduler
    }

    fn level(&self) -> usize {
        work::level_of(self.priority, work::priorities())
    }

    fn is_still_needed(&self) -> bool {
        self.order().is_still_runnable()
    }

    /// A helper may have been quicker.
    fn serve(this: &Arc<Self>, seat: &Seat<Self>) -> bool {
        let mut order = this.order();
        order.listed = false;
        let Some(order) = turn::claim(order) else { return false };
        turn::run(this, order, Limit::Fair(seat));
        true
    }

    fn hand() -> &'static LocalKey<Hand<Self>> {
        &HAND
    }
}
