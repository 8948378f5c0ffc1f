//! Delays of devices that let no time pass by themselves: a thread of ours does, and each holds its own stream meanwhile.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Driver, HeldStream};
use crate::contract::Ours;
use crate::errands::{Errands, Sleep};
use crate::error::{Error, Kind};

/// Ends the delays of a domain whose devices have none of their own.
pub(super) struct Delays<D: Driver>(Arc<Errands<Delay<D>>>);

/// A delay of a stream that has begun.
struct Delay<D: Driver> {
    end: Instant,
    stream: Arc<HeldStream<D>>,
}

/// A delay beyond what the clock can tell: a year.
const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl<D: Driver> Delays<D> {
    /// Ends delays on a thread that is there while there are some.
    pub(super) fn new() -> Self {
        Self(Errands::new("syncpoint-delay"))
    }

    /// The delay that is `value` begins now, and [`HeldStream::finish`] ends it. Where no thread can be made for that, the
    /// stream fails.
    pub(super) fn begin(&self, stream: &Arc<HeldStream<D>>, value: u64, duration: Duration) {
        if duration.is_zero() {
            return stream.finish();
        }
        let now = Instant::now();
        let end = now.checked_add(duration).unwrap_or_else(|| now + LONG);
        if self.0.offer(Delay { end, stream: Arc::clone(stream) }, serve).is_err() {
            stream.fail(value, &untimely());
            // A waker that forked leaves the rest to the parent.
            if !stream.timeline().is_inherited() {
                stream.finish();
            }
        }
    }
}

impl<D: Driver> fmt::Debug for Delays<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Delays")
    }
}

/// Nobody is there to end a delay.
#[cold]
fn untimely() -> Error {
    let message =
        "no thread could be made to end a delay; let other threads end, or raise the limit";
    Error::new(Kind::Exhausted, message)
}

/// When, and the number among those given: two may end together.
type Alarm = (Instant, u64);

/// Ends delays when their time has passed.
fn serve<D: Driver>(errands: &Errands<Delay<D>>) {
    let ours = Ours::begin();
    let (mut alarms, mut given) = (BTreeMap::new(), 0);
    while let Some(delays) = errands.take(Sleep::until(next(&alarms))) {
        for delay in delays {
            given += 1;
            alarms.insert((delay.end, given), delay.stream);
        }
        for stream in take_due(&mut alarms).into_values() {
            stream.finish();
            ours.go_on();
        }
    }
}

fn next<T>(alarms: &BTreeMap<Alarm, T>) -> Option<Instant> {
    alarms.first_key_value().map(|((end, _), _)| *end)
}

fn take_due<T>(alarms: &mut BTreeMap<Alarm, T>) -> BTreeMap<Alarm, T> {
    let later = alarms.split_off(&(Instant::now(), u64::MAX));
    std::mem::replace(alarms, later)
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_taken_and_the_rest_stays() {
        let now = Instant::now();
        let mut alarms = BTreeMap::from([((now, 2), 'b'), ((now, 1), 'a'), ((now + LONG, 3), 'c')]);
        assert_eq!(take_due(&mut alarms).into_values().collect::<String>(), "ab");
        assert_eq!(next(&alarms), Some(now + LONG));
        alarms.clear();
        assert_eq!(next(&alarms), None);
    }
}
