//! What the streams and buffers of one device share: its queue, its threads, and whether it is lost.

use std::sync::Arc;

use syncpoint_base::{Inside, Process, watch_driver};
use syncpoint_core::errands::Errands;
use syncpoint_core::hold::Domain;
use syncpoint_core::{Error, Kind, Result, work};

use crate::delay::Delay;
use crate::driver::Machine;
use crate::queue::Queue;
use crate::stream::VulkanStream;
use crate::sync::{Mutex, OnceLock, lock};
use crate::sys::{self, Device, Graveyard, Meaning, Memory, QueryPool, Refusal, Slot};
use crate::waiter::{self, Watch};

/// A device of ours. It ends when nobody has a device, stream, buffer or time of it.
#[derive(Debug)]
pub(crate) struct Context {
    name: String,
    process: Process,
    device: Device,
    queue: Queue,
    /// The streams of the device, which alone can wait for each other natively: another device has other semaphores.
    domain: Arc<Domain<VulkanStream>>,
    /// Rows of rooms for times. Guards the list alone.
    queries: Mutex<Vec<Arc<QueryPool>>>,
    /// The bytes for edges of fills, made at the first need.
    edges: OnceLock<Arc<Memory>>,
    /// The first cause, where the device is lost.
    lost: OnceLock<Error>,
    /// By how much the values of one semaphore may differ at a time.
    difference: u64,
    waiter: Arc<Errands<Watch>>,
    delays: Arc<Errands<Delay>>,
}

impl Context {
    /// Opens a device, by its number.
    ///
    /// # Errors
    /// As [`Machine::device`]; the driver's.
    pub(crate) fn open(machine: &Machine, index: u32, most: Option<u64>) -> Result<Arc<Self>> {
        let (name, physical) = (format!("vulkan:{index}"), machine.device(index)?);
        let refused = |refusal: Refusal| refusal.error(&name);
        let device = Device::create(machine.instance(), physical, &Graveyard::new());
        let device = device.map_err(refused)?;
        let queue = sys::Queue::of(&device).map_err(refused)?;
        // Once more: drivers and layers begin parts of theirs as a device is made.
        watch_driver();
        let difference = most.unwrap_or_else(|| physical.difference());
        Ok(Self::over(name, device, queue, difference))
    }

    /// The same over a device that is there already, and its queue.
    pub(crate) fn over(
        name: String,
        device: Device,
        queue: sys::Queue,
        difference: u64,
    ) -> Arc<Self> {
        Arc::new(Self {
            process: Process::current(),
            device,
            queue: Queue::new(queue),
            domain: Domain::new(work::devices()),
            queries: Mutex::default(),
            edges: OnceLock::new(),
            lost: OnceLock::new(),
            difference,
            waiter: Errands::new("syncpoint-vulkan"),
            delays: Errands::new("syncpoint-delay"),
            name,
        })
    }

    /// The name of the device, such as `vulkan:0`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(crate) fn domain(&self) -> &Arc<Domain<VulkanStream>> {
        &self.domain
    }

    pub(crate) fn delays(&self) -> &Arc<Errands<Delay>> {
        &self.delays
    }

    pub(crate) fn difference(&self) -> u64 {
        self.difference
    }

    /// A room for a time.
    pub(crate) fn slot(self: &Arc<Self>) -> Result<Slot> {
        let leased = lock(&self.queries).iter().rev().find_map(QueryPool::lease);
        if let Some(slot) = leased {
            return Ok(slot);
        }
        let _inside = self.enter()?;
        let pool = QueryPool::create(&self.device).map_err(|refusal| self.refused(refusal))?;
        let slot = pool.lease().unwrap_or_else(|| unreachable!("a new row has rooms"));
        lock(&self.queries).push(pool);
        Ok(slot)
    }

    /// The bytes for edges of fills.
    pub(crate) fn edges(self: &Arc<Self>) -> Result<&Arc<Memory>> {
        if let Some(edges) = self.edges.get() {
            return Ok(edges);
        }
        let _inside = self.enter()?;
        let made = sys::edges(&self.device).map_err(|refusal| self.refused(refusal))?;
        Ok(self.edges.get_or_init(|| Arc::new(made)))
    }

    /// Refuses a device that is lost, with the first cause, before the driver is asked.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        self.lost.get().map_or(Ok(()), |first| Err(first.clone()))
    }

    /// Whether the driver may be asked: the device is of this process, and not lost.
    pub(crate) fn is_usable(&self) -> bool {
        self.process.is_current() && self.lost.get().is_none()
    }

    /// The error of a call that was refused. One that says that the device is lost is the first cause of all later ones.
    #[cold]
    pub(crate) fn refused(self: &Arc<Self>, refusal: Refusal) -> Error {
        if let Some(first) = self.lost.get() {
            return first.clone();
        }
        let error = refusal.error(&self.name);
        if refusal.meaning() == Meaning::Lost { self.lose(&error) } else { error }
    }

    /// The device is lost: everything of it that is not known complete fails, on the waiter, since whoever finds it out
    /// may hold locks. Gives the first cause.
    #[cold]
    fn lose(self: &Arc<Self>, error: &Error) -> Error {
        let first = self.lost.get_or_init(|| error.clone());
        if first.is_same(error) {
            self.watch(Watch::Lose(Arc::clone(self), error.clone()));
        }
        first.clone()
    }

    /// Goes to the driver, unless the device is lost or the process comes to its end, and the driver with it.
    ///
    /// # Errors
    /// `DeviceLost`; `Unavailable`.
    pub(crate) fn enter(&self) -> Result<Inside> {
        self.check()?;
        Inside::enter().ok_or_else(|| self.ending())
    }

    #[cold]
    fn ending(&self) -> Error {
        let message =
            format!("{} takes nothing while the process exits; shut it down before", self.name);
        Error::new(Kind::Unavailable, message)
    }

    /// Gives the waiter something to do.
    pub(crate) fn watch(&self, watch: Watch) {
        self.waiter.give(watch, waiter::serve);
    }
}
