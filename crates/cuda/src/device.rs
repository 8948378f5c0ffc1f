//! Devices: the primary contexts of the driver's devices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{
    ForeignEvent, Import, NativeEvent, NativeExport, NativeOffer, RawBuffer, RawDevice, RawStream,
};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{
    Capabilities, Clock, Device, Error, EventOptions, Kind, PriorityRange, Reason, Result,
    Timeline, work,
};

use crate::buffer::CudaBuffer;
use crate::context::{Context, domain};
use crate::driver;
use crate::event::{Native, external};
use crate::latch;
use crate::paged::paged;
use crate::share::share;
use crate::stream::CudaStream;
use crate::sys::Library;
use crate::time::{RESOLUTION, step};

/// One device, over a context that it shares with what was made of it.
#[derive(Debug)]
struct CudaDevice {
    context: Arc<Context>,
    priorities: PriorityRange,
}

/// How a device is to be opened.
///
/// # Examples
/// Streams of others that wait for what the host does:
/// ```no_run
/// use std::time::Duration;
///
/// let device = syncpoint::cuda::builder().device_gates(Duration::from_secs(10)).open(0)?;
/// # drop(device);
/// # Ok::<(), syncpoint::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "the device is there once it is opened"]
pub struct Builder {
    pub(crate) gates: Option<Duration>,
}

/// How a device is to be opened: to be chosen step by step.
pub fn builder() -> Builder {
    Builder::default()
}

impl Builder {
    /// Lets streams that others launch on too wait for gates, for host work and for points of other backends: the device
    /// itself stands before a word of memory until the host writes it (`cuStreamWaitValue64`), for `deadline` at most from
    /// when it has come there; then it is let go, with its stream failed.
    ///
    /// All its streams then wait so for events of other processes, if those export from a device with gates: that device
    /// writes words to the page that the processes share (`cuStreamWriteValue64`), one more call with each record.
    ///
    /// A device that stands is a hazard. Streams share hardware queues, 8 for a context as a rule, and then others stand with
    /// it: no more may stand at once than there are queues for, if others are to go on. A call that waits for the whole device (a
    /// free, a first launch of a kernel) waits for it too, and where the host does such a call before it lets the stream go,
    /// nothing moves until the deadline. That is kept by a thread of its own, which never calls the driver: while the driver
    /// keeps all who ask it how far the device is, the time runs as if that stood already.
    ///
    /// The deadline is for streams. To hear of a word of another process the device waits on a stream of our own too, one for
    /// each event: that one stands for as long as the other process lives and does not come to its record.
    pub fn device_gates(mut self, deadline: Duration) -> Self {
        self.gates = Some(deadline);
        self
    }

    /// Opens a device, by the driver's number of it.
    ///
    /// # Errors
    /// As [`open`]. `Unsupported`: the streams of the device do not wait for words, although it may say that they do:
    /// that is tried out. Only where a stream never goes on that takes half a minute.
    pub fn open(self, index: u32) -> Result<Device> {
        open_with(index, self)
    }
}

/// Opens a device, by the driver's number of it. Begins the driver; makes no thread.
///
/// Each call gives a device of its own over the same context of the driver's: `syncpoint::open("cuda:0")` gives the same
/// one to everybody.
///
/// # Errors
/// `Unavailable`: there is no driver, it cannot begin, or it has no device; the message says what was tried.
/// `Misuse(OutOfRange)`: it has fewer. The driver's.
pub fn open(index: u32) -> Result<Device> {
    open_with(index, builder())
}

fn open_with(index: u32, how: Builder) -> Result<Device> {
    let driver = driver::found()?;
    let count = driver.begin()?;
    if count == 0 {
        let message = format!(
            "the driver of CUDA ({}) has no device; look whether one is hidden from this process",
            driver.library().name()
        );
        return Err(Error::new(Kind::Unavailable, message));
    }
    if index >= count {
        let message = format!("cuda:{index} does not exist; cuda has {count}, counted from 0");
        return Err(Error::misuse(Reason::OutOfRange, message));
    }
    device_over(Context::open(driver.library(), index, how.gates)?)
}

/// A device over a context.
///
/// # Errors
/// As [`Builder::open`].
pub(crate) fn device_over(context: Arc<Context>) -> Result<Device> {
    if context.gates().is_some() {
        latch::try_out(&context)?;
    }
    let (name, priorities) = (context.name().to_owned(), priorities(&context)?);
    let face = (capabilities(&context, priorities), clock(&context));
    Ok(Device::new(name, Arc::new(CudaDevice { context, priorities }), face))
}

/// How many devices there are. Begins the driver.
///
/// # Errors
/// `Unavailable`: there is no driver, or it cannot begin.
pub fn count() -> Result<u32> {
    driver::found()?.begin()
}

/// Whether there is a driver, and how many devices it has where it has begun: `None` where it has not, since that takes
/// long and cannot be undone.
///
/// # Errors
/// `Unavailable`: there is no driver; the message says what was tried.
pub fn available() -> Result<Option<u32>> {
    driver::found().map(|_found| driver::counted())
}

/// The context of a device.
///
/// # Errors
/// `Misuse(WrongDevice)`: it is no CUDA device.
pub(crate) fn context_of(device: &Device) -> Result<Arc<Context>> {
    let device = device.of_backend::<CudaDevice>("CUDA", "cuda:0")?;
    Ok(Arc::clone(&device.context))
}

fn capabilities(context: &Context, priorities: PriorityRange) -> Capabilities {
    let library = context.primary().library();
    let capabilities = Capabilities::new(priorities).with_interprocess().with_native_handles();
    let capabilities = if is_timed(library) { capabilities.with_timing() } else { capabilities };
    if has_external(library) { capabilities.with_external() } else { capabilities }
}

fn is_timed(library: &Library) -> bool {
    library.has("cuEventElapsedTime") || library.has("cuEventElapsedTime_v2")
}

fn has_external(library: &Library) -> bool {
    library.has("cuEventRecordWithFlags") && library.has("cuStreamIsCapturing")
}

/// Where the driver does not tell, there is one priority.
fn priorities(context: &Arc<Context>) -> Result<PriorityRange> {
    match context.primary().priorities() {
        Ok((least, greatest)) => Ok(PriorityRange::new(least, greatest)),
        Err(refusal) if refusal.is_missing() => Ok(PriorityRange::new(0, 0)),
        Err(refusal) => Err(context.refused(&refusal)),
    }
}

fn clock(context: &Context) -> Clock {
    let device = context.name();
    let name = match context.primary().device_name() {
        Some(name) => format!("{device} ({name}) events"),
        None => format!("{device} events"),
    };
    Clock::with_steps(name, RESOLUTION, step)
}

impl RawDevice for CudaDevice {
    fn stream(&self, timeline: Timeline, priority: i32) -> Result<Arc<dyn RawStream>> {
        let driver = CudaStream::new(&self.context, priority)?;
        let level = work::level_of(priority, self.priorities);
        Ok(HeldStream::new(timeline, domain(), driver, level))
    }

    fn event(&self, options: EventOptions) -> Result<Arc<dyn NativeEvent>> {
        Ok(Arc::new(Native::own(&self.context, options)?))
    }

    fn share(&self, offer: NativeOffer) -> Result<Arc<dyn NativeExport>> {
        share(&self.context, offer)
    }

    fn import(&self, import: Arc<Import>) -> Result<Arc<dyn ForeignEvent>> {
        Ok(paged(&self.context, import))
    }

    fn external_event(
        &self,
        device: &Device,
        options: EventOptions,
    ) -> Result<Arc<dyn ForeignEvent>> {
        external(device, &self.context, options)
    }

    fn buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Ok(Arc::new(CudaBuffer::new(&self.context, bytes)?))
    }

    fn host_buffer(&self, bytes: u64) -> Result<Arc<dyn RawBuffer>> {
        Ok(Arc::new(CudaBuffer::on_host(&self.context, bytes)?))
    }

    fn is_lost(&self) -> bool {
        self.context.is_lost()
    }

    fn shutdown(&self, deadline: Instant) -> Result<()> {
        let is_its = |stream: &CudaStream| Arc::ptr_eq(stream.context(), &self.context);
        domain().shut_down(self.context.name(), is_its, deadline)
    }
}
