//! What the streams, events and buffers of one context share: its pools, its threads, and whether it is broken.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::PerProcess;
use syncpoint_core::contract::Owner;
use syncpoint_core::errands::Errands;
use syncpoint_core::hold::{Domain, Ground, HeldStream};
use syncpoint_core::{Error, Gate, Kind, Result, work};

use crate::anchor::Anchors;
use crate::asking::Asking;
use crate::event::Native;
use crate::keeper::{self, Failed};
use crate::latch::Deadline;
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
    /// An anchor, which goes with the context and cannot ask it then, has it too.
    ground: Arc<Ground>,
    /// When its clock began.
    began: Instant,
    /// There until the drop.
    primary: Option<Primary>,
    /// A stream of our own, for what is no stream's of the user's.
    transfers: Option<Arc<Stream>>,
    way: Way,
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
    /// Guards the names alone.
    anchors: Mutex<Anchors>,
    poller: Arc<Errands<Poll>>,
    /// Since when the poller is inside a question.
    asking: Asking,
    keeper: Arc<Errands<Deadline>>,
    /// Who tells the user's of what the keeper failed.
    teller: Arc<Errands<Failed>>,
    reaper: Arc<Errands<Remains>>,
}

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
            began: Instant::now(),
            way: way_of(&primary),
            primary: Some(primary),
            transfers: Some(Arc::new(transfers)),
            untimed: Pool::new(Timing::Untimed),
            timed: Pool::new(Timing::Timed),
            stagings: Mutex::default(),
            delay: OnceLock::new(),
            gates,
            words: Mutex::default(),
            anchors: Mutex::default(),
            poller: Errands::new("syncpoint-cuda"),
            asking: Asking::default(),
            keeper: Errands::new("syncpoint-gates"),
            teller: Errands::new("syncpoint-tell"),
            reaper: Errands::new("syncpoint-reap"),
            ground: Arc::new(Ground::new(name)),
        }
    }

    pub(crate) fn ground(&self) -> &Arc<Ground> {
        &self.ground
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

    /// Gives an event back to its pool, unless somebody else has it too: whoever is last gives it back.
    #[inline]
    pub(crate) fn give_back(&self, event: Arc<Event>) {
        if let Some(event) = Arc::into_inner(event) {
            self.take_back(event);
        }
    }

    #[cold]
    fn take_back(&self, event: Event) {
        self.pool(event.timing()).take_back(event);
    }

    /// Lends an event for the length of a call: meanwhile it is recorded by nobody.
    #[inline]
    pub(crate) fn lend<T>(&self, event: Arc<Event>, call: impl FnOnce(&Event) -> T) -> T {
        let outcome = call(&event);
        self.give_back(event);
        outcome
    }

    /// How long a stream may stand before a latch; `None` where there are none.
    pub(crate) fn gates(&self) -> Option<Duration> {
        self.gates
    }

    pub(crate) fn words(&self) -> &Mutex<Vec<Word>> {
        &self.words
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

    /// Whether it is broken.
    #[inline]
    pub(crate) fn is_lost(&self) -> bool {
        self.ground.is_lost()
    }

    /// Refuses a context that is broken, with the first cause, before the driver is asked. Somebody asks or waits: who
    /// waited before has heard nothing yet, where nobody could be made to tell them.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_lost() { self.refuse_lost() } else { Ok(()) }
    }

    #[cold]
    fn refuse_lost(&self) -> Result<()> {
        self.ground.check().inspect_err(|_lost| self.see_polled())
    }

    /// The error of a call that was refused. One that breaks the context is the first cause of all later ones.
    #[cold]
    pub(crate) fn refused(self: &Arc<Self>, refusal: &Refusal) -> Error {
        if let Err(first) = self.ground.check() {
            return first;
        }
        let meaning = if self.is_gone(refusal) { Meaning::Lost } else { refusal.meaning() };
        let name = code_name(self.primary().library(), refusal);
        let error = refusal.error_that_means(meaning, &self.name(), name);
        if meaning == Meaning::Lost { self.lose(error) } else { error }
    }

    /// The error of a wait that was refused, for a point of what may be another context: one that says that a context is broken
    /// may say so of either, which are asked.
    #[cold]
    pub(crate) fn refused_to_wait(self: &Arc<Self>, other: &Arc<Self>, refusal: &Refusal) -> Error {
        let is_theirs = refusal.meaning() == Meaning::Lost
            && !Arc::ptr_eq(other, self)
            && !self.is_broken_too()
            && other.is_broken_too();
        if is_theirs { other.refused(refusal) } else { self.refused(refusal) }
    }

    /// Whether what is ours is gone, because somebody has reset the device: then a stream that nobody else knows is no
    /// stream any more.
    fn is_gone(&self, refusal: &Refusal) -> bool {
        let is_idle = || self.primary().unnoticed(|| self.transfers().is_idle());
        refusal.is_of_context() && is_idle().is_err_and(|refusal| refusal.is_of_context())
    }

    /// Whether it is found to be broken as well, where a call that may be about another context was refused as one about a
    /// broken one is.
    #[cold]
    pub(crate) fn is_broken_too(&self) -> bool {
        let asked = self.primary().unnoticed(|| self.transfers().is_idle());
        asked.is_err_and(|refusal| refusal.meaning() == Meaning::Lost)
    }

    /// The context is broken for good: everything of it that is not known complete fails, on the poller, since whoever
    /// finds it out may hold locks. Gives the first cause.
    #[cold]
    fn lose(self: &Arc<Self>, error: Error) -> Error {
        let first = self.ground.lose(&error);
        if first.is_same(&error) {
            self.poll(Poll::Lose(Arc::clone(self), error));
        }
        first
    }

    /// Gives the poller something to do. Where none can be made it is kept for the next who [comes by](Self::see_polled).
    pub(crate) fn poll(&self, poll: Poll) {
        self.poller.give(poll, poller::serve);
    }

    /// The same of a stream that somebody waits for. Says whether there is a poller.
    pub(crate) fn watch(&self, stream: &Arc<HeldStream<CudaStream>>) -> bool {
        self.poller.give(Poll::Watch(Arc::clone(stream)), poller::serve)
    }

    /// Calls the poller for what was given while none could be made. One load where there is nothing of that.
    #[inline]
    pub(crate) fn see_polled(&self) {
        if !self.is_inherited() {
            self.poller.retry(poller::serve);
        }
    }

    /// Has a deadline kept, for a device that is about to depend on that. Its time runs from what the poller hears.
    ///
    /// # Errors
    /// `Exhausted`: no keeper can be made, or no poller.
    pub(crate) fn keep(&self, deadline: Deadline) -> Result<()> {
        let is_heard = self.poller.see_to(poller::serve);
        if is_heard && self.keeper.offer(deadline, keeper::serve).is_ok() {
            return Ok(());
        }
        Err(no_thread(format_args!("let {} go on at the deadline of device_gates", self.name())))
    }

    /// Has users told of a failure, on another thread than this one, which may have to let go what those who are told wait
    /// for. Where none can be made, on this one.
    pub(crate) fn tell(&self, failed: Failed) {
        if let Err(failed) = self.teller.offer(failed, keeper::tell_each) {
            keeper::tell(failed);
        }
    }

    /// Since when the poller is inside a question.
    pub(crate) fn asking(&self) -> &Asking {
        &self.asking
    }

    /// Has the poller settle a gate with an event that has no points.
    ///
    /// # Errors
    /// `Exhausted`: no poller can be made.
    pub(crate) fn watch_event(&self, native: Native, gate: Gate) -> Result<()> {
        let given = self.poller.offer(Poll::Event(native, gate), poller::serve);
        given.map_err(|_unwatched| {
            no_thread(format_args!("find out when an event of {} has come", self.name()))
        })
    }

    /// Gives the reaper something to end.
    pub(crate) fn reap(&self, remains: Remains) {
        self.reaper.give(remains, reaper::serve);
    }

    /// Drops what kept something of others alive, behind what used that. Theirs is not broken with the context.
    pub(crate) fn let_go(&self, owner: Owner) {
        if !self.is_inherited() {
            self.reap(Remains::Owner(owner));
        }
    }

    /// Where an anchor leaves its event when it goes.
    pub(crate) fn reaper(&self) -> &Arc<Errands<Remains>> {
        &self.reaper
    }
}

#[cold]
fn no_thread(to: fmt::Arguments<'_>) -> Error {
    let message =
        format!("no thread could be made to {to}; let other threads end, or raise the limit");
    Error::new(Kind::Exhausted, message)
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

impl Deref for Context {
    type Target = Ground;

    #[inline]
    fn deref(&self) -> &Ground {
        &self.ground
    }
}

/// Nobody has anything of it any more: what is left is ended by the reaper.
impl Drop for Context {
    fn drop(&mut self) {
        if self.is_usable() {
            self.end();
        } else if !self.is_inherited() {
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
