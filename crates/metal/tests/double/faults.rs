//! Faults of the double: what goes wrong with its command buffers and handlers, on request.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use syncpoint_metal::protocol::{End, Killed};

use super::THREAD;
use super::refusals::Refusals;

/// What goes wrong, on request.
pub(crate) struct Faults {
    /// What becomes of the command buffers that are committed next, one each; then nothing.
    pub(super) next: Mutex<VecDeque<Option<Fault>>>,
    /// Whether the device is gone: everything that has not ended is killed.
    pub(super) is_gone: AtomicBool,
    /// How many command buffers were committed.
    pub(super) commits: AtomicU64,
    /// How many of them waited for what nobody had committed a signal of.
    pub(super) early: AtomicU64,
    /// How many were begun while another thread put one of the same queue together.
    pub(super) beside: AtomicU64,
    /// How many were committed or let go of outside a pool.
    pub(super) outside: AtomicU64,
    /// Handlers that are held back, where that was asked for.
    pub(super) held: Mutex<Option<Vec<Handler>>>,
    /// What is refused.
    pub(super) refusals: Refusals,
    /// Kept by each object for as long as it lives.
    pub(super) alive: Arc<()>,
    /// Whether handlers come in any order.
    pub(super) shuffles: AtomicBool,
    /// Whether what is killed takes along what was committed behind it.
    pub(super) takes_along: AtomicBool,
    /// How long a wait of the device lasts before it is killed; where nothing is said, for ever.
    pub(super) longest_wait: Mutex<Option<Duration>>,
    /// Who is told where memory ends.
    pub(super) ends: Mutex<Option<Sender<String>>>,
}

/// What is called when a command buffer has ended.
type Handler = Box<dyn FnOnce() + Send>;

/// What becomes of a command buffer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is killed before it does anything.
    Killed(Killed),
    /// It is killed as it is committed, whatever is before it.
    KilledEarly(Killed),
    /// It runs beside what is before it.
    Overtakes,
    /// It does nothing, and its handler is told this.
    Ends(End),
    /// It gives this as its end time.
    EndsAt(f64),
    /// It begins when the test lets it, before what it waits for.
    Lasts(Arc<Mutex<Receiver<()>>>),
    /// Somebody else signals its events so much further.
    Strays(u64),
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            next: Mutex::default(),
            is_gone: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            early: AtomicU64::new(0),
            beside: AtomicU64::new(0),
            outside: AtomicU64::new(0),
            held: Mutex::default(),
            refusals: Refusals::default(),
            alive: Arc::default(),
            shuffles: AtomicBool::new(false),
            takes_along: AtomicBool::new(false),
            longest_wait: Mutex::default(),
            ends: Mutex::default(),
        }
    }
}

/// When the clock began, which is one for all queues, as the host's is for Metal's.
static BEGUN: OnceLock<Instant> = OnceLock::new();

impl Faults {
    /// What becomes of a command buffer that is committed now.
    pub(super) fn next(&self) -> Option<Fault> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.next.lock().unwrap().pop_front().flatten()
    }

    /// Calls a handler, now or when it is let go.
    pub(super) fn call(&self, handler: Handler) {
        let mut held = self.held.lock().unwrap();
        if let Some(held) = held.as_mut() {
            held.push(handler);
        } else {
            drop(held);
            self.call_now(handler);
        }
    }

    /// Calls a handler on its thread, or, where the double shuffles, each on one of its own, in whatever order that gives.
    pub(super) fn call_now(&self, handler: Handler) {
        if !self.shuffles.load(Ordering::SeqCst) {
            return handler();
        }
        let draw = self.commits.load(Ordering::SeqCst) % 7;
        let late = move || {
            (0..draw * draw).for_each(|_| thread::yield_now());
            handler();
        };
        thread::Builder::new().name(THREAD.to_owned()).spawn(late).unwrap();
    }

    pub(super) fn note_early(&self) {
        self.early.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn note_beside(&self) {
        self.beside.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn note_outside(&self) {
        self.outside.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn longest_wait(&self) -> Option<Duration> {
        *self.longest_wait.lock().unwrap()
    }

    pub(super) fn takes_along(&self) -> bool {
        self.takes_along.load(Ordering::SeqCst)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }

    /// Seconds since some moment before the first command buffer.
    pub(super) fn seconds() -> f64 {
        1.0 + BEGUN.get_or_init(Instant::now).elapsed().as_secs_f64()
    }
}
