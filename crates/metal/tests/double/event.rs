//! Shared events of the double: numbers that others wait for.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use syncpoint_metal::protocol::Killed;

use super::{Alive, Faults};

/// A shared event. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Event(Arc<State>);

#[derive(Default)]
struct State {
    value: AtomicU64,
    /// The largest value of which a signal was committed.
    promised: AtomicU64,
    /// Whether nobody can sleep for it, as before macOS 12.
    is_sleepless: bool,
    /// Kept.
    _alive: Option<Alive>,
}

/// Rings as any event changes, or a device is gone.
static CHANGED: Condvar = Condvar::new();

/// Guards nothing: whoever changes something takes it, so that nobody who looks misses the ring.
static TURN: Mutex<()> = Mutex::new(());

/// Wakes whoever waits for an event.
pub(super) fn ring_all() {
    let turn = TURN.lock().unwrap();
    CHANGED.notify_all();
    drop(turn);
}

impl Event {
    /// One that counts while it lives.
    pub(super) fn that_is(alive: Alive) -> Self {
        Self(Arc::new(State { _alive: Some(alive), ..State::default() }))
    }

    /// One that nobody can sleep for.
    pub(crate) fn sleepless() -> Self {
        Self(Arc::new(State { is_sleepless: true, ..State::default() }))
    }

    /// The signaled value.
    pub(crate) fn value(&self) -> u64 {
        self.0.value.load(Ordering::SeqCst)
    }

    /// Signals, to a lower value too.
    pub(crate) fn set(&self, value: u64) {
        self.0.value.store(value, Ordering::SeqCst);
        ring_all();
    }

    /// A signal is committed.
    pub(super) fn promise(&self, value: u64) {
        self.0.promised.fetch_max(value, Ordering::SeqCst);
    }

    /// Up to where it will come, or has, by what was committed.
    pub(super) fn promised(&self) -> u64 {
        self.0.promised.load(Ordering::SeqCst).max(self.value())
    }

    /// Sleeps until it has come to a value, and no longer than this. Says whether it has; `None`: it cannot.
    pub(super) fn sleep(&self, value: u64, longest: Duration) -> Option<bool> {
        (!self.0.is_sleepless).then(|| self.sleep_for(value, longest))
    }

    fn sleep_for(&self, value: u64, longest: Duration) -> bool {
        let (begun, mut turn) = (Instant::now(), TURN.lock().unwrap());
        while self.value() < value {
            let left = longest.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return false;
            }
            turn = CHANGED.wait_timeout(turn, left).unwrap().0;
        }
        true
    }

    /// Waits for a value, on the device.
    pub(super) fn wait(&self, value: u64, faults: &Faults) -> Result<(), Killed> {
        let (begun, mut turn) = (Instant::now(), TURN.lock().unwrap());
        while self.value() < value {
            let left = faults.longest_wait().map(|longest| longest.saturating_sub(begun.elapsed()));
            if faults.is_gone() {
                return Err(gone());
            }
            turn = match left {
                Some(Duration::ZERO) => return Err(timeout()),
                Some(left) => CHANGED.wait_timeout(turn, left).unwrap().0,
                None => CHANGED.wait(turn).unwrap(),
            };
        }
        Ok(())
    }
}

pub(super) fn gone() -> Killed {
    Killed { code: 11, words: "the device was removed".to_owned() }
}

fn timeout() -> Killed {
    Killed { code: 2, words: "a wait has lasted too long".to_owned() }
}

/// Letting go of an object is a call of Metal's as well.
impl Drop for Event {
    fn drop(&mut self) {
        super::end_children();
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Event({})", self.value())
    }
}
