//! The table: every function of the driver that is called here, each with the version that brought it.
//!
//! It is filled from a library as that is opened. A function that the library lacks takes one capability away: calling
//! it is refused by name, and nothing else changes.

use std::ffi::{CStr, c_char, c_float, c_int, c_uint, c_void};

use syncpoint_core::contract::{enter_if_ours, is_ours};

use super::code::Refusal;
use super::types::{
    Address, ContextHandle, DeviceHandle, EventHandle, Exported, FunctionHandle, GreenHandle,
    ModuleHandle, Status, StreamHandle,
};

/// A function of the driver.
#[derive(Debug)]
pub(crate) struct Function {
    /// The symbol, with the suffix of the version that is meant.
    pub(crate) symbol: &'static CStr,
    /// The version of CUDA that brought it, such as 11020 for 11.2.
    pub(crate) since: u32,
    /// Whether nothing works without it.
    pub(crate) need: Need,
}

impl Function {
    pub(crate) fn name(&self) -> &'static str {
        // Symbols of C are ASCII.
        self.symbol.to_str().unwrap_or("a function")
    }
}

/// What becomes of a driver without the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// There are no devices.
    Always,
    /// Something can be done without it, or not at all.
    Sometimes,
}

macro_rules! table {
    ($($name:ident $need:ident $symbol:literal since $since:literal ($($argument:ident: $kind:ty),*);)+) => {
        /// The functions as the library has them.
        pub(crate) struct Table {
            $($name: Option<unsafe extern "system" fn($($kind),*) -> Status>,)+
        }

        /// What each is, by the name of the method that calls it.
        #[expect(non_upper_case_globals, reason = "named as the methods are")]
        pub(in crate::sys) mod functions {
            use super::{Function, Need};
            $(pub(in crate::sys) static $name: Function =
                Function { symbol: $symbol, since: $since, need: Need::$need };)+
        }

        /// Every function of the table.
        pub(crate) static FUNCTIONS: &[&Function] = &[$(&functions::$name),+];

        #[expect(clippy::too_many_arguments, reason = "the driver's functions have what they have")]
        impl Table {
            /// Asks for every symbol.
            ///
            /// # Safety
            /// - What `find` gives for a symbol is null or the driver's function of that name, for as long as the
            ///   process lives.
            pub(super) unsafe fn filled(find: impl Fn(&CStr) -> *mut c_void) -> Self {
                Self {
                    $($name: {
                        let found = find(functions::$name.symbol);
                        // SAFETY: null is `None`; anything else is the function, by the duty above, and its signature
                        // is the documented one.
                        unsafe {
                            std::mem::transmute::<
                                *mut c_void,
                                Option<unsafe extern "system" fn($($kind),*) -> Status>,
                            >(found)
                        }
                    },)+
                }
            }

            /// The functions that the library lacks.
            pub(crate) fn missing(&self) -> impl Iterator<Item = &'static Function> {
                let all = [$((self.$name.is_none(), &functions::$name)),+];
                all.into_iter().filter_map(|(is_missing, function)| is_missing.then_some(function))
            }

            $(
                /// # Safety
                /// - The arguments are what the manual asks for: pointers to room of their types, handles that live.
                #[inline(always)]
                pub(super) unsafe fn $name(&self, $($argument: $kind),*) -> Result<(), Refusal> {
                    /// Calls on a thread of ours, which enters the driver for it.
                    ///
                    /// # Safety
                    /// - As of the method.
                    #[cold]
                    unsafe fn inside(
                        function: unsafe extern "system" fn($($kind),*) -> Status,
                        $($argument: $kind),*
                    ) -> Result<(), Refusal> {
                        let entered = enter_if_ours();
                        let _inside = entered.map_err(|_| Refusal::ending(&functions::$name))?;
                        // SAFETY: as below.
                        let status = unsafe { function($($argument),*) };
                        Refusal::of(&functions::$name, status)
                    }
                    let Some(function) = self.$name else { return Err(Refusal::missing(&functions::$name)) };
                    if is_ours() {
                        // SAFETY: as below.
                        return unsafe { inside(function, $($argument),*) };
                    }
                    // SAFETY: the function has this signature, and the arguments are the caller's duty.
                    let status = unsafe { function($($argument),*) };
                    Refusal::of(&functions::$name, status)
                }
            )+
        }
    };
}

table! {
    init Always c"cuInit" since 2000 (flags: c_uint);
    driver_version Sometimes c"cuDriverGetVersion" since 2020 (version: *mut c_int);
    error_name Sometimes c"cuGetErrorName" since 6000 (status: Status, name: *mut *const c_char);
    device_count Always c"cuDeviceGetCount" since 2000 (count: *mut c_int);
    device Always c"cuDeviceGet" since 2000 (device: *mut DeviceHandle, ordinal: c_int);
    device_name Sometimes c"cuDeviceGetName" since 2000
        (name: *mut c_char, length: c_int, device: DeviceHandle);
    attribute Sometimes c"cuDeviceGetAttribute" since 2000
        (value: *mut c_int, attribute: c_int, device: DeviceHandle);
    retain Always c"cuDevicePrimaryCtxRetain" since 7000
        (context: *mut ContextHandle, device: DeviceHandle);
    release Sometimes c"cuDevicePrimaryCtxRelease_v2" since 11000 (device: DeviceHandle);
    current Always c"cuCtxGetCurrent" since 4000 (context: *mut ContextHandle);
    context_device Sometimes c"cuCtxGetDevice" since 2000 (device: *mut DeviceHandle);
    context_id Sometimes c"cuCtxGetId" since 12000 (context: ContextHandle, id: *mut u64);
    push Always c"cuCtxPushCurrent_v2" since 4000 (context: ContextHandle);
    pop Always c"cuCtxPopCurrent_v2" since 4000 (context: *mut ContextHandle);
    priorities Sometimes c"cuCtxGetStreamPriorityRange" since 5050
        (least: *mut c_int, greatest: *mut c_int);
    exchange_capture_mode Sometimes c"cuThreadExchangeStreamCaptureMode" since 10010
        (mode: *mut c_int);
    create_stream Always c"cuStreamCreateWithPriority" since 5050
        (stream: *mut StreamHandle, flags: c_uint, priority: c_int);
    destroy_stream Sometimes c"cuStreamDestroy_v2" since 4000 (stream: StreamHandle);
    stream_id Sometimes c"cuStreamGetId" since 12000 (stream: StreamHandle, id: *mut u64);
    stream_context Sometimes c"cuStreamGetCtx" since 9020
        (stream: StreamHandle, context: *mut ContextHandle);
    stream_contexts Sometimes c"cuStreamGetCtx_v2" since 12050
        (stream: StreamHandle, context: *mut ContextHandle, green: *mut GreenHandle);
    green_context Sometimes c"cuCtxFromGreenCtx" since 12040
        (context: *mut ContextHandle, green: GreenHandle);
    stream_priority Sometimes c"cuStreamGetPriority" since 5050
        (stream: StreamHandle, priority: *mut c_int);
    wait_value Sometimes c"cuStreamWaitValue64_v2" since 11070
        (stream: StreamHandle, address: Address, value: u64, flags: c_uint);
    write_value Sometimes c"cuStreamWriteValue64_v2" since 11070
        (stream: StreamHandle, address: Address, value: u64, flags: c_uint);
    query_stream Sometimes c"cuStreamQuery" since 2000 (stream: StreamHandle);
    wait Always c"cuStreamWaitEvent" since 3020
        (stream: StreamHandle, event: EventHandle, flags: c_uint);
    create_event Always c"cuEventCreate" since 2000 (event: *mut EventHandle, flags: c_uint);
    destroy_event Sometimes c"cuEventDestroy_v2" since 4000 (event: EventHandle);
    record Always c"cuEventRecord" since 2000 (event: EventHandle, stream: StreamHandle);
    record_with_flags Sometimes c"cuEventRecordWithFlags" since 11010
        (event: EventHandle, stream: StreamHandle, flags: c_uint);
    is_capturing Sometimes c"cuStreamIsCapturing" since 10000
        (stream: StreamHandle, status: *mut c_int);
    query Always c"cuEventQuery" since 2000 (event: EventHandle);
    export_event Sometimes c"cuIpcGetEventHandle" since 4010
        (exported: *mut Exported, event: EventHandle);
    open_event Sometimes c"cuIpcOpenEventHandle" since 4010
        (event: *mut EventHandle, exported: Exported);
    elapsed Sometimes c"cuEventElapsedTime" since 2000
        (milliseconds: *mut c_float, start: EventHandle, end: EventHandle);
    elapsed_only Sometimes c"cuEventElapsedTime_v2" since 12080
        (milliseconds: *mut c_float, start: EventHandle, end: EventHandle);
    allocate Sometimes c"cuMemAlloc_v2" since 3020 (address: *mut Address, bytes: usize);
    free Sometimes c"cuMemFree_v2" since 3020 (address: Address);
    allocate_in_order Sometimes c"cuMemAllocAsync" since 11020
        (address: *mut Address, bytes: usize, stream: StreamHandle);
    free_in_order Sometimes c"cuMemFreeAsync" since 11020 (address: Address, stream: StreamHandle);
    register Sometimes c"cuMemHostRegister_v2" since 6050
        (memory: *mut c_void, bytes: usize, flags: c_uint);
    unregister Sometimes c"cuMemHostUnregister" since 4000 (memory: *mut c_void);
    shared_address Sometimes c"cuMemHostGetDevicePointer_v2" since 3020
        (address: *mut Address, room: *mut c_void, flags: c_uint);
    fill Sometimes c"cuMemsetD8Async" since 3020
        (target: Address, value: u8, bytes: usize, stream: StreamHandle);
    copy Sometimes c"cuMemcpyDtoDAsync_v2" since 3020
        (target: Address, source: Address, bytes: usize, stream: StreamHandle);
    copy_in Sometimes c"cuMemcpyHtoDAsync_v2" since 3020
        (target: Address, source: *const c_void, bytes: usize, stream: StreamHandle);
    copy_out Sometimes c"cuMemcpyDtoHAsync_v2" since 3020
        (target: *mut c_void, source: Address, bytes: usize, stream: StreamHandle);
    copy_anywhere Sometimes c"cuMemcpyAsync" since 4000
        (target: Address, source: Address, bytes: usize, stream: StreamHandle);
    load_module Sometimes c"cuModuleLoadData" since 2000
        (module: *mut ModuleHandle, image: *const c_void);
    unload_module Sometimes c"cuModuleUnload" since 2000 (module: ModuleHandle);
    module_function Sometimes c"cuModuleGetFunction" since 2000
        (function: *mut FunctionHandle, module: ModuleHandle, name: *const c_char);
    launch Sometimes c"cuLaunchKernel" since 4000
        (function: FunctionHandle, grid_x: c_uint, grid_y: c_uint, grid_z: c_uint, block_x: c_uint,
         block_y: c_uint, block_z: c_uint, shared: c_uint, stream: StreamHandle,
         parameters: *mut *mut c_void, extra: *mut *mut c_void);
}

impl std::fmt::Debug for Table {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let missing: Vec<_> = self.missing().map(Function::name).collect();
        formatter.debug_struct("Table").field("missing", &missing).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_without_functions_lacks_every_one_by_name() {
        // SAFETY: null is no function.
        let table = unsafe { Table::filled(|_| std::ptr::null_mut()) };
        assert_eq!(table.missing().count(), FUNCTIONS.len());
        // SAFETY: there is no function to call.
        let refusal = unsafe { table.query(EventHandle::NULL) }.unwrap_err();
        assert_eq!(refusal.function().name(), "cuEventQuery");
        assert!(refusal.is_missing());
    }

    #[test]
    fn a_library_with_one_function_lacks_the_others() {
        unsafe extern "system" fn init(flags: c_uint) -> Status {
            Status(flags)
        }
        // SAFETY: the one symbol that is found has the signature of `cuInit`.
        let table = unsafe {
            Table::filled(|symbol| match symbol {
                symbol if symbol == c"cuInit" => init as *mut c_void,
                _ => std::ptr::null_mut(),
            })
        };
        assert_eq!(table.missing().count(), FUNCTIONS.len() - 1);
        // SAFETY: it takes any number.
        let refusal = unsafe { table.init(100) }.unwrap_err();
        assert_eq!((refusal.function().name(), refusal.code()), ("cuInit", Some(100)));
    }

    #[test]
    fn each_function_stands_in_the_table_once() {
        let mut symbols: Vec<_> = FUNCTIONS.iter().map(|function| function.symbol).collect();
        symbols.sort_unstable();
        symbols.dedup();
        assert_eq!(symbols.len(), FUNCTIONS.len());
    }
}
