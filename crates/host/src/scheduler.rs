//! The scheduler: the run queue and the crew that serves it, behind one lock.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint_core::{Error, Kind, Result};

use crate::clock::HostClock;
use crate::ready::Ready;
use crate::stream::HostStream;
use crate::sync::{
    self, AtomicBool, AtomicU64, AtomicUsize, Builder, Condvar, Mutex, MutexGuard, Ordering, lock,
};
use crate::timer::Timer;
use crate::watch::Watch;
use crate::worker;

/// What all streams of a device share.
#[derive(Debug)]
pub(crate) struct Scheduler {
    /// Guards the run queue and the numbers of the crew. Taken under no other lock; nothing of the user's runs under
    /// it.
    crew: Mutex<Crew>,
    /// Workers without work sleep here.
    work: Condvar,
    /// Whoever shuts down waits here for workers to end their items.
    quiet: Condvar,
    /// Whether a worker was ever made: the one thing that an enqueue looks at.
    started: AtomicBool,
    /// How many streams are ready: a hint for owners that might give way.
    waiting: AtomicUsize,
    /// How many submissions in a row were taken by helpers.
    helped: AtomicU64,
    clock: HostClock,
    timer: Timer,
    watch: Watch,
    base: usize,
    bound: u64,
}

/// The run queue and who serves it.
#[derive(Debug, Default)]
pub(crate) struct Crew {
    pub(crate) ready: Ready,
    /// Workers that live.
    pub(crate) workers: usize,
    /// Workers that sleep or nap.
    pub(crate) idle: usize,
    /// Of those, the ones whose sleep is short.
    pub(crate) napping: usize,
    /// Workers that wait inside this library, in work.
    pub(crate) blocked: usize,
    /// Whether a worker was woken and has not come yet: one wake at a time, or a burst wakes everybody.
    pub(crate) waking: bool,
    /// No item is begun any more.
    pub(crate) closing: bool,
    pub(crate) seats: Vec<Arc<Seat>>,
}

/// Where a worker shows that it moves.
#[derive(Debug, Default)]
pub(crate) struct Seat(AtomicU64);

impl Seat {
    /// The worker begins something.
    pub(crate) fn tick(&self) {
        // Relaxed: only the watch reads it, and only for change.
        self.0.store(self.0.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn ticks(&self) -> u64 {
        // Relaxed: as in `tick`.
        self.0.load(Ordering::Relaxed)
    }
}

/// At most this many workers live: blocking work beyond it waits (DESIGN 5.1, rule 5).
pub(crate) const MOST_WORKERS: usize = 512;

/// After this many submissions in a row that helpers took, an enqueue leaves a napping worker alone.
const LAZY_AFTER: u64 = if cfg!(syncpoint_loom) { 1 } else { 8 };

impl Scheduler {
    pub(crate) fn new(clock: HostClock, bound: u64) -> Arc<Self> {
        let base = thread::available_parallelism().map_or(1, NonZero::get);
        Arc::new(Self {
            crew: Mutex::new(Crew::default()),
            work: Condvar::new(),
            quiet: Condvar::new(),
            started: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            helped: AtomicU64::new(0),
            clock,
            timer: Timer::default(),
            watch: Watch::default(),
            base,
            bound,
        })
    }

    pub(crate) fn crew(&self) -> MutexGuard<'_, Crew> {
        lock(&self.crew)
    }

    pub(crate) fn clock(&self) -> &HostClock {
        &self.clock
    }

    pub(crate) fn timer(&self) -> &Timer {
        &self.timer
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// How many workers are there without being asked for.
    pub(crate) fn base(&self) -> usize {
        self.base
    }

    /// How many items a stream holds at most.
    #[inline]
    pub(crate) fn bound(&self) -> u64 {
        self.bound
    }

    /// Whether other streams are ready, as far as is known.
    pub(crate) fn has_waiting(&self) -> bool {
        // Relaxed: a hint; the lock decides.
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Lists a stream whose listed bit was just set, and sees to it that somebody comes.
    pub(crate) fn submit(self: &Arc<Self>, stream: Arc<HostStream>) {
        let mut crew = self.crew();
        crew.ready.push(stream);
        self.hint(&crew);
        self.call_for_help(crew);
    }

    /// Lists several.
    pub(crate) fn submit_all(self: &Arc<Self>, streams: impl Iterator<Item = Arc<HostStream>>) {
        let mut crew = self.crew();
        for stream in streams {
            crew.ready.push(stream);
        }
        self.hint(&crew);
        self.call_for_help(crew);
    }

    /// Keeps the hint in step with the run queue.
    pub(crate) fn hint(&self, crew: &Crew) {
        // Relaxed: as in `has_waiting`.
        self.waiting.store(crew.ready.len(), Ordering::Relaxed);
    }

    /// Wakes a sleeping worker, or brings a new one, or arms the watch.
    fn call_for_help(self: &Arc<Self>, mut crew: MutexGuard<'_, Crew>) {
        if crew.idle > 0 {
            let lazy = crew.napping > 0 && self.is_lazy();
            if !lazy {
                self.wake(&mut crew);
            }
        } else {
            self.reinforce(crew);
        }
    }

    /// Nobody is idle: brings a new worker, or has the watch look whether those who work are stuck.
    fn reinforce(self: &Arc<Self>, crew: MutexGuard<'_, Crew>) {
        if crew.workers.saturating_sub(crew.blocked) < self.base {
            self.bring(crew);
        } else {
            drop(crew);
            self.watch.arm(self);
        }
    }

    /// Whether helpers have taken everything of late, so that a worker would only get in their way.
    fn is_lazy(&self) -> bool {
        // Relaxed: a guess; a nap is short.
        self.helped.load(Ordering::Relaxed) >= LAZY_AFTER
    }

    /// A helper took what was submitted.
    pub(crate) fn note_helped(&self) {
        // Relaxed: as in `is_lazy`.
        self.helped.fetch_add(1, Ordering::Relaxed);
    }

    /// A worker found something that no helper had taken.
    pub(crate) fn note_unhelped(&self) {
        // Relaxed: as in `is_lazy`.
        self.helped.store(0, Ordering::Relaxed);
    }

    pub(crate) fn helped(&self) -> u64 {
        // Relaxed: as in `is_lazy`.
        self.helped.load(Ordering::Relaxed)
    }

    fn wake(&self, crew: &mut Crew) {
        if !std::mem::replace(&mut crew.waking, true) {
            self.work.notify_one();
        }
    }

    /// Somebody is about to sleep until something completes: nothing may wait for the end of a nap.
    pub(crate) fn kick(&self) {
        if !self.has_waiting() {
            return;
        }
        let mut crew = self.crew();
        if crew.ready.len() > 0 && crew.idle > 0 {
            self.wake(&mut crew);
        }
    }

    /// Sees to it that somebody comes for what is ready beside the stream that the caller took: whoever submitted it
    /// may have counted on the caller, who was idle then.
    pub(crate) fn pass_on(self: &Arc<Self>, mut crew: MutexGuard<'_, Crew>) {
        if crew.ready.len() == 0 {
            return;
        }
        if crew.idle > 0 {
            self.wake(&mut crew);
        } else {
            self.reinforce(crew);
        }
    }

    /// Sees to it that there is a worker at all: the first need makes the first thread.
    #[inline]
    pub(crate) fn ensure_worker(self: &Arc<Self>) -> Result<()> {
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
            self.hire(&mut crew).map_err(no_thread)?;
        }
        self.started.store(true, Ordering::Release);
        drop(crew);
        Ok(())
    }

    /// Brings one more worker, if one may be brought. One that cannot be made is done without: somebody works.
    pub(crate) fn bring(self: &Arc<Self>, mut crew: MutexGuard<'_, Crew>) {
        if crew.workers < MOST_WORKERS && !crew.closing {
            let _made_or_done_without = self.hire(&mut crew);
        }
    }

    /// Makes a worker, which waits for the lock that the caller holds.
    fn hire(self: &Arc<Self>, crew: &mut Crew) -> std::io::Result<()> {
        let seat = Arc::new(Seat::default());
        let (scheduler, own_seat) = (Arc::clone(self), Arc::clone(&seat));
        let builder = Builder::new().name("syncpoint-host".to_owned());
        // The worker ends by itself: nobody joins it.
        drop(builder.spawn(move || worker::work(&scheduler, &own_seat))?);
        crew.workers += 1;
        crew.seats.push(seat);
        Ok(())
    }

    /// Sleeps until there is work, or for at most `nap`.
    pub(crate) fn sleep<'a>(
        &'a self,
        crew: MutexGuard<'a, Crew>,
        longest: Option<Duration>,
    ) -> MutexGuard<'a, Crew> {
        match longest {
            None => sync::wait(&self.work, crew),
            Some(longest) => sync::nap(&self.crew, &self.work, crew, longest),
        }
    }

    /// Begins no item any more, and wakes every worker so that it ends.
    pub(crate) fn close(&self) {
        let mut crew = self.crew();
        crew.closing = true;
        self.started.store(false, Ordering::Release);
        drop(crew);
        self.work.notify_all();
    }

    /// A worker has ended.
    pub(crate) fn leave(&self, seat: &Arc<Seat>) {
        self.crew().leave(seat);
        self.quiet.notify_all();
    }

    /// Waits for all workers to end, at most this long. Says whether they have.
    pub(crate) fn wait_for_quiet(&self, longest: Duration) -> bool {
        let until = Instant::now().checked_add(longest);
        let mut crew = self.crew();
        while crew.workers > 0 {
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

impl Crew {
    fn leave(&mut self, seat: &Arc<Seat>) {
        self.workers -= 1;
        self.seats.retain(|other| !Arc::ptr_eq(other, seat));
    }
}

#[cold]
fn no_thread(error: std::io::Error) -> Error {
    let message =
        "the first worker of the host device cannot be made; free threads or memory and try again";
    Error::new(Kind::Exhausted, message).caused_by(error)
}

#[cfg(all(test, syncpoint_loom))]
#[expect(clippy::expect_used, reason = "a model is a test")]
impl Scheduler {
    /// A scheduler without a watch, since a thread that never ends is in no model.
    pub(crate) fn modelled(base: usize) -> Arc<Self> {
        let mut scheduler = Self::new(HostClock::new("host:model"), 1 << 20);
        let own = Arc::get_mut(&mut scheduler).expect("nobody else has it yet");
        own.base = base;
        own.watch = Watch::armed();
        scheduler
    }

    /// Counts workers that the model brings itself.
    pub(crate) fn count_workers(&self, workers: usize) {
        self.crew().workers = workers;
        self.started.store(true, Ordering::Release);
    }
}
