//! Observers: they hear every operation, outside every lock.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::{PerProcess, Process};
use syncpoint_trace::{Operation, Record};

use crate::error::{Error, Kind, Result};
use crate::exit::{self, rest_if_ours_and_exiting};
use crate::inherited::{self, Own};
use crate::notify;
use crate::panic;
#[cfg(syncpoint_loom)]
use crate::sync::AtomicBool;
use crate::sync::process::AtomicU64;
use crate::sync::{self, Condvar, Mutex, Ordering, lock};
use crate::wait::SLICE;

#[cfg(all(test, syncpoint_loom))]
mod model;

/// Hears every operation of this process, on every device.
///
/// Called outside every lock, after the operation succeeded (synchronisations also before): on the thread that made the
/// call; on the thread that ran the stream, where a stream did it; on the notifier, where an object was dropped. It may
/// call this library; what it does itself is not told to any observer, so it cannot recurse. A panic is contained and
/// counted. Two threads may call it at once, and records of different threads may come out of order:
/// see [`Record`].
pub trait Observer: Send + Sync {
    /// Something happened.
    fn hear(&self, record: &Record);
}

impl<F: Fn(&Record) + Send + Sync> Observer for F {
    fn hear(&self, record: &Record) {
        self(record);
    }
}

/// Registers an observer. It hears until the returned watch is dropped or ended. Several may be registered; each hears
/// every record once, in the order of registration.
///
/// # Examples
/// Count the records of a wait:
/// ```
/// # use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
/// # fn main() -> syncpoint::Result<()> {
/// let count = Arc::new(AtomicUsize::new(0));
/// let counter = Arc::clone(&count);
/// let watch = syncpoint::observe(move |_: &syncpoint::trace::Record| {
///     counter.fetch_add(1, Ordering::Relaxed);
/// });
/// let stream = syncpoint::open("host:0")?.stream()?;
/// stream.record()?;
/// drop(watch);
/// assert!(count.load(Ordering::Relaxed) >= 2);
/// # Ok(())
/// # }
/// ```
pub fn observe(observer: impl Observer + 'static) -> Watch {
    let entry = Arc::new(Entry {
        observer: Box::new(observer),
        calls: Mutex::new(Calls::default()),
        quiet: Condvar::new(),
    });
    change(|entries| entries.push(Arc::clone(&entry)));
    Watch { entry, process: Process::current() }
}

/// How many calls of observers panicked in this process.
pub fn observer_panics() -> u64 {
    // Relaxed: a count, ordered with nothing.
    PANICS.load(Ordering::Relaxed)
}

/// An observer's registration. Dropping it ends it at once, without waiting for calls that run.
#[must_use = "the observer hears only while its watch lives"]
pub struct Watch {
    entry: Arc<Entry>,
    /// The process in which the observer was registered: in a child it hears nothing.
    process: Process,
}

impl Watch {
    /// Ends the registration and waits at most this long for calls that run. Once it returns without an error no call
    /// runs and none will come. From inside the observer's own call it would wait for itself: use drop there.
    ///
    /// # Errors
    /// `TimedOut`: a call still runs; no other will come. `Unavailable`: a call still runs and the process exits, or the
    /// observer was registered before this process was forked.
    pub fn end(self, timeout: Duration) -> Result<()> {
        self.unregister();
        inherited::check(self.process, &"the observer")?;
        let until = Instant::now().checked_add(timeout);
        let mut calls = lock(&self.entry.calls);
        while calls.running > 0 {
            if let Some(error) = exit::refusal() {
                return Err(error);
            }
            let left = until.map_or(SLICE, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let message = "a call of the observer still runs; no other will come".to_owned();
                return Err(Error::new(Kind::TimedOut, message));
            }
            calls = sync::wait_at_most(&self.entry.quiet, calls, left.min(SLICE));
        }
        Ok(())
    }

    fn unregister(&self) {
        if !self.process.is_current() {
            return;
        }
        lock(&self.entry.calls).ended = true;
        change(|entries| entries.retain(|entry| !Arc::ptr_eq(entry, &self.entry)));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.unregister();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Watch")
    }
}

struct Entry {
    observer: Box<dyn Observer>,
    /// Guards whether calls may begin; not held while the observer runs.
    calls: Mutex<Calls>,
    quiet: Condvar,
}

#[derive(Default)]
struct Calls {
    running: usize,
    ended: bool,
}

impl Entry {
    fn hear(&self, record: &Record) {
        let process = Process::current();
        if !self.begin() {
            return;
        }
        if panic::contain(|| self.observer.hear(record)).is_err() {
            // Relaxed: a count, ordered with nothing.
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        // Where it forked the child leaves the count, and its lock, to the parent.
        if process.is_current() {
            self.finish();
        }
    }

    fn begin(&self) -> bool {
        let mut calls = lock(&self.calls);
        if !calls.ended {
            calls.running += 1;
        }
        !calls.ended
    }

    fn finish(&self) {
        let mut calls = lock(&self.calls);
        calls.running -= 1;
        if calls.running == 0 {
            self.quiet.notify_all();
        }
    }
}

static PANICS: AtomicU64 = AtomicU64::new(0);
static SEQUENCE: AtomicU64 = AtomicU64::new(1);

#[cfg(syncpoint_loom)]
sync::global! {
    /// Whether anybody observes, in a model.
    static ACTIVE: AtomicBool = AtomicBool::new(false);
}

/// Says whether anybody observes: the one thing that an unobserved operation looks at. Under the lock of the observers.
fn set_active(active: bool) {
    #[cfg(not(syncpoint_loom))]
    Process::set_watched(active);
    // Relaxed: an operation beside the registration may be told or not.
    #[cfg(syncpoint_loom)]
    ACTIVE.store(active, Ordering::Relaxed);
}

sync::table! {
    /// The observers. Readers copy the list and call outside the lock; it guards nothing but the list.
    static OBSERVERS: Mutex<Option<Arc<[Arc<Entry>]>>> = Mutex::new(None);
}

fn change(edit: impl FnOnce(&mut Vec<Arc<Entry>>)) {
    let mut observers = lock(&OBSERVERS);
    let mut entries = observers.take().map(|entries| entries.to_vec()).unwrap_or_default();
    edit(&mut entries);
    set_active(!entries.is_empty());
    *observers = Some(entries.into());
}

/// The number of an operation, taken under the order lock; zero where nobody observed then.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Sequence(u64);

impl Sequence {
    /// Nobody observed.
    pub(crate) const NONE: Self = Self(0);
}

/// Whether anybody observes.
#[inline]
pub(crate) fn active() -> bool {
    #[cfg(not(syncpoint_loom))]
    return Process::is_watched();
    // Relaxed: as in `set_active`.
    #[cfg(syncpoint_loom)]
    ACTIVE.load(Ordering::Relaxed)
}

/// Takes the next number, if anybody observes.
#[inline]
pub(crate) fn sequence() -> Sequence {
    if active() { draw() } else { Sequence::NONE }
}

#[cold]
fn draw() -> Sequence {
    // Relaxed: the order lock under which it is taken orders it.
    Sequence(SEQUENCE.fetch_add(1, Ordering::Relaxed))
}

/// Tells the observers, if there are any, of an operation made now.
#[inline]
pub(crate) fn tell(operation: impl FnOnce() -> Operation) {
    if active() {
        tell_numbered(draw(), operation());
    }
}

/// Has the notifier tell of what was just dropped, once the object is gone. What an observer drops is told to nobody.
#[inline]
pub(crate) fn tell_of_drop(operation: Operation) {
    if active() && !Hearing::is_here() {
        notify::post(move || tell(|| operation));
    }
}

/// Tells the observers of an operation whose number was taken under its order lock.
#[inline]
pub(crate) fn tell_placed(sequence: Sequence, operation: impl FnOnce() -> Operation) {
    if active() {
        let sequence = if sequence.0 == 0 { draw() } else { sequence };
        tell_numbered(sequence, operation());
    }
}

/// An operation numbered under its order lock, to be told once that is released. Boxed: there is hardly ever one.
#[derive(Debug)]
pub(crate) struct Notice(Box<(Sequence, Operation)>);

impl Notice {
    /// Takes the number of an operation.
    pub(crate) fn new(operation: Operation) -> Self {
        Self(Box::new((draw(), operation)))
    }

    /// Tells the observers. Never under a lock.
    pub(crate) fn tell(self) {
        let (sequence, operation) = *self.0;
        tell_numbered(sequence, operation);
    }
}

#[cold]
fn tell_numbered(sequence: Sequence, operation: Operation) {
    rest_if_ours_and_exiting();
    let Some(_hearing) = Hearing::enter() else { return };
    let Some(entries) = lock(&OBSERVERS).clone() else { return };
    let record = Record::new(sequence.0, nanos(), thread(), operation);
    // Where one forks, the child calls none of the parent's that come after it.
    let (mut entries, mut next) = (Own::new(entries), 0);
    while let Some(entry) = entries.get().and_then(|entries| entries.get(next)) {
        entry.hear(&record);
        next += 1;
    }
}

/// Marks, while it lives, that this thread is telling: what an observer does itself is not told.
struct Hearing;

sync::local! {
    /// The process in which this thread is telling: a child that an observer forked tells of its own.
    static HEARING: Cell<Option<Process>> = Cell::new(None);
}

thread_local! {
    static THREAD: u64 = crate::id::next();
}

/// Whether an observer is called on this thread: what it does is told to nobody.
pub(crate) fn is_telling() -> bool {
    Hearing::is_here()
}

impl Hearing {
    /// Whether an observer is called on this thread.
    fn is_here() -> bool {
        HEARING.try_with(Cell::get).ok().flatten().is_some_and(Process::is_current)
    }

    fn enter() -> Option<Self> {
        let process = Process::current();
        let before = HEARING.try_with(|hearing| hearing.replace(Some(process)));
        // Made only where it is entered: the drop of one made too many would end the outer call's hearing.
        before.is_ok_and(|before| before != Some(process)).then(|| Self)
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        // While a thread ends its table may be gone; then it tells nothing more.
        let _gone = HEARING.try_with(|hearing| hearing.set(None));
    }
}

/// Nanoseconds of the host's monotonic clock since the first record of this process.
fn nanos() -> u64 {
    static BEGIN: PerProcess<Instant> = PerProcess::new(Instant::now);
    let elapsed = BEGIN.elapsed();
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

/// The number of this thread; zero while it ends.
fn thread() -> u64 {
    THREAD.try_with(|thread| *thread).unwrap_or(0)
}
