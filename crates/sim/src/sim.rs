//! The handle of a simulated world.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use syncpoint_core::contract::set_driven;
use syncpoint_core::hold::Domain;
use syncpoint_core::{Device, Error, Reason, Result};

use crate::builder::Builder;
use crate::device::SimDevice;
use crate::driver::SimStream;
use crate::fault::Fault;
use crate::lane::nanos;
use crate::owner::Owner;
use crate::state::State;
use crate::world::{Pumps, World};

/// A simulated world: devices that share a virtual clock, and the hand that moves them and breaks them.
///
/// Its devices outlive it, and a stepped world whose handle is gone still moves by waits: for as long as somebody holds a
/// device, stream or buffer of it. Then what has not happened never does, and its points fail. `Send + Sync`.
///
/// In a child of a fork it stands still: time is zero, nothing happens, and what can be refused is.
///
/// # Examples
/// A seed brings back the same run:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use syncpoint::sim::Sim;
///
/// fn run(seed: u64) -> syncpoint::Result<String> {
///     let sim = Sim::builder().seed(seed).stepped().build();
///     let device = sim.device(0)?;
///     let (a, b) = (device.stream()?, device.stream()?);
///     let buffer = device.buffer(4096)?;
///     a.fill(&buffer, 0..4096, 1)?;
///     b.delay(std::time::Duration::from_micros(1))?;
///     b.wait_stream(&a)?;
///     b.synchronize()?;
///     Ok(sim.log())
/// }
/// assert_eq!(run(7)?, run(7)?);
/// # Ok(())
/// # }
/// ```
pub struct Sim {
    world: Arc<World>,
    domain: Arc<Domain<SimStream>>,
    owner: Arc<Owner>,
    devices: Vec<Device>,
    seed: u64,
}

impl Sim {
    /// A sim to be described.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(how: Builder) -> Self {
        if how.stepped {
            set_driven();
        }
        let names: Vec<String> = (0..how.devices).map(|index| format!("sim:{index}")).collect();
        let state = State::new(how.seed, names.len(), nanos(how.late), how.stepped);
        let world = Arc::new(World::new(state, names.clone(), how.host_work, !how.stepped));
        let domain = Domain::new(Arc::new(Pumps(Arc::clone(&world))));
        let owner = Arc::new(Owner::new(&world, &domain));
        let devices = (0..names.len()).map(|index| SimDevice::open(&owner, index)).collect();
        Self { world, domain, owner, devices, seed: how.seed }
    }

    /// The device, or another over the same where that was shut down.
    pub(crate) fn open(&self, index: u32) -> Result<Device> {
        let device = self.device(index)?;
        if !device.is_closed() {
            return Ok(device);
        }
        self.check(index).map(|index| SimDevice::open(&self.owner, index))
    }

    /// A device of the world, from 0. The same index gives the same device, also where that was shut down.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`: the world has fewer.
    ///
    /// # Examples
    /// ```
    /// let sim = syncpoint::sim::Sim::builder().devices(2).build();
    /// assert_eq!(sim.device(0)?, sim.device(0)?);
    /// assert!(sim.device(2).is_err());
    /// # Ok::<(), syncpoint::Error>(())
    /// ```
    pub fn device(&self, index: u32) -> Result<Device> {
        self.check(index).map(|index| self.devices[index].clone())
    }

    /// The seed from which the orders are drawn.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The virtual time since the world began.
    ///
    /// # Examples
    /// A delay takes exactly as long as it says, and no time of yours:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// # use std::time::Duration;
    /// let sim = syncpoint::sim::Sim::builder().stepped().build();
    /// let stream = sim.device(0)?.stream()?;
    /// stream.delay(Duration::from_secs(3600))?;
    /// stream.synchronize()?;
    /// assert!(sim.now() >= Duration::from_secs(3600));
    /// # Ok(())
    /// # }
    /// ```
    pub fn now(&self) -> Duration {
        if self.world.is_inherited() {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.world.state().now)
    }

    /// Lets one thing happen: an operation ends, the host hears of an end, or a stream that may go on does, and runs
    /// its host work on this thread. `false`: nothing is left to happen, unless somebody enqueues or opens a gate.
    ///
    /// An automatic world steps by itself; one step more does it no harm.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let sim = syncpoint::sim::Sim::builder().stepped().build();
    /// let stream = sim.device(0)?.stream()?;
    /// stream.delay(std::time::Duration::from_micros(1))?;
    /// assert!(sim.step()); // it ends
    /// assert!(sim.step()); // the host hears of it
    /// assert!(!sim.step());
    /// # Ok(())
    /// # }
    /// ```
    pub fn step(&self) -> bool {
        !self.world.is_inherited() && self.world.step()
    }

    /// Steps until nothing is left to happen; says how many steps that took.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let sim = syncpoint::sim::Sim::builder().stepped().build();
    /// let stream = sim.device(0)?.stream()?;
    /// stream.delay(std::time::Duration::from_micros(1))?;
    /// assert_eq!(sim.run_until_idle(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_until_idle(&self) -> u64 {
        let mut steps = 0;
        while self.step() {
            steps += 1;
        }
        steps
    }

    /// What has happened so far in a stepped world, one line each with its virtual time; streams are counted from 0 on
    /// each device. Empty in an automatic world.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let sim = syncpoint::sim::Sim::builder().late(std::time::Duration::ZERO).stepped().build();
    /// let stream = sim.device(0)?.stream()?;
    /// stream.delay(std::time::Duration::from_micros(1))?;
    /// sim.run_until_idle();
    /// assert_eq!(
    ///     sim.log(),
    ///     "        1000 ns  sim:0/0  ends 1: delay of 1µs\n        1000 ns  sim:0/0  tells 1\n"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn log(&self) -> String {
        if self.world.is_inherited() {
            return String::new();
        }
        self.world.state().log.text()
    }

    /// How many operations a device was given so far: fills, copies, delays, timed records, waits for its own world, and
    /// marks. They are counted from 1 in the order of submission; what is held is not submitted yet.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let sim = syncpoint::sim::Sim::builder().build();
    /// sim.device(0)?.stream()?.delay(std::time::Duration::ZERO)?;
    /// assert_eq!(sim.operations(0)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn operations(&self, device: u32) -> Result<u64> {
        self.check(device).map(|device| self.world.state().devices[device].plan.operations())
    }

    /// Plans a fault for an operation of a device, counted from 1 as [`operations`](Self::operations) does.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`: there is no such device, or the operation was submitted already.
    ///
    /// # Examples
    /// The next operation fails, and with it what waits for it:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// use syncpoint::sim::{Fault, Sim};
    /// # use std::time::Duration;
    ///
    /// let sim = Sim::builder().devices(2).stepped().build();
    /// let (a, b) = (sim.device(0)?.stream()?, sim.device(1)?.stream()?);
    /// sim.plan(0, sim.operations(0)? + 1, Fault::Fail)?;
    /// a.delay(Duration::from_micros(1))?;
    /// b.wait_stream(&a)?;
    /// let (first, second) = (a.synchronize().unwrap_err(), b.synchronize().unwrap_err());
    /// assert!(first.is_same(&second));
    /// # Ok(())
    /// # }
    /// ```
    pub fn plan(&self, device: u32, operation: u64, fault: Fault) -> Result<()> {
        let device = self.check(device)?;
        let plan = &mut self.world.state().devices[device].plan;
        if operation > plan.operations() {
            plan.add(operation, fault);
            return Ok(());
        }
        let message = format!(
            "operation {operation} of sim:{device} was submitted already; plan for {} or later",
            plan.operations() + 1
        );
        Err(Error::misuse(Reason::OutOfRange, message))
    }

    /// Loses a device now: everything of it that is not known complete fails, and what waits for it.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let sim = syncpoint::sim::Sim::builder().build();
    /// let stream = sim.device(0)?.stream()?;
    /// sim.lose(0)?;
    /// assert_eq!(stream.synchronize().unwrap_err().kind(), syncpoint::Kind::DeviceLost);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lose(&self, device: u32) -> Result<()> {
        let device = self.check(device)?;
        self.world.lose(device, &self.domain);
        Ok(())
    }

    /// Turns a device's clock back, so that it shows an earlier time from now on. Virtual time itself never runs
    /// backwards.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`.
    ///
    /// # Examples
    /// A time that nobody should believe is an error:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// # use std::time::Duration;
    /// let sim = syncpoint::sim::Sim::builder().stepped().build();
    /// let stream = sim.device(0)?.stream()?;
    /// let start = stream.record_timed()?;
    /// stream.synchronize()?;
    /// sim.turn_clock_back(0, Duration::from_millis(1))?;
    /// let end = stream.record_timed()?;
    /// end.synchronize()?;
    /// assert_eq!(end.elapsed_since(&start).unwrap_err().kind(), syncpoint::Kind::Driver);
    /// # Ok(())
    /// # }
    /// ```
    pub fn turn_clock_back(&self, device: u32, by: Duration) -> Result<()> {
        let device = self.check(device)?;
        let turned_back = &mut self.world.state().devices[device].turned_back;
        *turned_back = turned_back.saturating_add(nanos(by));
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    fn check(&self, index: u32) -> Result<usize> {
        let known = usize::try_from(index).ok();
        let found = known.and_then(|known| Some((known, self.devices.get(known)?)));
        let Some((known, device)) = found else { return Err(self.does_not_exist(index)) };
        device.check_process()?;
        Ok(known)
    }

    #[cold]
    fn does_not_exist(&self, index: u32) -> Error {
        let count = self.devices.len();
        let message = format!("sim:{index} does not exist; this sim has {count}, counted from 0");
        Error::misuse(Reason::OutOfRange, message)
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sim(seed {}, {} devices)", self.seed, self.devices.len())
    }
}
