//! Handles given out and taken in: commands of others on our streams, and devices of others with a queue of theirs.

#![expect(unsafe_code, reason = "what a handle names only its owner can say")]

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Weak};

use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Device, Error, Kind, Reason, Result};

use crate::context::Context;
use crate::device::{context_of, device_over};
use crate::driver;
use crate::stream::VulkanStream;
use crate::sync::OnceLock;
use crate::sys::{Access, Handles, Refusal, device_of};

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
        stream.ok_or_else(|| {
            let message = "the stream that was lent is gone; submit inside the call only";
            Error::misuse(Reason::StaleHandle, message)
        })
    }

    /// The raw handles of the stream's device and queue: to record commands with, not to submit with.
    ///
    /// # Errors
    /// `Misuse(StaleHandle)`: the stream is gone.
    pub fn handles(&self) -> Result<Handles> {
        Ok(handles_of(self.stream()?.driver().context()))
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
    /// `DeviceLost`; the driver's: then nothing was submitted.
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

fn handles_of(context: &Context) -> Handles {
    let device = context.device();
    let [instance, physical_device, raw] = device.raw_handles();
    let (queue, queue_family) = (context.queue().raw(), device.physical().family());
    Handles { instance, physical_device, device: raw, queue_family, queue }
}

/// The raw handles of a device: of our own too, for commands that are submitted to its streams. They are good for as long
/// as anything of the device lives. On the queue of a device of ours nobody else may submit.
///
/// # Errors
/// `Misuse(WrongDevice)`: it is no device of Vulkan.
pub fn handles(device: &Device) -> Result<Handles> {
    context_of(device).map(|context| handles_of(&context))
}

/// Takes in a device that others made, with one of its queues. Its streams are made here and submit to that queue. `owner`
/// is kept until nothing of ours is left on the device, and dropped on a thread of ours.
///
/// # Safety
/// - The handles were made through the loader that this backend opens, and live for as long as `owner` does.
/// - The device was made with the feature of timeline semaphores, and with the extension where it has no Vulkan 1.2.
/// - The queue is of the family, which computes or copies. With [`Access::Dedicated`] nobody else submits to it or waits
///   for it to be idle while `owner` lives; otherwise whoever does holds the lock.
///
/// # Errors
/// `Misuse(StaleHandle)`: a handle is null. `Unavailable`: there is no loader. `Unsupported`: the device has no timeline
/// semaphores, or no such family. The driver's.
pub unsafe fn open_device<O>(handles: &Handles, access: Access, owner: O) -> Result<Device>
where
    O: Any + Send + Sync,
{
    let Handles { instance, physical_device, device, queue, .. } = *handles;
    if [instance, physical_device, device, queue].contains(&0) {
        let message = "a null handle names no device of Vulkan; give the handles of one";
        return Err(Error::misuse(Reason::StaleHandle, message));
    }
    let library = driver::begin()?.library();
    let name = format!("vulkan device {device:#x}");
    let refused = |refusal: Refusal| refusal.error(&name);
    // SAFETY: the caller's promise, and the owner is kept with the device.
    let given = unsafe { device_of(library, handles, access, Box::new(owner)) }.map_err(refused)?;
    let Some((device, queue)) = given else {
        let message = format!(
            "{name} has no timeline semaphores, or not the family of its queue; give another, or open vulkan:0"
        );
        return Err(Error::new(Kind::Unsupported, message));
    };
    let difference = device.physical().difference();
    Ok(device_over(Context::over(name, device, queue, difference)))
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Dedicated => "Dedicated",
            Self::Locked(_) => "Locked",
        })
    }
}
