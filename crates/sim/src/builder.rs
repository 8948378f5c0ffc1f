//! Building a sim: its seed, its devices, and how it is moved on.

use std::time::Duration;

use crate::sim::Sim;

/// How a [`Sim`] is to be.
///
/// # Examples
/// Two devices in one world, moved on by hand:
/// ```
/// use syncpoint::sim::Sim;
///
/// let sim = Sim::builder().seed(7).devices(2).stepped().build();
/// assert_eq!(sim.seed(), 7);
/// assert_eq!(sim.device(1)?.name(), "sim:1");
/// # Ok::<(), syncpoint::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "the world exists once it is built"]
pub struct Builder {
    pub(crate) seed: u64,
    pub(crate) devices: u32,
    pub(crate) stepped: bool,
    pub(crate) late: Duration,
    pub(crate) host_work: Duration,
}

/// How late the host may hear of an end: about what a poller of a GPU makes of it.
const LATE: Duration = Duration::from_micros(2);

impl Builder {
    pub(crate) fn new() -> Self {
        Self { seed: 0, devices: 1, stepped: false, late: LATE, host_work: Duration::ZERO }
    }

    /// What the orders are drawn from. 0 unless it is chosen.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(syncpoint::sim::Sim::builder().seed(7).build().seed(), 7);
    /// ```
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// How many devices the world has: `sim:0` and so on. 1 unless it is chosen.
    ///
    /// # Examples
    /// ```
    /// let sim = syncpoint::sim::Sim::builder().devices(3).build();
    /// assert_eq!(sim.device(2)?.name(), "sim:2");
    /// # Ok::<(), syncpoint::Error>(())
    /// ```
    pub fn devices(self, devices: u32) -> Self {
        Self { devices, ..self }
    }

    /// Nothing moves but by [`Sim::step`], [`Sim::run_until_idle`] and waits for points of this world: no thread is
    /// made, and host work runs on the thread that steps. Streams of other devices that wait for this world go on when
    /// somebody moves it.
    ///
    /// # Examples
    /// Nothing happens by itself:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// let sim = syncpoint::sim::Sim::builder().stepped().build();
    /// let stream = sim.device(0)?.stream()?;
    /// stream.enqueue(|| println!("on the thread that steps"))?;
    /// let done = stream.record()?;
    /// assert!(!done.query()?);
    /// sim.run_until_idle();
    /// assert!(done.query()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stepped(self) -> Self {
        Self { stepped: true, ..self }
    }

    /// How late, in virtual time, the host may hear of the end of an operation; a draw says how late. 2 µs unless it is
    /// chosen. The longer, the more the orders in which streams are heard differ from those in which they ended.
    ///
    /// # Examples
    /// A device that is heard at once:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// # use std::time::Duration;
    /// let sim = syncpoint::sim::Sim::builder().late(Duration::ZERO).stepped().build();
    /// let stream = sim.device(0)?.stream()?;
    /// stream.delay(Duration::from_micros(1))?;
    /// stream.synchronize()?;
    /// assert_eq!(sim.now(), Duration::from_micros(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn late(self, longest: Duration) -> Self {
        Self { late: longest, ..self }
    }

    /// How much virtual time host work takes at most; a draw says how much. None unless it is chosen.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// # use std::time::Duration;
    /// let builder = syncpoint::sim::Sim::builder().host_work(Duration::from_secs(1));
    /// let sim = builder.stepped().build();
    /// let stream = sim.device(0)?.stream()?;
    /// stream.enqueue(|| ())?;
    /// stream.synchronize()?;
    /// assert!(sim.now() > Duration::ZERO && sim.now() <= Duration::from_secs(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn host_work(self, longest: Duration) -> Self {
        Self { host_work: longest, ..self }
    }

    /// The world.
    pub fn build(self) -> Sim {
        Sim::new(self)
    }
}
