//! The timer: wakes streams whose delay is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Wake;
use std::time::Instant;

use syncpoint_base::spawn;
use syncpoint_core::{Error, Kind, Result};

use crate::stream::HostStream;
use crate::sync::{self, Condvar, Mutex, MutexGuard, lock};

/// One thread, made at the first delay, that sleeps until the next one ends, and ends with the timer.
#[derive(Debug, Default)]
pub(crate) struct Timer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Guards the alarms. Nothing is woken under it.
    alarms: Mutex<Alarms>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Alarms {
    /// The next first.
    streams: BTreeMap<Alarm, Arc<HostStream>>,
    started: bool,
    ended: bool,
}

/// When, and the id of the stream to be woken, which has at most one alarm.
type Alarm = (Instant, u64);

impl Timer {
    /// Wakes the stream at an instant. Called under its order lock.
    pub(crate) fn wake_at(&self, instant: Instant, stream: Arc<HostStream>) -> Result<()> {
        let mut alarms = lock(&self.0.alarms);
        self.start(&mut alarms)?;
        let next = alarms.next().is_none_or(|next| instant < next);
        // A stream that was woken before its time sets its alarm again.
        let same = alarms.streams.insert((instant, stream.timeline.id()), stream);
        drop(alarms);
        drop(same);
        if next {
            self.0.changed.notify_one();
        }
        Ok(())
    }

    /// Takes an alarm back, which would keep the stream until it is due. Called under its order lock.
    #[must_use = "the stream is to be dropped outside the lock"]
    pub(crate) fn take_back(
        &self,
        instant: Instant,
        stream: &HostStream,
    ) -> Option<Arc<HostStream>> {
        lock(&self.0.alarms).streams.remove(&(instant, stream.timeline.id()))
    }

    fn start(&self, alarms: &mut Alarms) -> Result<()> {
        if alarms.started {
            return Ok(());
        }
        let shared = Arc::clone(&self.0);
        // The thread ends with the timer.
        spawn("syncpoint-timer", move || run(&shared)).map_err(|error| {
            let message = "the timer's thread cannot be made; free threads or memory and try again";
            Error::new(Kind::Exhausted, message).caused_by(error)
        })?;
        alarms.started = true;
        Ok(())
    }
}

/// No alarm is left: each holds its stream, and the stream its device.
impl Drop for Timer {
    fn drop(&mut self) {
        lock(&self.0.alarms).ended = true;
        self.0.changed.notify_one();
    }
}

/// Sleeps and wakes until the timer is gone.
fn run(shared: &Shared) {
    while let Some(due) = shared.wait_for_due() {
        for stream in due.into_values() {
            stream.wake();
        }
    }
}

impl Shared {
    /// Sleeps until an alarm is due and takes all that are; `None` when the timer is gone.
    fn wait_for_due(&self) -> Option<BTreeMap<Alarm, Arc<HostStream>>> {
        let mut alarms = lock(&self.alarms);
        while !alarms.ended {
            let now = Instant::now();
            let due = alarms.take_due(now);
            if !due.is_empty() {
                return Some(due);
            }
            alarms = self.sleep(alarms, now);
        }
        None
    }

    fn sleep<'a>(&self, alarms: MutexGuard<'a, Alarms>, now: Instant) -> MutexGuard<'a, Alarms> {
        match alarms.next() {
            None => sync::wait(&self.changed, alarms),
            Some(next) => {
                sync::wait_at_most(&self.changed, alarms, next.saturating_duration_since(now))
            }
        }
    }
}

impl Alarms {
    /// When the next alarm is due.
    fn next(&self) -> Option<Instant> {
        self.streams.first_key_value().map(|((instant, _), _)| *instant)
    }

    fn take_due(&mut self, now: Instant) -> BTreeMap<Alarm, Arc<HostStream>> {
        let later = self.streams.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.streams, later)
    }
}
