//! The calls: each of the protocol's is one of Metal's, inside an autorelease pool of its own.
//!
//! But for the address of a queue, which asks Metal nothing, and for a command buffer that is not committed: the protocol
//! lets go of it inside a pool.

#![expect(unsafe_code, reason = "calls of Metal, whose objects check nothing")]

use std::fmt;
use std::ops::Range;
use std::ptr::NonNull;
use std::time::Duration;

use block2::RcBlock;
use objc2::rc::{Retained, autoreleasepool};
use objc2::runtime::{NSObjectProtocol, ProtocolObject};
use objc2::sel;
use objc2_foundation::NSError;
use objc2_metal::{
    MTLBuffer, MTLCommandBuffer, MTLCommandBufferErrorDomain, MTLCommandBufferStatus,
    MTLCommandQueue, MTLDevice, MTLEvent, MTLResourceOptions, MTLSharedEvent,
};
use syncpoint_base::{read_bytes, write_bytes};
use syncpoint_core::contract::contain;

use super::bytes::{self, Pipeline};
use crate::calls::{Bytewise, Calls, End, Ended, Kernel, Killed, Refusal, Status};
use crate::sync::{Mutex, OnceLock, lock};

// Where no framework of a program's brings it, macOS has no default device (objc2-metal's and Apple's documentation).
#[cfg(target_os = "macos")]
#[link(name = "CoreGraphics", kind = "framework")]
unsafe extern "C" {}

/// A device of Metal.
pub(crate) struct Metal {
    pub(super) device: Retained<ProtocolObject<dyn MTLDevice>>,
}

/// What [`Stream::submit`](syncpoint_core::Stream::submit) lends for the length of a call:
/// `submission.native::<RawQueue>()`. The command queue of the stream.
///
/// Command buffers that are committed inside the call come behind everything that the stream was given before, and before
/// what it is given later; commit inside the call only, since what comes later overtakes what the stream holds on the host.
/// They are not the library's: that one was killed nobody hears of but whoever asks it. Between
/// them and those of the library there is room for 64. One that is enqueued and not committed as the call ends holds up what
/// comes behind it on the queue, for as long as it is not.
pub struct RawQueue {
    pub(super) queue: Retained<ProtocolObject<dyn MTLCommandQueue>>,
}

impl RawQueue {
    /// The queue.
    pub fn command_queue(&self) -> &ProtocolObject<dyn MTLCommandQueue> {
        &self.queue
    }
}

/// A shared event.
pub(crate) struct SharedEvent(pub(super) Retained<ProtocolObject<dyn MTLSharedEvent>>);

/// A buffer in shared storage.
pub(crate) struct Memory(Retained<ProtocolObject<dyn MTLBuffer>>);

// SAFETY: Metal counts the names of a buffer atomically and lets it be used from any thread (Apple's manual,
// *documented*); its bytes are copied, never borrowed, and the lock of the buffer keeps threads of the host from copying
// to and fro at once.
unsafe impl Send for Memory {}

// SAFETY: as above.
unsafe impl Sync for Memory {}

/// A command buffer that one thread puts together.
pub(crate) struct Commands(pub(super) Retained<ProtocolObject<dyn MTLCommandBuffer>>);

impl Metal {
    pub(super) fn new(device: Retained<ProtocolObject<dyn MTLDevice>>) -> Self {
        Self { device }
    }
}

/// A number of Metal's own width, which is 64 bits wherever Metal is.
pub(super) fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

impl Memory {
    pub(super) fn raw(&self) -> &ProtocolObject<dyn MTLBuffer> {
        &self.0
    }

    /// The address of bytes that lie inside.
    fn at(&self, offset: u64, len: usize) -> NonNull<u8> {
        let (start, all) = (size(offset), self.0.length());
        let is_inside = start.checked_add(len).is_some_and(|end| end <= all);
        assert!(is_inside, "a part outside its buffer");
        // SAFETY: it lies inside the buffer, whose contents are one piece of memory for as long as it lives.
        unsafe { self.0.contents().cast::<u8>().add(start) }
    }
}

impl Calls for Metal {
    type Queue = RawQueue;
    type Event = SharedEvent;
    type Memory = Memory;
    type Pipeline = Pipeline;
    type Commands = Commands;

    fn name(&self) -> String {
        autoreleasepool(|_| self.device.name().to_string())
    }

    fn queue(&self, most: usize) -> Option<RawQueue> {
        autoreleasepool(|_| {
            let queue = self.device.newCommandQueueWithMaxCommandBufferCount(most)?;
            Some(RawQueue { queue })
        })
    }

    fn identity(queue: &RawQueue) -> usize {
        Retained::as_ptr(&queue.queue).cast::<()>().addr()
    }

    fn event(&self) -> Option<SharedEvent> {
        autoreleasepool(|_| self.device.newSharedEvent().map(SharedEvent))
    }

    fn memory(&self, bytes: u64) -> Option<Memory> {
        let options = MTLResourceOptions::StorageModeShared;
        let made = autoreleasepool(|_| {
            let size = usize::try_from(bytes)
                .ok()
                .filter(|size| *size <= self.device.maxBufferLength())?;
            self.device.newBufferWithLength_options(size, options)
        });
        let memory = Memory(made?);
        let start = autoreleasepool(|_| memory.at(0, size(bytes)));
        // SAFETY: all of the buffer, which nobody else knows yet.
        unsafe { start.write_bytes(0, size(bytes)) };
        Some(memory)
    }

    fn read(&self, memory: &Memory, offset: u64, bytes: &mut [u8]) {
        let from = autoreleasepool(|_| memory.at(offset, bytes.len()));
        // SAFETY: it lies inside; the device may write there meanwhile, where the program is wrong, and then what is read
        // is any bytes.
        unsafe { read_bytes(from.as_ptr(), bytes) };
    }

    fn write(&self, memory: &Memory, offset: u64, bytes: &[u8]) {
        let to = autoreleasepool(|_| memory.at(offset, bytes.len()));
        // SAFETY: as above.
        unsafe { write_bytes(to.as_ptr(), bytes) };
    }

    fn commands(&self, queue: &RawQueue, ended: Ended) -> Option<Commands> {
        autoreleasepool(|_| {
            let commands = queue.queue.commandBuffer()?;
            let ended = Mutex::new(Some(ended));
            let block =
                RcBlock::new(move |commands: NonNull<ProtocolObject<dyn MTLCommandBuffer>>| {
                    // SAFETY: Metal lends the command buffer for the call.
                    let Some(end) = end_of(unsafe { commands.as_ref() }) else { return };
                    let ended = lock(&ended).take();
                    // A panic may not go through Metal's frames; there is none to be expected.
                    let _ended = contain(|| ended.map(|ended| ended(end)));
                });
            // SAFETY: the block is valid, Metal copies it, and what it holds may be used on any thread.
            unsafe { commands.addCompletedHandler(RcBlock::as_ptr(&block)) };
            Some(Commands(commands))
        })
    }

    fn wait(&self, commands: &mut Commands, event: &SharedEvent, value: u64) {
        autoreleasepool(|_| commands.0.encodeWaitForEvent_value(event.as_event(), value));
    }

    fn signal(&self, commands: &mut Commands, event: &SharedEvent, value: u64) {
        autoreleasepool(|_| commands.0.encodeSignalEvent_value(event.as_event(), value));
    }

    fn pipeline(&self, kernel: Kernel) -> Result<Pipeline, Refusal> {
        autoreleasepool(|_| bytes::compile(&self.device, kernel))
    }

    fn fill(
        &self,
        commands: &mut Commands,
        memory: &Memory,
        part: Range<u64>,
        byte: u8,
    ) -> Result<(), Refusal> {
        autoreleasepool(|_| bytes::fill(commands, memory, part, byte))
    }

    fn copy(
        &self,
        commands: &mut Commands,
        source: (&Memory, u64),
        target: (&Memory, u64),
        bytes: u64,
    ) -> Result<(), Refusal> {
        autoreleasepool(|_| bytes::copy(commands, source, target, bytes))
    }

    fn fill_bytes(
        &self,
        commands: &mut Commands,
        bytewise: Bytewise<'_, Pipeline>,
        target: (&Memory, u64),
        byte: u8,
    ) -> Result<(), Refusal> {
        autoreleasepool(|_| bytes::fill_bytes(commands, &bytewise, target, byte))
    }

    fn copy_bytes(
        &self,
        commands: &mut Commands,
        bytewise: Bytewise<'_, Pipeline>,
        source: (&Memory, u64),
        target: (&Memory, u64),
    ) -> Result<(), Refusal> {
        autoreleasepool(|_| bytes::copy_bytes(commands, &bytewise, source, target))
    }

    fn commit(&self, commands: Commands) {
        autoreleasepool(|_| {
            commands.0.commit();
            // Inside the pool: it may be the last name.
            drop(commands);
        });
    }

    fn signaled(event: &SharedEvent) -> u64 {
        autoreleasepool(|_| event.0.signaledValue())
    }

    fn raise(event: &SharedEvent, value: u64) {
        autoreleasepool(|_| event.0.setSignaledValue(value));
    }

    fn sleep(event: &SharedEvent, value: u64, longest: Duration) -> Option<bool> {
        // Less than a millisecond would be none.
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX).max(1);
        let sleep = || event.0.waitUntilSignaledValue_timeoutMS(value, millis);
        autoreleasepool(|_| event.can_sleep().then(sleep))
    }

    fn pooled(call: &mut dyn FnMut()) {
        autoreleasepool(|_| call());
    }
}

impl SharedEvent {
    /// Whether Metal waits for an event on the host: since macOS 12 and iOS 15. It is asked once.
    fn can_sleep(&self) -> bool {
        static CAN: OnceLock<bool> = OnceLock::new();
        *CAN.get_or_init(|| self.0.respondsToSelector(sel!(waitUntilSignaledValue:timeoutMS:)))
    }

    fn as_event(&self) -> &ProtocolObject<dyn MTLEvent> {
        ProtocolObject::from_ref(&*self.0)
    }
}

/// How a command buffer has ended, if it has.
fn end_of(commands: &ProtocolObject<dyn MTLCommandBuffer>) -> Option<End> {
    autoreleasepool(|_| {
        let status = match commands.status() {
            MTLCommandBufferStatus::Completed => Status::Complete,
            MTLCommandBufferStatus::Error => Status::Failed,
            _ => Status::Other,
        };
        let error = commands.error().map(|error| killed_by(&error));
        End::of(commands.GPUEndTime(), status, error)
    })
}

/// Numbers are of the domain that an error names.
fn killed_by(error: &NSError) -> Killed {
    let (domain, code) = (error.domain(), i64::try_from(error.code()).unwrap_or(0));
    let words = error.localizedDescription().to_string();
    // SAFETY: a constant of Metal's, which lives for ever.
    let of_metal = unsafe { MTLCommandBufferErrorDomain };
    if *domain == *of_metal {
        Killed { code, words }
    } else {
        Killed::of_others(&domain.to_string(), code, &words)
    }
}

impl fmt::Debug for Metal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Metal({})", self.name())
    }
}

impl fmt::Debug for RawQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RawQueue")
    }
}

impl fmt::Debug for SharedEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SharedEvent({})", Metal::signaled(self))
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Memory({} bytes)", self.0.length())
    }
}
