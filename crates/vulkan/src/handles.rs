//! Handles given out and taken in: commands of others on our streams, and devices of others with a queue of theirs.

#![expect(unsafe_code, reason = "what a handle names only its owner can say")]

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Weak};

use syncpoint_core::contract::Owner;
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Device, Error, Kind, Reason, Result};

use crate::context::Context;
use crate::device::{context_of, device_over};
use crate::driver;
use crate::moments::Moments;
use crate::queue::Queue;
use crate::stream::VulkanStream;
use crate::sync::OnceLock;
use crate::sys::{Access, Handles, Lock, Refusal, device_of};

/// What [`Stream::submit`](syncpoint_core::Stream::submit) lends for the length of a call:
/// `submission.native::<RawStream>()`. It submits commands of the caller's, in the order of the stream.
#[derive(Default)]
pub struct RawStream {
    stream: OnceLock<Weak<HeldStream<VulkanStream>>>,
}

impl RawStream {
    pub(crate) fn lend(&self, stream: &Arc<HeldStream<VulkanStream>>) {
        let _once = self.stream.set(Arc::downgrade(stream));
    }

    fn stream(&self) -> Result<Arc<HeldStream<VulkanStream>>> {
        let stream = self.stream.get().and_then(Weak::upgrade);
        let stream = stream.ok_or_else(|| {
            let message = "the stream that was lent is gone; submit inside the call only";
            Error::misuse(Reason::StaleHandle, message)
        })?;
        if stream.driver().context().is_inherited() {
            let message = "the stream was lent before this process was forked, and stayed with the parent; open a device \
                           and make streams anew in the child";
            return Err(Error::new(Kind::Unavailable, message));
        }
        Ok(stream)
    }

    /// The raw handles of the stream's device and of its own queue: to record commands with, not to submit with.
    ///
    /// # Errors
    /// `Misuse(StaleHandle)`: the stream is gone. `Unavailable`: it is the parent's, from which this process was forked.
    pub fn handles(&self) -> Result<Handles> {
        let stream = self.stream()?;
        Ok(handles_of(stream.driver().context(), stream.driver().queue()))
    }

    /// Submits command buffers (`VkCommandBuffer`), behind everything that the stream was given before, and before what it
    /// is given later. May be called several times in one call, each behind the one before.
    ///
    /// # Safety
    /// - They were recorded for the family and the device of [`handles`](Self::handles), and are on no queue.
    /// - They and all that they use live, and are left alone, until a point of the stream recorded behind the call has
    ///   come, or its device is gone.
    ///
    /// # Errors
    /// `Exhausted`: there is no memory, or more than the device allows are on their way
    /// (`maxTimelineSemaphoreValueDifference`, 2³¹ - 1 at least); nothing was submitted. `DeviceLost`: also by a code that
    /// leaves open whether the commands run. As [`handles`](Self::handles).
    ///
    /// # Examples
    /// A command buffer of the program's own, in the order of a stream and timed by it:
    /// ```no_run
    /// # fn main() -> syncpoint::Result<()> {
    /// # let command_buffer = 0;
    /// use syncpoint::vulkan::RawStream;
    ///
    /// let stream = syncpoint::open("vulkan:0")?.stream()?;
    /// let start = stream.record_timed()?;
    /// stream.submit(move |submission| match submission.native::<RawStream>() {
    ///     // SAFETY: it was recorded for the stream's device and family, and is kept until the stream is synchronized.
    ///     Some(raw) => unsafe { raw.submit(&[command_buffer]) },
    ///     None => Ok(()), // another backend
    /// })?;
    /// let end = stream.record_timed()?;
    /// end.synchronize()?;
    /// println!("{:?}", end.elapsed_since(&start)?);
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn submit(&self, commands: &[usize]) -> Result<()> {
        let stream = self.stream()?;
        VulkanStream::pass(&stream, |batch| {
            // SAFETY: the caller's promise.
            unsafe { batch.others(commands) };
        })
    }
}

impl fmt::Debug for RawStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RawStream")
    }
}

fn handles_of(context: &Context, queue: &Queue) -> Handles {
    let device = context.device();
    let [instance, physical_device, raw] = device.raw_handles();
    let (queue, queue_family) = (queue.raw(), device.physical().family());
    Handles { instance, physical_device, device: raw, queue_family, queue }
}

/// The raw handles of a device: of our own too, for commands that are submitted to its streams. They are good for as long
/// as anything of the device lives. The queue is the first of those that its streams use ([`RawStream::handles`] tells a
/// stream's own); on the queues of a device of ours nobody else may submit, nor wait for the device to be idle while anybody uses a stream
/// of it: `vkDeviceWaitIdle` wants all queues for itself.
///
/// # Errors
/// `Misuse(WrongDevice)`: it is no device of Vulkan.
pub fn handles(device: &Device) -> Result<Handles> {
    context_of(device).map(|context| handles_of(&context, context.lines().first().queue()))
}

/// Takes in a device that other code made, with one of its queues. Streams of the resulting device submit to that queue.
/// `owner` is kept until nothing of this library is left on the device, and dropped on a thread of this library, at once
/// where the device is refused; so is the lock.
///
/// Absolute times are the host's where the device was made with `VK_KHR_calibrated_timestamps`, or `EXT`, and otherwise of
/// the device's own clock. A queue that only copies has no times.
///
/// # Safety
/// - The handles were made through the loader that this backend opens, and live for as long as `owner` does.
/// - The device was made with the feature of timeline semaphores, and with the extension where it or its instance has no
///   Vulkan 1.2.
/// - The queue is of the family, which computes or copies. With [`Access::Dedicated`] nobody else submits to it or waits
///   for it, or for the whole device, to be idle while `owner` lives; otherwise whoever does holds the lock.
///
/// # Errors
/// `Misuse(StaleHandle)`: a handle is null. `Unavailable`: there is no loader. `Unsupported`: the instance is of Vulkan 1.0,
/// or the device has no timeline semaphores, or no such family; the message says which. The driver's.
///
/// # Examples
/// A renderer's device, with a queue that nobody else uses:
/// ```no_run
/// # fn main() -> syncpoint::Result<()> {
/// # let (instance, physical_device, device, queue_family, queue, renderer) = (0, 0, 0, 0, 0, ());
/// use syncpoint::vulkan::{Access, Handles, open_device};
///
/// let handles = Handles { instance, physical_device, device, queue_family, queue };
/// // SAFETY: the renderer keeps all of them alive, and submits to another queue.
/// let device = unsafe { open_device(&handles, Access::Dedicated, renderer) }?;
/// let stream = device.stream()?;
/// # drop(stream);
/// # Ok(())
/// # }
/// ```
pub unsafe fn open_device<O>(handles: &Handles, access: Access, owner: O) -> Result<Device>
where
    O: Any + Send + Sync,
{
    // From here on its end comes on a thread of ours, also where it is refused.
    let (owner, lock) = (Owner::new(owner), Lock::of(access));
    let Handles { instance, physical_device, device, queue, .. } = *handles;
    if [instance, physical_device, device, queue].contains(&0) {
        let message = "a null handle names no device of Vulkan; give the handles of one";
        return Err(Error::misuse(Reason::StaleHandle, message));
    }
    let library = driver::begin()?.library();
    let name = format!("vulkan device {device:#x}");
    let refused = |refusal: Refusal| refusal.error(&name);
    // SAFETY: the caller's promise, and the owner is kept with the device.
    let given = unsafe { device_of(library, handles, lock, owner) }.map_err(refused)?;
    let (device, queue) = given.map_err(|lack| {
        let message = format!(
            "{name} is of no use: {lack}; give another, of an instance for Vulkan 1.1 or later, or open vulkan:0"
        );
        Error::unsupported(message)
    })?;
    let difference = device.physical().difference();
    let moments = Moments::begin(&device).map_err(refused)?;
    Ok(device_over(Context::over(name, (device, vec![queue]), difference, moments)))
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Dedicated => "Dedicated",
            Self::Locked(_) => "Locked",
        })
    }
}
