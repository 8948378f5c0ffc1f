//! What the streams and buffers of one device share: its calls, its threads, and whether it is lost.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use syncpoint_core::contract::Ours;
use syncpoint_core::errands::Errands;
use syncpoint_core::hold::{Domain, Ground};
use syncpoint_core::{Error, work};

use crate::bytes::Kernels;
use crate::calls::{Calls, Killed};
use crate::code::Meaning;
use crate::handover::{self, Heard};
use crate::own::Own;
use crate::stream::MetalStream;

/// A device. It ends when nobody has a device, stream or buffer of it.
#[derive(Debug)]
pub(crate) struct Context<C: Calls> {
    ground: Ground,
    calls: Own<C, C>,
    kernels: Kernels<C>,
    limits: Limits,
    /// The streams of the device, which alone wait for each other natively.
    domain: Arc<Domain<MetalStream<C>>>,
    heard: Arc<Errands<Heard<C>>>,
}

/// How much of a device is used at a time.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by tests; outside the semver promise")]
pub struct Limits {
    /// How many command buffers of one stream are on their way at a time. A queue of Metal's has 64 by default, and more
    /// on request; each takes some memory of the driver's.
    pub most: usize,
    /// How long an operation waits for room before it is refused.
    pub patience: Duration,
}

impl Default for Limits {
    /// Four times as many as Metal's own default, because each operation is a command buffer. Thirty seconds are longer
    /// than watchdogs let one command buffer compute: where nothing ends for so long, nothing will soon.
    fn default() -> Self {
        Self { most: 256, patience: Duration::from_secs(30) }
    }
}

impl<C: Calls> Context<C> {
    pub(crate) fn over(name: String, calls: C, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            ground: Ground::new(name),
            calls: Own::new(calls),
            kernels: Kernels::new(),
            limits,
            domain: Domain::new(work::devices()),
            heard: Errands::new("syncpoint-metal"),
        })
    }

    pub(crate) fn calls(&self) -> &C {
        &self.calls
    }

    pub(crate) fn kernels(&self) -> &Kernels<C> {
        &self.kernels
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn domain(&self) -> &Arc<Domain<MetalStream<C>>> {
        &self.domain
    }

    /// The error of a command buffer that was killed. One that says that the device is gone is the first cause of all
    /// later ones, and everything of the device that is not known complete fails with it.
    #[cold]
    pub(crate) fn killed(&self, killed: &Killed, ours: Ours) -> Error {
        let error = killed.error(self.name());
        if killed.meaning() != Meaning::Lost {
            return error;
        }
        let first = self.lose(&error);
        if first.is_same(&error) {
            // Before wakers: whoever waits on a device for the streams may be what a waker waits for.
            let let_go = || self.domain.streams().iter().for_each(|each| each.driver().let_go());
            self.domain.lose_then(|_stream| true, &error, let_go);
            // Where a waker forked, the streams are the parent's.
            ours.go_on();
        }
        first
    }

    /// The thread that hears of ends. Where none can be made, what it is given stays on the list.
    pub(crate) fn heard(&self) -> &Arc<Errands<Heard<C>>> {
        &self.heard
    }

    /// Has a thread made for what was heard while none could be.
    pub(crate) fn hear_again(&self) {
        self.heard.retry(handover::serve);
    }
}

impl<C: Calls> Deref for Context<C> {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}
