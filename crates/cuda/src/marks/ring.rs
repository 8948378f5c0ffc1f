//! A ring of events in the order of their values: the oldest that was passed is the next to be recorded anew.

use std::sync::Arc;

/// Places for events, all of them in use once the stream is in its stride. From the oldest on they are passed ones, each
/// with its event or empty, and then those that are on their way.
#[derive(Debug)]
pub(super) struct Ring<E> {
    places: Vec<Place<E>>,
    /// Where the oldest is. The place before it, or the last, is the latest.
    oldest: usize,
}

#[derive(Debug)]
struct Place<E> {
    value: u64,
    /// Empty at first, where somebody else has the event for good, and while it is recorded anew.
    event: Option<Arc<E>>,
}

/// So many places are few: before there are more it is asked whether the device has passed some, half of them with one
/// question. Of those that were passed a stream keeps up to twice as many: a burst of more gives back all but so many, or
/// all but as many as are still on their way.
const FEW: usize = 128;

impl<E> Ring<E> {
    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Takes the oldest event out of its place, where it was passed and nobody else has it.
    #[inline]
    pub(super) fn take_oldest(&mut self, reached: u64) -> Option<Arc<E>> {
        self.places.get_mut(self.oldest)?.take_passed(reached)
    }

    /// Puts an event behind the latest value. It takes the place of the oldest that was passed, which is mostly the one out
    /// of which it came; gives what was there.
    #[inline]
    pub(super) fn push(&mut self, value: u64, event: Arc<E>, reached: u64) -> Option<Arc<E>> {
        match self.places.get_mut(self.oldest).filter(|place| place.value <= reached) {
            Some(place) => {
                let displaced = place.fill(value, event);
                self.oldest = self.after_oldest();
                displaced
            }
            None => self.grow(value, event),
        }
    }

    /// The same, and then takes the oldest event.
    #[inline]
    pub(super) fn push_and_take(
        &mut self,
        value: u64,
        event: Arc<E>,
        reached: u64,
    ) -> [Option<Arc<E>>; 2] {
        let after = self.after_oldest();
        let places = self.places.as_mut_slice();
        match places.get_mut(self.oldest).filter(|place| place.value <= reached) {
            Some(place) => {
                let displaced = place.fill(value, event);
                self.oldest = after;
                [displaced, places.get_mut(after).and_then(|place| place.take_passed(reached))]
            }
            None => [self.grow(value, event), None],
        }
    }

    #[inline]
    fn after_oldest(&self) -> usize {
        let after = self.oldest + 1;
        if after < self.places.len() { after } else { 0 }
    }

    /// Nothing was passed: there are twice as many places.
    #[cold]
    fn grow(&mut self, value: u64, event: Arc<E>) -> Option<Arc<E>> {
        let full = self.places.len();
        self.places.rotate_left(self.oldest);
        self.places.push(Place { value, event: Some(event) });
        self.places.resize_with((2 * full).max(1), Place::empty);
        self.oldest = if full + 1 < self.places.len() { full + 1 } else { 0 };
        None
    }

    /// Where none was passed and there are more than a few: the event in the middle.
    pub(super) fn middle(&self, reached: u64) -> Option<(u64, &Arc<E>)> {
        self.places.get(self.oldest).filter(|place| place.value > reached)?;
        if self.places.len() < FEW { None } else { self.nth(self.places.len() / 2) }
    }

    /// The latest event.
    #[inline]
    pub(super) fn latest(&self) -> Option<(u64, &Arc<E>)> {
        let end = if self.oldest == 0 { self.places.len() } else { self.oldest };
        self.places.get(end.wrapping_sub(1)).and_then(Place::named)
    }

    /// The event in this place, the oldest first.
    pub(super) fn nth(&self, index: usize) -> Option<(u64, &Arc<E>)> {
        let (later, earlier) = self.places.split_at(self.oldest);
        let place = earlier.get(index).or_else(|| later.get(index - earlier.len()));
        place.and_then(Place::named)
    }

    /// How many places have values below `value`.
    pub(super) fn below(&self, value: u64) -> usize {
        let (later, earlier) = self.places.split_at(self.oldest);
        let below = earlier.partition_point(|place| place.value < value);
        if below < earlier.len() {
            return below;
        }
        below + later.partition_point(|place| place.value < value)
    }

    /// Whether there are so many places that some may be needed no more.
    #[inline]
    pub(super) fn is_long(&self) -> bool {
        self.places.len() > 2 * FEW
    }

    /// Takes away the oldest places that were passed, where there are many more than the stream may soon need: a few, or as
    /// many as are on their way.
    pub(super) fn shorten(&mut self, reached: u64) -> impl Iterator<Item = Arc<E>> {
        let passed = self.below(reached + 1);
        let kept = FEW.max(self.places.len() - passed);
        let surplus = if passed > 2 * kept { passed - kept } else { 0 };
        if surplus > 0 {
            self.places.rotate_left(self.oldest);
            self.oldest = 0;
        }
        let taken: Vec<_> = self.places.drain(..surplus).collect();
        if surplus > 0 {
            self.places.shrink_to_fit();
        }
        taken.into_iter().filter_map(|place| place.event)
    }

    /// Takes the event of this kind that lies behind `value`, and behind no other, out of its place.
    pub(super) fn take(&mut self, value: u64, is_it: impl Fn(&E) -> bool) -> Option<Arc<E>> {
        let first = self.below(value);
        let (later, earlier) = self.places.split_at_mut(self.oldest);
        let places = earlier.iter_mut().chain(later).skip(first);
        let mut places = places.take_while(|place| place.value == value);
        places.find_map(|place| place.event.take_if(|event| is_it(event)))
    }

    /// Every event that is left.
    pub(super) fn into_events(self) -> impl Iterator<Item = Arc<E>> {
        self.places.into_iter().filter_map(|place| place.event)
    }
}

impl<E> Place<E> {
    fn empty() -> Self {
        Self { value: 0, event: None }
    }

    /// Gives what was there.
    #[inline]
    fn fill(&mut self, value: u64, event: Arc<E>) -> Option<Arc<E>> {
        self.value = value;
        self.event.replace(event)
    }

    /// The event, where it was passed and nobody else has it.
    #[inline]
    fn take_passed(&mut self, reached: u64) -> Option<Arc<E>> {
        let is_passed = self.value <= reached;
        // Names of an event that lies here are made under the lock of the marks alone, so nobody makes another now. That
        // who had one is through with it the driver knows, whose calls come one after the other.
        self.event.take_if(|event| is_passed && Arc::strong_count(event) == 1)
    }

    #[inline]
    fn named(&self) -> Option<(u64, &Arc<E>)> {
        self.event.as_ref().map(|event| (self.value, event))
    }
}

impl<E> Default for Ring<E> {
    fn default() -> Self {
        Self { places: Vec::new(), oldest: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring beside what it stands for: the values on their way, and how many events were made.
    #[derive(Default)]
    struct Beside {
        ring: Ring<u64>,
        values: Vec<u64>,
        value: u64,
        reached: u64,
        made: u64,
    }

    impl Beside {
        fn record(&mut self) {
            let event = self.ring.take_oldest(self.reached).unwrap_or_else(|| {
                self.made += 1;
                Arc::new(self.made)
            });
            self.value += 2;
            self.values.push(self.value);
            assert!(self.ring.push(self.value, event, self.reached).is_none());
        }

        fn reach(&mut self, value: u64) -> usize {
            self.reached = self.reached.max(value);
            self.values.retain(|value| *value > self.reached);
            if self.ring.is_long() { self.ring.shorten(self.reached).count() } else { 0 }
        }

        fn assert_same(&self) {
            let passed = self.ring.below(self.reached + 1);
            let named = |index| self.ring.nth(passed + index).map(|(value, _)| value);
            for index in 0..=self.values.len() {
                assert_eq!(named(index), self.values.get(index).copied(), "place {index}");
            }
            let latest = self.ring.latest().map(|(value, _)| value);
            assert!(self.values.last().is_none_or(|last| Some(*last) == latest));
            let named = self.ring.places.iter().filter_map(Place::named);
            let mut events: Vec<u64> = named.map(|(_, event)| **event).collect();
            events.sort_unstable();
            let is_twice = events.windows(2).any(|pair| pair[0] == pair[1]);
            assert!(!is_twice, "an event lies behind two values");
        }
    }

    #[test]
    fn the_ring_is_a_queue_whatever_is_recorded_and_passed() {
        let (mut beside, mut seed) = (Beside::default(), 7_u64);
        for _ in 0..3000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            match seed >> 60 {
                0..8 => beside.record(),
                8..10 => (0..seed >> 32 & 127).for_each(|_| beside.record()),
                _ => {
                    let ahead = beside.value - beside.reached;
                    beside.reach(beside.reached + (seed >> 32) % (ahead + 1));
                }
            }
            beside.assert_same();
        }
    }

    #[test]
    fn a_stream_that_keeps_up_makes_few_events_and_one_that_falls_back_gives_its_burst_away() {
        let mut beside = Beside::default();
        for _ in 0..1000 {
            beside.record();
            beside.reach(beside.value);
        }
        assert_eq!((beside.made, beside.ring.len()), (1, 1));
        (0..10_000).for_each(|_| beside.record());
        assert!(beside.made >= 10_000);
        let given = beside.reach(beside.value);
        assert!(given >= 10_000 - FEW, "{given} given away");
        assert_eq!(beside.ring.len(), FEW);
        beside.assert_same();
    }

    #[test]
    fn what_somebody_else_has_is_not_recorded_anew_and_gives_way() {
        let mut ring = Ring::default();
        assert!(ring.push(1, Arc::new('a'), 0).is_none());
        (2..=FEW as u64).for_each(|value| assert!(ring.push(value, Arc::new('b'), 0).is_none()));
        let borrowed = ring.latest().map(|(_, event)| Arc::clone(event));
        assert!(ring.take_oldest(0).is_none(), "nothing was passed");
        let taken: Vec<_> = (1..FEW as u64)
            .map(|value| {
                let event = ring.take_oldest(FEW as u64);
                ring.push(FEW as u64 + value, Arc::new('c'), FEW as u64);
                event
            })
            .collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(ring.take_oldest(FEW as u64).is_none(), "somebody has it");
        let displaced = ring.push(200, Arc::new('d'), FEW as u64);
        assert!(displaced.zip(borrowed).is_some_and(|(a, b)| Arc::ptr_eq(&a, &b)));
    }

    #[test]
    fn what_others_have_for_good_leaves_an_empty_place() {
        let mut ring = Ring::default();
        ring.push(1, Arc::new('a'), 0);
        ring.push(2, Arc::new('t'), 0);
        ring.push(2, Arc::new('b'), 0);
        assert_eq!(ring.take(2, |event| *event == 't').as_deref(), Some(&'t'));
        assert!(ring.take(2, |event| *event == 't').is_none());
        ring.push(3, Arc::new('t'), 0);
        assert!(ring.take(2, |event| *event == 't').is_none(), "it lies behind a later value");
        assert_eq!(ring.take(3, |event| *event == 't').as_deref(), Some(&'t'));
        ring.push(4, Arc::new('b'), 0);
        assert_eq!(ring.latest().map(|(value, event)| (value, **event)), Some((4, 'b')));
    }
}
