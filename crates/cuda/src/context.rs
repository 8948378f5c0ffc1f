//! What the streams, events and buffers of one context share: its pools, its threads, and whether it is broken.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use syncpoint_base::{PerProcess, Process};
use syncpoint_core::errands::Errands;
use syncpoint_core::hold::Domain;
use syncpoint_core::{Error, Result, work};

use crate::anchor::Anchors;
use crate::owner::Owner;
use crate::poller::{self, Poll};
use crate::pool::Pool;
use crate::reaper::{self, Remains};
use crate::staging::Staging;
use crate::stream::CudaStream;
use crate::sync::{Mutex, OnceLock, lock};
use crate::sys::{Delay, Event, Library, Meaning, Primary, Refusal, Stream, Timing, Way, Word};

/// A context that we opened. It ends when nobody has a device, stream, buffer or time of it.
#[derive(Debug)]
pub(crate) struct Context {
    name: String,
    process: Process,
    /// When its clock began.
    began: Instant,
    /// There until the drop.
    primary: Option<Primary>,
    /// A stream of our own, for what is no stream's of the user's.
    transfers: Option<Arc<Stream>>,
    way: Way,
    /// The first cause, where the context is broken for good.
    lost: Arc<OnceLock<Error>>,
    untimed: Pool,
    timed: Pool,
    /// Guards the list alone.
    stagings: Mutex<Vec<Staging>>,
    delay: OnceLock<Delay>,
    /// How long a stream may stand before a latch, where the device was opened with gates.
    gates: Option<Duration>,
    /// What keeps a context of others alive. There until the drop.
    owner: Option<Owner>,
    /// The words that no latch has. Guards the list alone.
    words: Mutex<Vec<Word>>,
    /// The streams of others, by what tells them apart. Guards the table alone.
    known: Mutex<HashMap<Identity, Weak<syncpoint_core::Stream>>>,
    /// Guards the names alone.
    anchors: Mutex<Anchors>,
    poller: Arc<Errands<Poll>>,
    reaper: Arc<Errands<Remains>>,
}

/// What tells one stream of the driver's from another: the driver's id, and of a default stream of a thread the thread.
pub(crate) type Identity = (u64, Option<ThreadId>);

/// The streams of all devices: each can wait for every other natively.
pub(crate) fn domain() -> &'static Arc<Domain<CudaStream>> {
    static DOMAIN: PerProcess<Arc<Domain<CudaStream>>> =
        PerProcess::new(|| Domain::new(work::devices()));
    &DOMAIN
}

impl Context {
    /// Opens the primary context of a device, whose number was checked.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn open(
        library: &'static Library,
        ordinal: u32,
        gates: Option<Duration>,
    ) -> Result<Arc<Self>> {
        let name = format!("cuda:{ordinal}");
        let retained = Primary::retain(library, ordinal);
        let primary =
            retained.map_err(|refusal| refusal.error(&name, code_name(library, &refusal)))?;
        Self::over(primary, name, gates, None)
    }

    /// Opens a context that is there: one that was retained, or one of others with what keeps it alive.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) fn over(
        primary: Primary,
        name: String,
        gates: Option<Duration>,
        owner: Option<Owner>,
    ) -> Result<Arc<Self>> {
        let library = primary.library();
        match Stream::create(&primary, 0) {
            Ok(transfers) => Ok(Arc::new(Self::with(primary, transfers, name, gates, owner))),
            Err(refusal) => {
                // What could not be opened is given back; that it could not is said already.
                let _unheard = primary.release();
                Err(refusal.error(&name, code_name(library, &refusal)))
            }
        }
    }

    fn with(
        primary: Primary,
        transfers: Stream,
        name: String,
        gates: Option<Duration>,
        owner: Option<Owner>,
    ) -> Self {
        Self {
            owner,
            process: Process::current(),
            began: Instant::now(),
            way: way_of(&primary),
            primary: Some(primary),
            transfers: Some(Arc::new(transfers)),
            lost: Arc::default(),
            untimed: Pool::new(Timing::Untimed),
            timed: Pool::new(Timing::Timed),
            stagings: Mutex::default(),
            delay: OnceLock::new(),
            gates,
            words: Mutex::default(),
            known: Mutex::default(),
            anchors: Mutex::default(),
            poller: Errands::new("syncpoint-cuda"),
            reaper: Errands::new("syncpoint-reap"),
            name,
        }
    }

    /// The name of the device, such as `cuda:0`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    pub(crate) fn primary(&self) -> &Primary {
        self.primary.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    /// The stream of our own.
    pub(crate) fn transfers(&self) -> &Arc<Stream> {
        self.transfers.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    /// How memory is allocated here.
    pub(crate) fn way(&self) -> Way {
        self.way
    }

    pub(crate) fn pool(&self, timing: Timing) -> &Pool {
        match timing {
            Timing::Timed => &self.timed,
            Timing::Untimed => &self.untimed,
        }
    }

    /// Gives an event back to its pool, unless somebody else has it too.
    pub(crate) fn give_back(&self, event: Arc<Event>) {
        self.pool(event.timing()).take_back(event);
    }

    /// How long a stream may stand before a latch; `None` where there are none.
    pub(crate) fn gates(&self) -> Option<Duration> {
        self.gates
    }

    pub(crate) fn words(&self) -> &Mutex<Vec<Word>> {
        &self.words
    }

    /// The streams of others that somebody has.
    pub(crate) fn known(&self) -> &Mutex<HashMap<Identity, Weak<syncpoint_core::Stream>>> {
        &self.known
    }

    pub(crate) fn stagings(&self) -> &Mutex<Vec<Staging>> {
        &self.stagings
    }

    /// The anchors of absolute times.
    pub(crate) fn anchors(&self) -> &Mutex<Anchors> {
        &self.anchors
    }

    /// The kernel that lets time pass, compiled at the first need, which comes before the lock of a stream is taken.
    pub(crate) fn delay(self: &Arc<Self>) -> Result<&Delay> {
        if self.delay.get().is_none() {
            // Outside the cell: it takes long, and may fail today and not tomorrow.
            let loaded = self.primary().unnoticed(|| Delay::load(self.primary()));
            let delay = loaded.map_err(|refusal| self.refused(&refusal))?;
            if let Err(second) = self.delay.set(delay) {
                self.reap(Remains::Delay(second));
            }
        }
        Ok(self.delay.get().unwrap_or_else(|| unreachable!("it was just set")))
    }

    /// Whether what is inside may be touched: it is of this process, and not broken.
    #[inline]
    pub(crate) fn is_usable(&self) -> bool {
        self.process.is_current() && self.lost.get().is_none()
    }

    /// Whether it is broken, for an anchor, which goes with the context and cannot ask it then.
    pub(crate) fn lost(&self) -> &Arc<OnceLock<Error>> {
        &self.lost
    }

    /// Refuses a context that is broken, with the first cause, before the driver is asked.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        self.lost.get().map_or(Ok(()), |first| Err(first.clone()))
    }

    /// The error of a call that was refused. One that breaks the context is the first cause of all later ones.
    #[cold]
    pub(crate) fn refused(self: &Arc<Self>, refusal: &Refusal) -> Error {
        if let Some(first) = self.lost.get() {
            return first.clone();
        }
        let meaning = if self.is_gone(refusal) { Meaning::Lost } else { refusal.meaning() };
        let name = code_name(self.primary().library(), refusal);
        let error = refusal.error_that_means(meaning, &self.name, name);
        if meaning == Meaning::Lost { self.lose(error) } else { error }
    }

    /// Whether what is ours is gone, because somebody has reset the device: then a stream that nobody else knows is no
    /// stream any more.
    fn is_gone(&self, refusal: &Refusal) -> bool {
        let is_idle = || self.primary().unnoticed(|| self.transfers().is_idle());
        refusal.is_of_context() && is_idle().is_err_and(|refusal| refusal.is_of_context())
    }

    /// The context is broken for good: everything of it that is not known complete fails, on the poller, since whoever
    /// finds it out may hold locks. Gives the first cause.
    #[cold]
    fn lose(self: &Arc<Self>, error: Error) -> Error {
        let first = self.lost.get_or_init(|| error.clone());
        if first.is_same(&error) {
            self.poll(Poll::Lose(Arc::clone(self), error));
        }
        first.clone()
    }

    /// Gives the poller something to do.
    pub(crate) fn poll(&self, poll: Poll) {
        self.poller.give(poll, poller::serve);
    }

    /// Gives the reaper something to end.
    pub(crate) fn reap(&self, remains: Remains) {
        self.reaper.give(remains, reaper::serve);
    }

    /// Drops what kept something of others alive, behind what used that. Theirs is not broken with the context.
    pub(crate) fn let_go(&self, owner: Owner) {
        if self.process.is_current() {
            self.reap(Remains::Owner(owner));
        }
    }

    /// Where an anchor leaves its event when it goes.
    pub(crate) fn reaper(&self) -> &Arc<Errands<Remains>> {
        &self.reaper
    }
}

/// Memory is freed in the order of a stream where the driver can.
fn way_of(primary: &Primary) -> Way {
    let library = primary.library();
    let in_order = primary.has_memory_pools()
        && library.has("cuMemAllocAsync")
        && library.has("cuMemFreeAsync");
    if in_order { Way::InOrder } else { Way::AtOnce }
}

fn code_name(library: &Library, refusal: &Refusal) -> Option<String> {
    refusal.code().and_then(|code| library.name_of(code))
}

/// Nobody has anything of it any more: what is left is ended by the reaper.
impl Drop for Context {
    fn drop(&mut self) {
        if self.is_usable() {
            self.end();
        } else if self.process.is_current() {
            self.end_broken();
        }
        if let Some(owner) = self.owner.take() {
            self.let_go(owner);
        }
    }
}

impl Context {
    fn end(&mut self) {
        let staged = std::mem::take(&mut *lock(&self.stagings));
        let anchors = std::mem::take(&mut *lock(&self.anchors));
        drop(anchors);
        if let Some(delay) = self.delay.take() {
            self.reap(Remains::Delay(delay));
        }
        let words = std::mem::take(&mut *lock(&self.words));
        if !words.is_empty() {
            self.reap(Remains::Words(words));
        }
        for event in self.untimed.empty().chain(self.timed.empty()) {
            self.reap(Remains::Event(event));
        }
        for staging in staged {
            self.reap(Remains::Staging(staging));
        }
        if let (Some(transfers), Some(primary)) = (self.transfers.take(), self.primary.take()) {
            self.reap(Remains::Context(transfers, primary));
        }
    }

    /// Of a context that is broken nothing can be ended, but it was retained, and would be kept for ever.
    fn end_broken(&mut self) {
        drop((self.transfers.take(), self.delay.take()));
        drop((std::mem::take(&mut *lock(&self.stagings)), std::mem::take(&mut *lock(&self.words))));
        drop((self.untimed.empty(), self.timed.empty(), std::mem::take(&mut *lock(&self.anchors))));
        if let Some(primary) = self.primary.take() {
            self.reap(Remains::Retention(primary));
        }
    }
}
