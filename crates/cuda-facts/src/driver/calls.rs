//! The functions of the driver that this program calls, each with the signature of the manual.

use std::ffi::{CStr, c_char};
use std::fmt::{self, Display, Formatter};

use libloading::Library;

use super::Driver;
use super::code::Code;
use super::handle::{
    Address, Block, Context, Description, Event, Executable, Exported, Function, Graph, Green,
    Module, Name, Pass, Resource, Stream, Text,
};
use super::host::{Callback, HostFunction};
use super::kept::{Kept, Reached};
use crate::answer::{Asked, Unasked};

/// What a function said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) symbol: &'static str,
    pub(crate) code: Code,
}

impl Said {
    /// Goes on where it succeeded: for calls that are not what is asked, but what it takes to ask.
    pub(crate) fn needed(self) -> Asked<()> {
        if self.code == Code::SUCCESS { Ok(()) } else { Err(Unasked::Refused(self.to_string())) }
    }

    /// The code as an answer.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the end of a question, which answers or says why not"
    )]
    pub(crate) fn told(self) -> Asked<String> {
        Ok(self.code.to_string())
    }
}

impl Display for Said {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} said {}", self.symbol, self.code)
    }
}

/// A table of functions, and for each a method that calls it or says that it is missing.
macro_rules! calls {
    ($($visibility:vis $name:ident = $symbol:literal ($($argument:ident: $type:ty => $raw:ty),*);)*) => {
        /// The functions that were found.
        #[derive(Debug)]
        pub(super) struct Table {
            $($name: Option<unsafe extern "C" fn($($raw),*) -> i32>,)*
        }

        impl Table {
            pub(super) fn fill(library: &Library) -> Self {
                Self { $($name: find(library, $symbol),)* }
            }
        }

        #[expect(clippy::too_many_arguments, reason = "the signatures are those of the manual")]
        impl Driver {
            $($visibility fn $name(&self $(, $argument: $type)*) -> Asked<Said> {
                let call = self.table.$name.ok_or(Unasked::Missing($symbol))?;
                // SAFETY: the signature is the manual's. A handle came from this driver and was not destroyed, which
                // would have taken it away; what is written to by the call is a reference that lives as long, and what the
                // driver comes to later is `Kept` for good, or `Reached`, which is atomics.
                let code = unsafe { call($($argument.pass()),*) };
                Ok(Said { symbol: $symbol, code: Code(code) })
            })*
        }
    };
}

fn find<F: Copy>(library: &Library, symbol: &str) -> Option<F> {
    // SAFETY: `F` is the type that the manual gives the function of this name; the driver stays loaded for good.
    let found = unsafe { library.get::<F>(symbol) };
    found.ok().map(|function| *function)
}

calls! {
    pub(crate) init = "cuInit"(flags: u32 => u32);
    pub(crate) driver_version = "cuDriverGetVersion"(version: &mut i32 => *mut i32);
    pub(crate) device_count = "cuDeviceGetCount"(count: &mut i32 => *mut i32);
    pub(crate) device = "cuDeviceGet"(device: &mut i32 => *mut i32, ordinal: i32 => i32);
    pub(crate) device_attribute = "cuDeviceGetAttribute"(value: &mut i32 => *mut i32, attribute: i32 => i32, device: i32 => i32);

    pub(crate) primary_retain = "cuDevicePrimaryCtxRetain"(context: &mut Context => *mut Context, device: i32 => i32);
    pub(crate) primary_release = "cuDevicePrimaryCtxRelease_v2"(device: i32 => i32);
    pub(crate) primary_reset = "cuDevicePrimaryCtxReset_v2"(device: i32 => i32);
    pub(crate) primary_state = "cuDevicePrimaryCtxGetState"(device: i32 => i32, flags: &mut u32 => *mut u32, active: &mut i32 => *mut i32);
    pub(crate) context_create = "cuCtxCreate_v2"(context: &mut Context => *mut Context, flags: u32 => u32, device: i32 => i32);
    pub(crate) context_destroy = "cuCtxDestroy_v2"(context: Context => usize);
    pub(crate) context_push = "cuCtxPushCurrent_v2"(context: Context => usize);
    pub(crate) context_pop = "cuCtxPopCurrent_v2"(context: &mut Context => *mut Context);
    pub(crate) context_set = "cuCtxSetCurrent"(context: Context => usize);
    pub(crate) context_current = "cuCtxGetCurrent"(context: &mut Context => *mut Context);
    pub(crate) context_device = "cuCtxGetDevice"(device: &mut i32 => *mut i32);
    pub(crate) context_id = "cuCtxGetId"(context: Context => usize, id: &mut u64 => *mut u64);
    pub(crate) context_synchronize = "cuCtxSynchronize"();
    pub(crate) priority_range = "cuCtxGetStreamPriorityRange"(least: &mut i32 => *mut i32, greatest: &mut i32 => *mut i32);

    pub(crate) stream_create = "cuStreamCreate"(stream: &mut Stream => *mut Stream, flags: u32 => u32);
    pub(crate) stream_create_with_priority = "cuStreamCreateWithPriority"(stream: &mut Stream => *mut Stream, flags: u32 => u32, priority: i32 => i32);
    pub(crate) stream_destroy = "cuStreamDestroy_v2"(stream: Stream => usize);
    pub(crate) stream_query = "cuStreamQuery"(stream: &Stream => usize);
    pub(crate) stream_synchronize = "cuStreamSynchronize"(stream: &Stream => usize);
    pub(crate) stream_wait = "cuStreamWaitEvent"(stream: &Stream => usize, event: &Event => usize, flags: u32 => u32);
    pub(crate) stream_id = "cuStreamGetId"(stream: &Stream => usize, id: &mut u64 => *mut u64);
    pub(crate) stream_flags = "cuStreamGetFlags"(stream: &Stream => usize, flags: &mut u32 => *mut u32);
    pub(crate) stream_priority = "cuStreamGetPriority"(stream: &Stream => usize, priority: &mut i32 => *mut i32);
    pub(crate) stream_context = "cuStreamGetCtx"(stream: &Stream => usize, context: &mut Context => *mut Context);
    pub(crate) stream_contexts = "cuStreamGetCtx_v2"(stream: &Stream => usize, context: &mut Context => *mut Context, green: &mut Green => *mut Green);

    pub(super) device_resource = "cuDeviceGetDevResource"(device: i32 => i32, resource: &mut Resource => *mut Resource, kind: u32 => u32);
    pub(super) resource_description = "cuDevResourceGenerateDesc"(description: &mut Description => *mut Description, resource: &mut Resource => *mut Resource, count: u32 => u32);
    pub(super) green_create = "cuGreenCtxCreate"(green: &mut Green => *mut Green, description: Description => usize, device: i32 => i32, flags: u32 => u32);
    pub(crate) green_destroy = "cuGreenCtxDestroy"(green: Green => usize);
    pub(super) green_context = "cuCtxFromGreenCtx"(context: &mut Context => *mut Context, green: &Green => usize);
    pub(super) green_stream = "cuGreenCtxStreamCreate"(stream: &mut Stream => *mut Stream, green: &Green => usize, flags: u32 => u32, priority: i32 => i32);

    pub(crate) event_create = "cuEventCreate"(event: &mut Event => *mut Event, flags: u32 => u32);
    pub(crate) event_destroy = "cuEventDestroy_v2"(event: Event => usize);
    pub(crate) event_record = "cuEventRecord"(event: &Event => usize, stream: &Stream => usize);
    pub(crate) event_record_with_flags = "cuEventRecordWithFlags"(event: &Event => usize, stream: &Stream => usize, flags: u32 => u32);
    pub(crate) event_query = "cuEventQuery"(event: &Event => usize);
    pub(crate) event_synchronize = "cuEventSynchronize"(event: &Event => usize);
    pub(crate) elapsed = "cuEventElapsedTime"(milliseconds: &mut f32 => *mut f32, start: &Event => usize, end: &Event => usize);
    pub(crate) elapsed_v2 = "cuEventElapsedTime_v2"(milliseconds: &mut f32 => *mut f32, start: &Event => usize, end: &Event => usize);

    pub(crate) capture_begin = "cuStreamBeginCapture_v2"(stream: &Stream => usize, mode: i32 => i32);
    pub(crate) capture_end = "cuStreamEndCapture"(stream: &Stream => usize, graph: &mut Graph => *mut Graph);
    pub(crate) capture_status = "cuStreamIsCapturing"(stream: &Stream => usize, status: &mut i32 => *mut i32);
    pub(crate) capture_mode = "cuThreadExchangeStreamCaptureMode"(mode: &mut i32 => *mut i32);
    pub(crate) graph_instantiate = "cuGraphInstantiateWithFlags"(executable: &mut Executable => *mut Executable, graph: &Graph => usize, flags: u64 => u64);
    pub(crate) graph_launch = "cuGraphLaunch"(executable: &Executable => usize, stream: &Stream => usize);

    pub(crate) event_export = "cuIpcGetEventHandle"(exported: &mut Exported => *mut Exported, event: &Event => usize);
    pub(crate) event_import = "cuIpcOpenEventHandle"(event: &mut Event => *mut Event, exported: Exported => Exported);

    pub(crate) write_value_32 = "cuStreamWriteValue32_v2"(stream: &Stream => usize, address: Address => u64, value: u32 => u32, flags: u32 => u32);
    pub(crate) wait_value_32 = "cuStreamWaitValue32_v2"(stream: &Stream => usize, address: Address => u64, value: u32 => u32, flags: u32 => u32);
    pub(crate) write_value_64 = "cuStreamWriteValue64_v2"(stream: &Stream => usize, address: Address => u64, value: u64 => u64, flags: u32 => u32);
    pub(crate) wait_value_64 = "cuStreamWaitValue64_v2"(stream: &Stream => usize, address: Address => u64, value: u64 => u64, flags: u32 => u32);

    pub(crate) memory_allocate = "cuMemAlloc_v2"(address: &mut Address => *mut Address, bytes: usize => usize);
    pub(super) block_allocate = "cuMemAlloc_v2"(block: &mut Block => *mut Block, bytes: usize => usize);
    pub(crate) block_free = "cuMemFree_v2"(block: Block => usize);
    pub(super) block_allocate_in_order = "cuMemAllocAsync"(block: &mut Block => *mut Block, bytes: usize => usize, stream: &Stream => usize);
    pub(crate) block_free_in_order = "cuMemFreeAsync"(block: Block => usize, stream: &Stream => usize);
    pub(super) fill = "cuMemsetD8Async"(block: &Block => usize, value: u8 => u8, bytes: usize => usize, stream: &Stream => usize);
    pub(super) copy_in = "cuMemcpyHtoDAsync_v2"(block: &Block => usize, source: Reached => usize, bytes: usize => usize, stream: &Stream => usize);
    pub(super) copy_out = "cuMemcpyDtoHAsync_v2"(target: Reached => usize, block: &Block => usize, bytes: usize => usize, stream: &Stream => usize);
    pub(super) copy_over = "cuMemcpyDtoDAsync_v2"(target: &Block => usize, source: &Block => usize, bytes: usize => usize, stream: &Stream => usize);
    pub(super) copy_from_page = "cuMemcpyAsync"(block: &Block => usize, source: Address => u64, bytes: usize => usize, stream: &Stream => usize);
    pub(super) copy_to_page = "cuMemcpyAsync"(target: Address => u64, block: &Block => usize, bytes: usize => usize, stream: &Stream => usize);
    pub(super) fill_at = "cuMemsetD8Async"(target: Address => u64, value: u8 => u8, bytes: usize => usize, stream: &Stream => usize);
    pub(super) host_allocate = "cuMemHostAlloc"(memory: &mut Reached => *mut Reached, bytes: usize => usize, flags: u32 => u32);
    pub(super) host_register = "cuMemHostRegister_v2"(memory: Reached => usize, bytes: usize => usize, flags: u32 => u32);
    pub(super) host_unregister = "cuMemHostUnregister"(memory: Reached => usize);
    pub(super) host_device_address = "cuMemHostGetDevicePointer_v2"(address: &mut Address => *mut Address, memory: Reached => usize, flags: u32 => u32);

    pub(super) launch_host = "cuLaunchHostFunc"(stream: &Stream => usize, function: HostFunction => HostFunction, data: Kept => usize);
    pub(super) add_callback = "cuStreamAddCallback"(stream: &Stream => usize, function: Callback => Callback, data: Kept => usize, flags: u32 => u32);

    pub(super) module_load = "cuModuleLoadData"(module: &mut Module => *mut Module, image: &CStr => *const c_char);
    pub(crate) module_unload = "cuModuleUnload"(module: Module => usize);
    pub(super) module_function = "cuModuleGetFunction"(function: &mut Function => *mut Function, module: &Module => usize, name: &CStr => *const c_char);
    pub(super) launch = "cuLaunchKernel"(function: &Function => usize, x: u32 => u32, y: u32 => u32, z: u32 => u32, block_x: u32 => u32, block_y: u32 => u32, block_z: u32 => u32, shared: u32 => u32, stream: &Stream => usize, parameters: Kept => usize, extra: usize => usize);

    pub(super) device_name_bytes = "cuDeviceGetName"(name: &mut Name => *mut Name, bytes: i32 => i32, device: i32 => i32);
    pub(crate) error_name = "cuGetErrorName"(code: i32 => i32, text: &mut Text => *mut Text);
    pub(crate) function_address = "cuGetProcAddress_v2"(symbol: &CStr => *const c_char, found: &mut Text => *mut Text, version: i32 => i32, flags: u64 => u64, status: &mut i32 => *mut i32);
}
