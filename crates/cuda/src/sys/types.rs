//! The driver's own types, as far as they are used here. From NVIDIA's manual of the driver API (*documented*).

use std::ffi::{c_int, c_uint, c_void};

/// Declares handles: pointers that are the driver's, and mean nothing to anybody else.
macro_rules! handles {
    ($($(#[$about:meta])* $name:ident)+) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(transparent)]
        pub(crate) struct $name(pub(super) *mut c_void);

        impl $name {
            /// No object.
            pub(super) const NULL: Self = Self(std::ptr::null_mut());
        }

        // SAFETY: a name that is never followed here; the driver takes it from any thread (*documented*).
        unsafe impl Send for $name {}

        // SAFETY: as above.
        unsafe impl Sync for $name {}
    )+};
}

handles! {
    /// `CUcontext`.
    ContextHandle
    /// `CUstream`.
    StreamHandle
    /// `CUevent`.
    EventHandle
    /// `CUgreenCtx`.
    GreenHandle
    /// `CUmodule`.
    ModuleHandle
    /// `CUfunction`.
    FunctionHandle
}

/// `CUdevice`: the driver's number of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct DeviceHandle(pub(super) c_int);

/// `CUdeviceptr`: an address in the memory of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Address(pub(super) u64);

/// `CUipcEventHandle`: an event as it goes from process to process.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Exported(pub(super) [u8; 64]);

/// `CUresult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Status(pub(super) c_uint);

/// Of `cuStreamCreateWithPriority`: the stream does not wait for the legacy default stream, nor that for it.
pub(super) const STREAM_NON_BLOCKING: c_uint = 1;

/// Of `cuEventCreate`: the event notes its time.
pub(super) const EVENT_TIMED: c_uint = 0;

/// Of `cuEventCreate`: the event notes no time, and costs less.
pub(super) const EVENT_UNTIMED: c_uint = 2;

/// Of `cuEventCreate`: a thread that the driver has wait for the event sleeps. We never have it wait; others may.
pub(super) const EVENT_BLOCKING: c_uint = 1;

/// Of `cuEventCreate`: other processes may open the event, which then notes no time.
pub(super) const EVENT_INTERPROCESS: c_uint = 4;

/// Of `cuEventRecordWithFlags`: in a capture, a record at every launch of the graph.
pub(super) const RECORD_EXTERNAL: c_uint = 1;

/// Of `cuStreamWaitEvent`: in a capture, a wait at every launch of the graph.
pub(super) const WAIT_EXTERNAL: c_uint = 1;

/// Of `cuStreamIsCapturing`: the stream captures nothing.
pub(super) const CAPTURES_NOTHING: c_int = 0;

/// Of `cuThreadExchangeStreamCaptureMode`: this thread breaks nobody's capture, whatever it calls.
pub(super) const CAPTURE_MODE_RELAXED: c_int = 2;

/// Of `cuDeviceGetAttribute`: whether there are frees in stream order.
pub(super) const ATTRIBUTE_MEMORY_POOLS: c_int = 115;

/// Of `cuDeviceGetAttribute`: whether a stream can wait for a word of 64 bits.
pub(super) const ATTRIBUTE_WAIT_VALUE_64: c_int = 122;

/// Of `cuMemHostRegister`: every context sees it, and the device reaches it by an address.
pub(super) const SHARED_WITH_DEVICES: c_uint = 1 | 2;

/// Of `cuStreamWaitValue64`: until the word is at least the value.
pub(super) const WAIT_AT_LEAST: c_uint = 0;

/// Of `cuStreamWriteValue64`: what the stream did before is seen by whoever sees the value.
pub(super) const WRITE_IN_ORDER: c_uint = 0;

/// The stream that stands for all of a context that has no other, and that blocking streams wait for.
pub(super) const LEGACY_STREAM: usize = 1;

/// The default stream of whichever thread names it.
pub(super) const PER_THREAD_STREAM: usize = 2;
