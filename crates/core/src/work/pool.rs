//! A pool: the run queue and the crew that serves it, behind one lock.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Serve;
use super::ready::Ready;
use super::seat::Seat;
use super::watch::Watch;
use super::worker;
use crate::error::{Error, Kind, Result};
use crate::sync::{
    self, AtomicBool, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, lock,
};

/// Workers and the streams that they serve.
#[derive(Debug)]
pub struct Pool<S: Serve + ?Sized> {
    /// Guards the run queue and the numbers of the crew. Taken under no other lock but an order lock; nothing of the
    /// user's runs under it.
    crew: Mutex<Crew<S>>,
    /// Workers without work sleep here.
    work: Condvar,
    /// Whoever shuts down waits here for workers to end their items.
    quiet: Condvar,
    /// Whether a worker was ever made: the one thing that an enqueue looks at.
    started: AtomicBool,
    /// How many streams are listed: a hint for owners that might give way.
    waiting: AtomicUsize,
    /// Whether one of them is urgent: a hint for workers that would serve their own tray first.
    urgent: AtomicBool,
    /// Whether somebody comes when a worker calls: one that sleeps, or one more.
    answers: AtomicBool,
    /// How many submissions in a row were taken by helpers.
    helped: AtomicU64,
    /// How many turns helpers run now, times two, and in the lowest bit whether the pool is closed. In one word, so that
    /// either the last helper sees that somebody waits for it, or who waits sees that it is done.
    helping: AtomicUsize,
    watch: Watch,
    base: usize,
    shared: S::Shared,
}

/// The run queue and who serves it.
#[derive(Debug)]
pub(super) struct Crew<S: Serve + ?Sized> {
    pub(super) ready: Ready<S>,
    /// Workers that live.
    pub(super) workers: usize,
    /// Workers that sleep or nap.
    pub(super) idle: usize,
    /// Of those, the ones whose sleep is short.
    pub(super) napping: usize,
    /// Workers that wait inside this library, in work.
    pub(super) blocked: usize,
    /// Whether a worker was woken and has not come yet: one wake at a time, or a burst wakes everybody.
    pub(super) waking: bool,
    /// No item is begun any more.
    pub(super) closing: bool,
    /// Nobody will enqueue any more: workers without work leave.
    pub(super) orphaned: bool,
    pub(super) seats: Vec<Arc<Seat<S>>>,
    /// How many streams in a row were taken off the run queue, while trays were left alone.
    pub(super) listed_in_row: u32,
}

/// At most this many workers live: blocking work beyond it waits.
const MOST_WORKERS: usize = 512;

/// One helper in the word of helpers, and the bit of a closed pool.
const ONE_HELPER: usize = 2;
const CLOSED: usize = 1;

/// After this many submissions in a row that helpers took, an enqueue leaves a napping worker alone.
const LAZY_AFTER: u64 = if cfg!(syncpoint_loom) { 1 } else { 8 };

impl<S: Serve + ?Sized> Pool<S> {
    /// A pool without threads.
    pub fn new(shared: S::Shared) -> Arc<Self> {
        let base = thread::available_parallelism().map_or(1, NonZero::get);
        Arc::new(Self {
            crew: Mutex::new(Crew::default()),
            work: Condvar::new(),
            quiet: Condvar::new(),
            started: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            urgent: AtomicBool::new(false),
            answers: AtomicBool::new(true),
            helped: AtomicU64::new(0),
            helping: AtomicUsize::new(0),
            watch: Watch::default(),
            base,
            shared,
        })
    }

    /// What the streams of this pool share besides it.
    #[inline]
    pub fn shared(&self) -> &S::Shared {
        &self.shared
    }

    pub(super) fn crew(&self) -> MutexGuard<'_, Crew<S>> {
        lock(&self.crew)
    }

    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// How many workers are there without being asked for.
    pub(super) fn base(&self) -> usize {
        self.base
    }

    /// Whether other streams are ready, as far as is known.
    pub fn has_waiting(&self) -> bool {
        // Relaxed: a hint; the lock decides.
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Lists a stream that was just marked as listed, and sees to it that somebody comes.
    pub fn submit(self: &Arc<Self>, stream: Arc<S>) {
        let mut crew = self.crew();
        crew.ready.push(stream);
        self.hint(&crew);
        self.call_for_help(crew);
    }

    /// Lists several.
    pub fn submit_all(self: &Arc<Self>, streams: impl Iterator<Item = Arc<S>>) {
        let mut crew = self.crew();
        for stream in streams {
            crew.ready.push(stream);
        }
        self.hint(&crew);
        self.call_for_help(crew);
    }

    /// Whether an urgent stream is listed, as far as is known.
    pub(super) fn has_urgent(&self) -> bool {
        // Relaxed: as in `has_waiting`.
        self.urgent.load(Ordering::Relaxed)
    }

    /// Keeps the hints in step with the run queue.
    pub(super) fn hint(&self, crew: &Crew<S>) {
        // Relaxed: as in `has_waiting`. Two stores only where they change something: each takes the line from its readers.
        self.waiting.store(crew.ready.len(), Ordering::Relaxed);
        if self.has_urgent() != crew.ready.has_urgent() {
            self.urgent.store(crew.ready.has_urgent(), Ordering::Relaxed);
        }
    }

    /// Says whether a call would be answered, after the numbers of the crew have changed.
    pub(super) fn note_crew(&self, crew: &Crew<S>) {
        // Relaxed: who is about to sleep says so before it looks on the trays, under their locks; so whoever has put
        // something there unseen sees it said (`offer`).
        self.answers.store(crew.idle > 0 || crew.lacks(self.base) > 0, Ordering::Relaxed);
    }

    /// Calls somebody for what lies on the tray of a worker, which is about to run a function of the user's.
    #[inline]
    pub fn offer(self: &Arc<Self>, seat: &Seat<S>) {
        if seat.has_waiting() {
            self.call();
        }
    }

    fn call(self: &Arc<Self>) {
        // Relaxed: as in `note_crew`.
        if self.answers.load(Ordering::Relaxed) {
            self.pass_on(self.crew());
        } else {
            self.watch.arm(self);
        }
    }

    /// Wakes a sleeping worker, or brings a new one, or arms the watch.
    fn call_for_help(self: &Arc<Self>, crew: MutexGuard<'_, Crew<S>>) {
        if crew.idle > 0 {
            let lazy = crew.napping > 0 && self.is_lazy();
            if !lazy {
                self.wake(crew);
            }
        } else {
            self.reinforce(crew);
        }
    }

    /// Nobody is idle: brings a new worker, or has the watch look whether those who work are stuck.
    fn reinforce(self: &Arc<Self>, crew: MutexGuard<'_, Crew<S>>) {
        if crew.lacks(self.base) > 0 {
            self.bring(crew);
        } else {
            drop(crew);
            self.watch.arm(self);
        }
    }

    /// Whether helpers have taken everything of late, so that a worker would only get in their way.
    pub(super) fn is_lazy(&self) -> bool {
        // Relaxed: a guess; a nap is short.
        self.helped.load(Ordering::Relaxed) >= LAZY_AFTER
    }

    /// A helper is about to take what was submitted, and runs such for as long as the answer lives. Called under the order
    /// lock of the stream, so that who cancels the stream finds either the helper or nothing that it could begin.
    pub fn help(&self) -> Helping<'_, S> {
        // Relaxed: the lock orders it before whoever closes the pool.
        self.helping.fetch_add(ONE_HELPER, Ordering::Relaxed);
        Helping(self)
    }

    fn is_helped_now(&self) -> bool {
        // Acquire: pairs with the release of the last helper; what it ran is visible.
        self.helping.load(Ordering::Acquire) >= ONE_HELPER
    }

    /// A worker found something that no helper had taken.
    pub(super) fn note_unhelped(&self) {
        // Relaxed: as in `is_lazy`.
        self.helped.store(0, Ordering::Relaxed);
    }

    pub(super) fn helped(&self) -> u64 {
        // Relaxed: as in `is_lazy`.
        self.helped.load(Ordering::Relaxed)
    }

    /// Wakes one worker, unless one is on its way: once the lock is released, or it would wake to find it taken.
    fn wake(&self, mut crew: MutexGuard<'_, Crew<S>>) {
        let is_first = !std::mem::replace(&mut crew.waking, true);
        drop(crew);
        if is_first {
            self.work.notify_one();
        }
    }

    /// Somebody is about to sleep until something completes: nothing may wait for the end of a nap.
    pub fn kick(self: &Arc<Self>) {
        self.pass_on(self.crew());
    }

    /// Sees to it that somebody comes for what is ready beside the stream that the caller took: whoever submitted it
    /// may have counted on the caller, who was idle then.
    pub(super) fn pass_on(self: &Arc<Self>, crew: MutexGuard<'_, Crew<S>>) {
        if !crew.has_waiting() {
            return;
        }
        if crew.idle > 0 {
            self.wake(crew);
        } else {
            self.reinforce(crew);
        }
    }

    /// Sees to it that there is a worker at all: the first need makes the first thread.
    ///
    /// # Errors
    /// `Exhausted` where the thread cannot be made; `Failed` once the pool was closed.
    #[inline]
    pub fn ensure_worker(self: &Arc<Self>) -> Result<()> {
        // Acquire: pairs with the release in `first_worker`; only the fact matters.
        if self.started.load(Ordering::Acquire) { Ok(()) } else { self.first_worker() }
    }

    /// Under the lock until it is done: who comes beside it must not count on a worker that cannot be made.
    #[cold]
    fn first_worker(self: &Arc<Self>) -> Result<()> {
        let mut crew = self.crew();
        if crew.closing {
            return Err(Error::failed("the device was shut down; open it anew"));
        }
        if crew.workers == 0 {
            let seat = crew.seat();
            self.hire(&seat).map_err(|error| {
                crew.leave(&seat);
                no_thread(error)
            })?;
            self.note_crew(&crew);
        }
        self.started.store(true, Ordering::Release);
        drop(crew);
        Ok(())
    }

    /// Brings one more worker, if one may be brought. Where it cannot be made the watch tries again: those who live may
    /// all be blocked.
    pub(super) fn bring(self: &Arc<Self>, mut crew: MutexGuard<'_, Crew<S>>) {
        if crew.workers >= MOST_WORKERS || crew.closing {
            return;
        }
        let seat = crew.seat();
        self.note_crew(&crew);
        // Making a thread takes long: those who work must not wait for it.
        drop(crew);
        if self.hire(&seat).is_err() {
            self.leave(&seat);
            self.watch.arm(self);
        }
    }

    /// Makes the worker of a seat.
    fn hire(self: &Arc<Self>, seat: &Arc<Seat<S>>) -> std::io::Result<()> {
        let (pool, seat) = (Arc::clone(self), Arc::clone(seat));
        // The worker ends by itself.
        sync::spawn(S::THREADS, move || worker::work(&pool, &seat))
    }

    /// Sleeps until there is work, or for at most `longest`.
    pub(super) fn sleep<'a>(
        &'a self,
        crew: MutexGuard<'a, Crew<S>>,
        longest: Option<Duration>,
    ) -> MutexGuard<'a, Crew<S>> {
        match longest {
            None => sync::wait(&self.work, crew),
            Some(longest) => sync::nap(&self.crew, &self.work, crew, longest),
        }
    }

    /// Nobody will enqueue any more. What is queued or parked still runs: a stream that is woken brings a worker, and
    /// workers without work leave.
    pub fn orphan(&self) {
        self.crew().orphaned = true;
        self.work.notify_all();
    }

    /// Begins no item any more, and wakes every worker so that it ends.
    pub fn close(&self) {
        // Release and acquire: pair with those of a helper that ends.
        self.helping.fetch_or(CLOSED, Ordering::AcqRel);
        let mut crew = self.crew();
        crew.closing = true;
        self.started.store(false, Ordering::Release);
        // Nobody will serve them, and they hold the pool.
        let ready = std::mem::take(&mut crew.ready);
        self.hint(&crew);
        drop(crew);
        drop(ready);
        self.work.notify_all();
    }

    /// A worker has ended.
    pub(super) fn leave(&self, seat: &Arc<Seat<S>>) {
        let mut crew = self.crew();
        crew.leave(seat);
        self.note_crew(&crew);
        drop(crew);
        self.quiet.notify_all();
    }

    /// Waits for all workers of a closed pool to end, and for helpers to end their turns, at most this long. Says whether
    /// they have.
    pub fn wait_for_quiet(&self, longest: Duration) -> bool {
        let until = Instant::now().checked_add(longest);
        let mut crew = self.crew();
        while crew.workers > 0 || self.is_helped_now() {
            let left =
                until.map_or(longest, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            crew = sync::wait_at_most(&self.quiet, crew, left);
        }
        true
    }
}

/// A turn that a helper runs, until it is dropped.
#[derive(Debug)]
#[must_use = "the turns count as running only while this lives"]
pub struct Helping<'a, S: Serve + ?Sized>(&'a Pool<S>);

impl<S: Serve + ?Sized> Helping<'_, S> {
    /// The helper took a stream.
    pub fn note_taken(&self) {
        // Relaxed: as in `is_lazy`.
        self.0.helped.fetch_add(1, Ordering::Relaxed);
    }
}

impl<S: Serve + ?Sized> Drop for Helping<'_, S> {
    fn drop(&mut self) {
        // Release and acquire: pair with those of whoever closes the pool and of whoever waits for it to be quiet.
        if self.0.helping.fetch_sub(ONE_HELPER, Ordering::AcqRel) & CLOSED != 0 {
            // Under the lock nobody is between the look and the sleep.
            drop(self.0.crew());
            self.0.quiet.notify_all();
        }
    }
}

impl<S: Serve + ?Sized> Crew<S> {
    /// How many workers are missing that would be there without being asked for.
    fn lacks(&self, base: usize) -> usize {
        base.saturating_sub(self.workers.saturating_sub(self.blocked))
    }

    /// How many streams are listed or lie on trays, as far as is known.
    pub(super) fn waiting(&self) -> usize {
        self.ready.len() + self.seats.iter().map(|seat| seat.tray.len()).sum::<usize>()
    }

    fn has_waiting(&self) -> bool {
        self.ready.len() > 0 || self.seats.iter().any(|seat| seat.has_waiting())
    }

    /// Takes half of what lies on the first tray that is not empty.
    pub(super) fn take_off_a_tray(&self) -> VecDeque<Arc<S>> {
        let taken = self.seats.iter().map(|seat| seat.tray.take_half());
        taken.into_iter().find(|taken| !taken.is_empty()).unwrap_or_default()
    }

    /// Counts one more worker, about to be made, and gives it its seat.
    fn seat(&mut self) -> Arc<Seat<S>> {
        let seat = Arc::new(Seat::default());
        self.workers += 1;
        self.seats.push(Arc::clone(&seat));
        seat
    }

    fn leave(&mut self, seat: &Arc<Seat<S>>) {
        self.workers -= 1;
        self.seats.retain(|other| !Arc::ptr_eq(other, seat));
    }
}

impl<S: Serve + ?Sized> Default for Crew<S> {
    fn default() -> Self {
        Self {
            ready: Ready::default(),
            workers: 0,
            idle: 0,
            napping: 0,
            blocked: 0,
            waking: false,
            closing: false,
            orphaned: false,
            seats: Vec::new(),
            listed_in_row: 0,
        }
    }
}

#[cold]
fn no_thread(error: std::io::Error) -> Error {
    let message =
        "the first worker of the device cannot be made; free threads or memory and try again";
    Error::new(Kind::Exhausted, message).caused_by(error)
}

#[cfg(syncpoint_loom)]
#[expect(clippy::expect_used, reason = "a model is a test")]
impl<S: Serve + ?Sized> Pool<S> {
    /// A pool without a watch, since a thread that never ends is in no model.
    pub fn modelled(shared: S::Shared, base: usize) -> Arc<Self> {
        Self::with(shared, base, Watch::armed())
    }

    /// A pool with a watch that the model itself stands in for.
    pub fn watched(shared: S::Shared, base: usize) -> Arc<Self> {
        Self::with(shared, base, Watch::asleep())
    }

    fn with(shared: S::Shared, base: usize, watch: Watch) -> Arc<Self> {
        let mut pool = Self::new(shared);
        let own = Arc::get_mut(&mut pool).expect("nobody else has it yet");
        (own.base, own.watch) = (base, watch);
        pool
    }

    /// A worker that a model brought has ended.
    pub fn end_worker(&self) {
        self.leave(&Arc::default());
    }

    /// Takes a stream off the run queue, as a worker does.
    pub fn wait_for_work(self: &Arc<Self>) -> Option<Arc<S>> {
        worker::wait_for_work(self, &Arc::default())
    }

    /// Counts workers that a model brings itself.
    pub fn count_workers(&self, workers: usize) {
        let mut crew = self.crew();
        crew.workers = workers;
        self.note_crew(&crew);
        drop(crew);
        self.started.store(true, Ordering::Release);
    }
}
