//! What the streams and buffers of one device share: its lines, its threads, and whether it is lost.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use syncpoint_base::watch_driver;
use syncpoint_core::errands::{Errands, Want};
use syncpoint_core::hold::{Domain, Ground};
use syncpoint_core::{Error, Result, work};

use crate::anchor::{Anchor, Reading};
use crate::driver::Machine;
use crate::line::{Line, Lines};
use crate::moments::{Moment, Moments};
use crate::stream::VulkanStream;
use crate::sync::{AtomicBool, Mutex, OnceLock, Ordering, lock};
use crate::sys::{
    self, Device, Graveyard, Meaning, Memory, Refusal, Rooms, Semaphore, Slot, Timing,
};
use crate::waiter::{self, Loss, Watch};

/// A device of ours. It ends when nobody has a device, stream, buffer or time of it.
#[derive(Debug)]
pub(crate) struct Context {
    ground: Ground,
    device: Device,
    lines: Lines,
    /// The streams of the device, which alone can wait for each other natively: another device has other semaphores.
    domain: Arc<Domain<VulkanStream>>,
    /// Rooms for times.
    rooms: Arc<Rooms>,
    /// A leaf: sums are made under it.
    anchor: Mutex<Anchor>,
    /// There where the driver reads two clocks at once.
    moments: Option<Moments>,
    /// Whether its driver was given up, whose device may be at work still.
    is_silent: AtomicBool,
    /// Who tells of a loss: none of the lines' waiters, which may be busy with a waker that waits for another line.
    losses: Arc<Errands<Loss>>,
    /// The bytes for edges of fills, made at the first need.
    edges: OnceLock<Arc<Memory>>,
    /// By how much the values of one semaphore may differ at a time.
    difference: u64,
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
        let queues = sys::Queue::all_of(&device).map_err(refused)?;
        // Once more: drivers and layers begin parts of theirs as a device is made.
        watch_driver();
        let difference = most.unwrap_or_else(|| physical.difference());
        let moments = Moments::begin(&device).map_err(refused)?;
        Ok(Self::over(name, (device, queues), difference, moments))
    }

    /// The same over a device that is there already, and its queues, at least one.
    pub(crate) fn over(
        name: String,
        (device, queues): (Device, Vec<sys::Queue>),
        difference: u64,
        moments: Option<Moments>,
    ) -> Arc<Self> {
        Arc::new(Self {
            device,
            lines: Lines::over(queues),
            domain: Domain::new(work::devices()),
            rooms: Arc::default(),
            anchor: Mutex::default(),
            moments,
            is_silent: AtomicBool::new(false),
            losses: Errands::new("syncpoint-loss"),
            edges: OnceLock::new(),
            difference,
            ground: Ground::new(name),
        })
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn lines(&self) -> &Lines {
        &self.lines
    }

    pub(crate) fn domain(&self) -> &Arc<Domain<VulkanStream>> {
        &self.domain
    }

    /// By how much the values of one semaphore may differ at a time.
    pub(crate) fn difference(&self) -> u64 {
        self.difference
    }

    /// Whether the device allows a semaphore to become `value`, from where it was seen.
    pub(crate) fn reaches(&self, semaphore: &Semaphore, value: u64) -> bool {
        value - semaphore.seen() <= self.difference
    }

    /// Whether more is signalled behind a value than a device allows to be on its way: so the semaphore has come to the value,
    /// and no submission may name it.
    pub(crate) fn is_far_beyond(&self, semaphore: &Semaphore, value: u64) -> bool {
        semaphore.promised().saturating_sub(value) > self.difference
    }

    /// The same from where it is, which the driver is asked where that is in doubt.
    pub(crate) fn allows(&self, semaphore: &Semaphore, value: u64) -> Result<bool, Refusal> {
        let is_near = self.reaches(semaphore, value);
        Ok(is_near || semaphore.look().map(|_seen| self.reaches(semaphore, value))?)
    }

    /// A room for a time.
    pub(crate) fn slot(self: &Arc<Self>) -> Result<Slot> {
        if let Some(slot) = self.rooms.lease() {
            return Ok(slot);
        }
        let _inside = self.enter()?;
        self.rooms.build(&self.device).map_err(|refusal| self.refused(refusal))
    }

    /// Whether absolute times are of the device's own clock, although the driver says that it reads the host's with it: it
    /// refused to as the device was opened.
    pub(crate) fn is_uncalibrated(&self) -> bool {
        self.moments.is_none() && self.device.reads_clocks()
    }

    /// Both clocks a few seconds ago at most, or longer where the driver refuses since; `None`: it does not read them at once.
    pub(crate) fn recent_moment(self: &Arc<Self>) -> Result<Option<Moment>> {
        let Some(moments) = &self.moments else { return Ok(None) };
        let _inside = self.enter()?;
        moments.recent(&self.device).map(Some).map_err(|refusal| self.refused(refusal))
    }

    /// The moments, with one of after this instant, where the driver reads another.
    pub(crate) fn moment_after(
        self: &Arc<Self>,
        instant: Instant,
    ) -> Result<Option<(&Moments, Option<Moment>)>> {
        let Some(moments) = &self.moments else { return Ok(None) };
        let _inside = self.enter()?;
        let after = moments.after(instant, &self.device).map_err(|refusal| self.refused(refusal));
        Ok(Some((moments, after?)))
    }

    /// The steps of an absolute time; `None`: the host saw too little to tell.
    pub(crate) fn absolute(&self, timing: Timing, reading: Reading) -> Option<i64> {
        lock(&self.anchor).tell(timing, reading)
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

    /// Whether the driver may be asked: the device is of this process, and not lost. Somebody waits, or asks: a loss for
    /// which no thread could be made is told to them.
    pub(crate) fn is_usable(&self) -> bool {
        let is_usable = self.ground.is_usable();
        if !is_usable && !self.is_inherited() {
            self.losses.retry(waiter::serve_losses);
        }
        is_usable
    }

    /// The error of a call that was refused. One that says that the device is lost is the first cause of all later ones.
    #[cold]
    pub(crate) fn refused(self: &Arc<Self>, refusal: Refusal) -> Error {
        if let Err(first) = self.check() {
            return first;
        }
        let error = refusal.error(&self.name());
        if refusal.is_in_doubt() {
            self.fall_silent();
        }
        if refusal.meaning() == Meaning::Lost { self.lose(&error) } else { error }
    }

    /// The same of a driver that answers nothing any more: it counts as lost from now on. The caller tells everybody.
    #[cold]
    pub(crate) fn give_up(&self, refusal: Refusal) -> Error {
        self.fall_silent();
        self.ground.lose(&refusal.error(&self.name()))
    }

    /// From now on nobody asks for the device's rest, which may never come. Before it is known as lost.
    fn fall_silent(&self) {
        // Release: pairs with `is_silent`.
        self.is_silent.store(true, Ordering::Release);
    }

    /// Whether the driver was given up.
    pub(crate) fn is_silent(&self) -> bool {
        // Acquire: pairs with `give_up`, which comes before anybody is told.
        self.is_silent.load(Ordering::Acquire)
    }

    /// The device is lost: everything of it that is not known complete fails, on a thread for that, since whoever finds it
    /// out may hold locks. Gives the first cause.
    #[cold]
    fn lose(self: &Arc<Self>, error: &Error) -> Error {
        let first = self.ground.lose(error);
        if first.is_same(error) {
            // Where no thread can be made it stays on the list, for whoever waits next, or for a waiter that has one: for
            // each, because one may be busy with a waker that waits for another.
            if !self.losses.give(Loss(Arc::clone(self), error.clone()), waiter::serve_losses) {
                self.lines().all().for_each(|line| self.wake_waiter(line));
            }
        }
        first
    }

    /// Has the waiter of a line look for losses; one whose thread can be made only now does as well. Takes no lock of its
    /// queue.
    fn wake_waiter(self: &Arc<Self>, line: &Arc<Line>) {
        let _nobody = line.waiter().offer(Watch::over(self, line), waiter::serve);
    }

    /// The losses of which nobody could be made to tell.
    pub(crate) fn untold_losses(&self) -> Vec<Loss> {
        self.losses.take_left()
    }

    /// Calls the waiter of a line to its queue, where somebody is to. Where its thread could not be made, whoever submits,
    /// waits or asks next tries again: one load where it could.
    pub(crate) fn see_served(self: &Arc<Self>, line: &Arc<Line>, want: Option<Want>) {
        match want {
            None => line.retry(),
            Some(want) => self.call_waiter(line, want),
        }
    }

    fn call_waiter(self: &Arc<Self>, line: &Arc<Line>, want: Want) {
        if !line.waiter().give(Watch::over(self, line), waiter::serve) {
            line.queue().row().leave_called(want);
        }
    }
}

impl Deref for Context {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}
