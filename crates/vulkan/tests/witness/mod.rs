//! A witness: hears what the driver is asked about semaphores, and writes down what it should not have been.

mod calls;

use std::collections::HashMap;
use std::mem;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use ash::vk;
use syncpoint_conformance::tell;

use crate::{between, machine};

pub(crate) use calls::replace;

/// What was heard of a run.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// How many submissions waited for something, and how many signals they had.
    pub(crate) waits: u64,
    pub(crate) signals: u64,
    /// How many signals the host gave, and how often it waited.
    pub(crate) raises: u64,
    pub(crate) sleeps: u64,
    /// The longest time for which the host was to wait.
    pub(crate) longest: Duration,
    /// The furthest that a semaphore was told to go from where it was.
    pub(crate) furthest: u64,
    /// Each submission, in the order in which the driver was given them.
    pub(crate) submissions: Vec<Submission>,
    /// What should not have been.
    pub(crate) offences: Vec<String>,
}

/// A semaphore and a value.
pub(crate) type Promise = (vk::Semaphore, u64);

/// What a submission waits for and signals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Submission {
    pub(crate) waits: Vec<Promise>,
    pub(crate) signals: Vec<Promise>,
}

/// What is known of a semaphore: the device that it is of, and what it was last told to become.
#[derive(Clone, Copy, Debug)]
struct Known {
    device: vk::Device,
    promised: u64,
}

static KNOWN: Mutex<Option<HashMap<vk::Semaphore, Known>>> = Mutex::new(None);

static HEARD: Mutex<Option<Heard>> = Mutex::new(None);

/// A test's turn at the driver, from before its first submission until behind its last.
pub(crate) struct Turn(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Turn {
    /// Comes once the tests before have ended; `None` where there is no driver, or no witness before it. A test has one.
    pub(crate) fn come() -> Option<Self> {
        static ONE: Mutex<()> = Mutex::new(());
        (between::used(replace) && machine::is_there()).then(|| Self(lock(&ONE)))
    }

    /// What is heard of a run, and of nothing beside it.
    #[expect(clippy::unused_self, reason = "shows whose turn it is")]
    pub(crate) fn heard(&self, run: impl FnOnce()) -> Heard {
        *lock(&HEARD) = None;
        run();
        lock(&HEARD).take().unwrap_or_default()
    }
}

/// What should not have been outside of the runs: as their streams ended.
impl Drop for Turn {
    fn drop(&mut self) {
        let heard = lock(&HEARD).take().unwrap_or_default();
        assert!(thread::panicking() || heard.offences.is_empty(), "{:?}", heard.offences);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hear(hear: impl FnOnce(&mut Heard)) {
    hear(lock(&HEARD).get_or_insert_default());
}

/// Something that should not have been: told of at the end of the run, or at once.
fn offend(offence: String) {
    // Relaxed: set before anything is heard.
    if IS_STRICT.load(Ordering::Relaxed) {
        tell(&format!("an offence: {offence}"));
        process::abort();
    }
    hear(|heard| heard.offences.push(offence));
}

static IS_STRICT: AtomicBool = AtomicBool::new(false);

/// From now on the first offence ends the process, with words: for tests that hear of no run.
pub(crate) fn be_strict() {
    IS_STRICT.store(true, Ordering::Relaxed);
}

/// The queues of others that only a holder of their lock may use, and who holds it.
static GUARDED: Mutex<Option<HashMap<vk::Queue, Option<ThreadId>>>> = Mutex::new(None);

/// A queue is used under a lock of others from now on.
pub(crate) fn guard(queue: vk::Queue) {
    lock(&GUARDED).get_or_insert_default().insert(queue, None);
}

/// Runs something while this thread holds the lock of a queue.
pub(crate) fn held(queue: vk::Queue, run: impl FnOnce()) {
    let hold = |holder| lock(&GUARDED).get_or_insert_default().insert(queue, holder);
    hold(Some(thread::current().id()));
    run();
    hold(None);
}

/// A queue is given something, or asked for its rest.
fn uses(queue: vk::Queue) {
    let Some(holder) = lock(&GUARDED).get_or_insert_default().get(&queue).copied() else { return };
    if holder != Some(thread::current().id()) {
        offend(format!("a queue of others is used without their lock; who holds it: {holder:?}"));
    }
}

/// A semaphore was made, perhaps with the handle of one that is gone.
fn begins(device: vk::Device, semaphore: vk::Semaphore) {
    lock(&KNOWN).get_or_insert_default().insert(semaphore, Known { device, promised: 0 });
}

fn known(semaphore: vk::Semaphore) -> Option<Known> {
    lock(&KNOWN).get_or_insert_default().get(&semaphore).copied()
}

/// A submission comes to the driver, before what it signals is promised. Batches of one queue may overlap, so it waits for
/// what was promised last of the semaphore that it signals itself.
fn submits(submission: Submission) {
    for (semaphore, _) in &submission.signals {
        let Some(Known { promised, .. }) = known(*semaphore) else { continue };
        if promised > 0 && !submission.waits.contains(&(*semaphore, promised)) {
            let waits = &submission.waits;
            offend(format!("not behind its own {promised}: {waits:?}"));
        }
    }
    hear(|heard| heard.submissions.push(submission));
}

/// A submission waits until a semaphore has come to `value`.
fn waits(semaphore: vk::Semaphore, value: u64) {
    let promised = known(semaphore).map_or(0, |known| known.promised);
    hear(|heard| heard.waits += 1);
    if value > promised {
        offend(format!("a wait for {value} where no more than {promised} comes"));
    }
}

/// A semaphore that is at `now` is to become `value`.
fn promises(semaphore: vk::Semaphore, now: u64, value: u64) {
    let mut all = lock(&KNOWN);
    let Some(known) = all.get_or_insert_default().get_mut(&semaphore) else { return };
    let promised = mem::replace(&mut known.promised, value);
    drop(all);
    hear(|heard| heard.furthest = heard.furthest.max(value.saturating_sub(now)));
    if value <= promised {
        offend(format!("a signal of {value} after one of {promised}"));
    }
}
