//! Delays: a device of Vulkan lets no time pass by itself, so a thread of ours does, and holds the one stream meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::Ours;
use syncpoint_core::errands::{Errands, Sleep};
use syncpoint_core::hold::HeldStream;

use crate::stream::VulkanStream;

/// A delay of a stream that has begun.
#[derive(Debug)]
pub(crate) struct Delay {
    end: Instant,
    stream: Arc<HeldStream<VulkanStream>>,
}

/// A delay beyond what the clock can tell: a year.
const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Delay {
    /// A delay that begins now.
    pub(crate) fn begin(stream: &Arc<HeldStream<VulkanStream>>, duration: Duration) -> Self {
        let now = Instant::now();
        let end = now.checked_add(duration).unwrap_or_else(|| now + LONG);
        Self { end, stream: Arc::clone(stream) }
    }
}

/// When, and the number among those given: two may end together.
type Alarm = (Instant, u64);

/// Ends delays when their time has passed.
pub(crate) fn serve(errands: &Errands<Delay>) {
    let ours = Ours::begin();
    let (mut alarms, mut given) = (BTreeMap::new(), 0);
    while let Some(delays) = errands.take(sleep(&alarms)) {
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

fn sleep<T>(alarms: &BTreeMap<Alarm, T>) -> Sleep {
    alarms.first_key_value().map_or(Sleep::UntilGiven, |((end, _), _)| {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() { Sleep::None } else { Sleep::For(left) }
    })
}

fn take_due<T>(alarms: &mut BTreeMap<Alarm, T>) -> BTreeMap<Alarm, T> {
    let later = alarms.split_off(&(Instant::now(), u64::MAX));
    std::mem::replace(alarms, later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_taken_and_the_rest_stays() {
        let now = Instant::now();
        let mut alarms = BTreeMap::from([((now, 2), 'b'), ((now, 1), 'a'), ((now + LONG, 3), 'c')]);
        assert_eq!(take_due(&mut alarms).into_values().collect::<String>(), "ab");
        assert!(matches!(sleep(&alarms), Sleep::For(left) if left > LONG / 2));
        alarms.clear();
        assert_eq!(sleep(&alarms), Sleep::UntilGiven);
    }
}
