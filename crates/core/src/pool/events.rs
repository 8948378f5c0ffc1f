//! The event pool.

use std::sync::{Arc, Weak};

use crate::device::Device;
use crate::error::Result;
use crate::event::Event;
use crate::event_options::EventOptions;
use crate::place::Place;
use crate::pool::lending::{Counter, Lends, Loan, LoanTicket, PoolStatistics};

/// Lends events, by device and options, the last brought back first.
///
/// A lent event is as new: never recorded, with an id that nothing had before. The pool may be dropped before what it
/// lent. It serves any device. Makes no driver call where nothing has to be made. `Send + Sync`.
///
/// # Examples
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use syncpoint::{EventOptions, EventPool};
///
/// let device = syncpoint::open("host:0")?;
/// let pool = EventPool::bounded(1000);
/// pool.warm_up(&device, EventOptions::new(), 8)?;
/// let event = pool.event(&device, EventOptions::new())?;
/// event.record(&device.stream()?)?;
/// event.synchronize()?;
/// drop(event);
/// assert_eq!((pool.statistics().in_use, pool.statistics().idle), (0, 8));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EventPool(Arc<Counter<Event>>);

impl EventPool {
    /// A pool that grows as it must.
    pub fn new() -> Self {
        Self::bounded(usize::MAX)
    }

    /// A pool that lends at most this many at once, and keeps at most as many idle.
    pub fn bounded(most: usize) -> Self {
        Self(Counter::new(most))
    }

    /// Lends an event of a device.
    ///
    /// # Errors
    /// `Exhausted`: the bound is reached. As [`Device::event_with`].
    #[track_caller]
    pub fn event(&self, device: &Device, options: EventOptions) -> Result<Loan<Event>> {
        let place = Place::caller();
        self.0.lend((device.clone(), options), place, || device.event_with(options))
    }

    /// Makes this many idle events more, ahead of need.
    ///
    /// # Errors
    /// `Exhausted`: more than the bound would be idle. As [`Device::event_with`]. Those made before stay.
    pub fn warm_up(&self, device: &Device, options: EventOptions, count: usize) -> Result<()> {
        let key = (device.clone(), options);
        let make = || {
            let mut event = device.event_with(options)?;
            // On the shelf an event is between two lives.
            event.clear();
            Ok(event)
        };
        (0..count).try_for_each(|_| self.0.stock(&key, make))
    }

    /// Drops the idle events. Those in use are not touched.
    pub fn empty_cache(&self) {
        self.0.empty();
    }

    /// What the pool counts.
    pub fn statistics(&self) -> PoolStatistics {
        self.0.statistics()
    }

    /// Where each event now in use was asked for: what to look at when one never comes back. Empty in release builds.
    pub fn loans(&self) -> Vec<Place> {
        self.0.places()
    }
}

impl Default for EventPool {
    fn default() -> Self {
        Self::new()
    }
}

impl Lends for Event {
    type Key = (Device, EventOptions);

    fn refresh(&mut self) {
        self.renew();
    }

    /// An event names points and holds no work: it is clean as soon as it names none.
    fn bring_back(
        mut self: Box<Self>,
        counter: Weak<Counter<Self>>,
        ticket: LoanTicket<Self::Key>,
    ) {
        let Some(counter) = counter.upgrade() else { return };
        if self.is_exported() {
            // Others may hold its handle: it ends, and another takes its place.
            counter.write_off(&ticket);
            return;
        }
        self.clear();
        counter.put(self, &ticket);
    }
}
