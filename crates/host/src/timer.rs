//! The timer: wakes streams whose delay is over.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::task::Wake;
use std::thread;
use std::time::Instant;

use syncpoint_core::{Error, Kind, Result};

use crate::stream::HostStream;
use crate::sync::{self, Condvar, Mutex, MutexGuard, lock};

/// One thread, made at the first delay, that sleeps until the next one ends, and ends with the timer.
#[derive(Debug, Default)]
pub(crate) struct Timer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Guards the heap. Nothing is woken under it.
    heap: Mutex<Heap>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Heap {
    alarms: BinaryHeap<Reverse<Alarm>>,
    number: u64,
    started: bool,
    ended: bool,
}

#[derive(Debug)]
struct Alarm {
    instant: Instant,
    number: u64,
    stream: Arc<HostStream>,
}

impl Timer {
    /// Wakes the stream at an instant. Called under its order lock.
    pub(crate) fn wake_at(&self, instant: Instant, stream: Arc<HostStream>) -> Result<()> {
        let mut heap = lock(&self.0.heap);
        self.start(&mut heap)?;
        heap.number += 1;
        let number = heap.number;
        let next = heap.alarms.peek().is_none_or(|Reverse(alarm)| instant < alarm.instant);
        heap.alarms.push(Reverse(Alarm { instant, number, stream }));
        drop(heap);
        if next {
            self.0.changed.notify_one();
        }
        Ok(())
    }

    fn start(&self, heap: &mut Heap) -> Result<()> {
        if heap.started {
            return Ok(());
        }
        let shared = Arc::clone(&self.0);
        let builder = thread::Builder::new().name("syncpoint-timer".to_owned());
        let thread = builder.spawn(move || run(&shared)).map_err(|error| {
            let message = "the timer's thread cannot be made; free threads or memory and try again";
            Error::new(Kind::Exhausted, message).caused_by(error)
        })?;
        // The thread ends with the timer: nobody joins it.
        drop(thread);
        heap.started = true;
        Ok(())
    }
}

/// No alarm is left: each holds its stream, and the stream its device.
impl Drop for Timer {
    fn drop(&mut self) {
        lock(&self.0.heap).ended = true;
        self.0.changed.notify_one();
    }
}

/// Sleeps and wakes until the timer is gone.
fn run(shared: &Shared) {
    while let Some(due) = shared.wait_for_due() {
        for alarm in due {
            alarm.stream.wake();
        }
    }
}

impl Shared {
    /// Sleeps until an alarm is due and takes all that are; `None` when the timer is gone.
    fn wait_for_due(&self) -> Option<Vec<Alarm>> {
        let mut heap = lock(&self.heap);
        while !heap.ended {
            let now = Instant::now();
            let due = take_due(&mut heap, now);
            if !due.is_empty() {
                return Some(due);
            }
            heap = self.sleep(heap, now);
        }
        None
    }

    fn sleep<'a>(&self, heap: MutexGuard<'a, Heap>, now: Instant) -> MutexGuard<'a, Heap> {
        match heap.alarms.peek().map(|Reverse(alarm)| alarm.instant) {
            None => sync::wait(&self.changed, heap),
            Some(next) => {
                sync::wait_at_most(&self.changed, heap, next.saturating_duration_since(now))
            }
        }
    }
}

fn take_due(heap: &mut Heap, now: Instant) -> Vec<Alarm> {
    let mut due = Vec::new();
    while heap.alarms.peek().is_some_and(|Reverse(alarm)| alarm.instant <= now) {
        due.extend(heap.alarms.pop().map(|Reverse(alarm)| alarm));
    }
    due
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Alarm {}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.instant, self.number).cmp(&(other.instant, other.number))
    }
}
