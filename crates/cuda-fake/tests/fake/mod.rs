//! The library, loaded as programs load it: each test has a copy with a state of its own.

#![expect(unsafe_code, reason = "a library for C is called")]
#![expect(non_snake_case, reason = "the functions have the driver's names")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]
#![expect(clippy::too_many_arguments, reason = "the functions have the driver's parameters")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use std::{fs, io};

use libloading::Library;

pub(crate) const INVALID_VALUE: i32 = 1;
pub(crate) const OUT_OF_MEMORY: i32 = 2;
pub(crate) const NOT_INITIALIZED: i32 = 3;
pub(crate) const DEINITIALIZED: i32 = 4;
pub(crate) const NO_DEVICE: i32 = 100;
pub(crate) const INVALID_DEVICE: i32 = 101;
pub(crate) const INVALID_CONTEXT: i32 = 201;
pub(crate) const INVALID_HANDLE: i32 = 400;
pub(crate) const ILLEGAL_STATE: i32 = 401;
pub(crate) const NOT_FOUND: i32 = 500;
pub(crate) const NOT_READY: i32 = 600;
pub(crate) const CONTEXT_IS_DESTROYED: i32 = 709;
pub(crate) const NOT_PERMITTED: i32 = 800;
pub(crate) const NOT_SUPPORTED: i32 = 801;
pub(crate) const CAPTURE_UNSUPPORTED: i32 = 900;
pub(crate) const CAPTURE_INVALIDATED: i32 = 901;
pub(crate) const CAPTURE_MERGE: i32 = 902;
pub(crate) const CAPTURE_UNMATCHED: i32 = 903;
pub(crate) const CAPTURE_UNJOINED: i32 = 904;
pub(crate) const CAPTURE_ISOLATION: i32 = 905;
pub(crate) const CAPTURE_IMPLICIT: i32 = 906;
pub(crate) const CAPTURED_EVENT: i32 = 907;
pub(crate) const CAPTURE_WRONG_THREAD: i32 = 908;

/// The legacy stream and the thread's own default stream.
pub(crate) const LEGACY: u64 = 1;
pub(crate) const PER_THREAD: u64 = 2;

/// Flags of streams and of events.
pub(crate) const NON_BLOCKING: u32 = 1;
pub(crate) const DISABLE_TIMING: u32 = 2;

/// A copy of the library. Never unloaded: its threads may sleep in it.
pub(crate) struct Fake(ManuallyDrop<Library>);

impl Fake {
    /// A copy in which nothing was called yet.
    pub(crate) fn load() -> Self {
        Self::copied(|folder| {
            let copy = folder.join("libcuda.so.1");
            fs::copy(syncpoint_cuda_fake::library(), &copy).map(|_| copy)
        })
    }

    /// A copy that lacks the functions that are not to be kept.
    pub(crate) fn reduced(keep: impl Fn(&str) -> bool) -> Self {
        Self::copied(|folder| syncpoint_cuda_fake::reduced(folder, keep))
    }

    fn copied(copy: impl FnOnce(&Path) -> io::Result<PathBuf>) -> Self {
        static COPIES: AtomicU32 = AtomicU32::new(0);
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let name = format!("syncpoint-cuda-fake-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder can be made");
        let copy = copy(&folder).expect("a library can be copied");
        // SAFETY: nothing of the library runs when it is loaded.
        let loaded = unsafe { Library::new(&copy) }.expect("the library can be loaded");
        fs::remove_dir_all(&folder).expect("the copy can be removed");
        Self(ManuallyDrop::new(loaded))
    }

    /// A copy that follows a script.
    pub(crate) fn scripted(script: &str) -> Self {
        let fake = Self::load();
        assert_eq!(fake.script(script), 0, "{script}");
        fake
    }

    /// A copy that follows a script and is initialised, with the primary context of device 0 current.
    pub(crate) fn ready(script: &str) -> Self {
        let fake = Self::scripted(script);
        assert_eq!(fake.cuInit(0), 0);
        let context = fake.retain(0);
        assert_eq!(fake.cuCtxSetCurrent(context), 0);
        fake
    }

    pub(crate) fn script(&self, script: &str) -> i32 {
        let script = CString::new(script).expect("a script has no zeros");
        self.syncpointFakeScript(script.as_ptr())
    }

    pub(crate) fn count(&self, function: &str) -> u64 {
        let name = CString::new(function).expect("a name has no zeros");
        self.syncpointFakeCount(name.as_ptr())
    }

    pub(crate) fn struck(&self, thread: &str) -> u64 {
        let name = CString::new(thread).expect("a name has no zeros");
        self.syncpointFakeStruck(name.as_ptr())
    }

    pub(crate) fn held(&self, thread: &str) -> u64 {
        let name = CString::new(thread).expect("a name has no zeros");
        self.syncpointFakeHeld(name.as_ptr())
    }

    pub(crate) fn alive(&self, kind: &str) -> u64 {
        let kind = CString::new(kind).expect("a kind has no zeros");
        self.syncpointFakeAlive(kind.as_ptr())
    }

    pub(crate) fn retain(&self, device: i32) -> u64 {
        made(|room| self.cuDevicePrimaryCtxRetain(room, device))
    }

    pub(crate) fn context(&self) -> u64 {
        made(|room| self.cuCtxGetCurrent(room))
    }

    pub(crate) fn stream(&self, flags: u32) -> u64 {
        made(|room| self.cuStreamCreate(room, flags))
    }

    pub(crate) fn event(&self, flags: u32) -> u64 {
        made(|room| self.cuEventCreate(room, flags))
    }

    /// An event that a stream has just been given.
    pub(crate) fn recorded(&self, stream: u64) -> u64 {
        let event = self.event(DISABLE_TIMING);
        assert_eq!(self.cuEventRecord(event, stream), 0);
        event
    }

    pub(crate) fn memory(&self, bytes: usize) -> u64 {
        made(|room| self.cuMemAlloc_v2(room, bytes))
    }

    /// What lies in device memory, once the default stream has come so far.
    pub(crate) fn read(&self, address: u64, bytes: usize) -> Vec<u8> {
        let mut read = vec![0xee; bytes];
        assert_eq!(self.cuMemcpyDtoH_v2(read.as_mut_ptr().cast(), address, bytes), 0);
        read
    }

    pub(crate) fn elapsed(&self, start: u64, end: u64) -> Result<f32, i32> {
        let mut milliseconds = -1.0;
        match self.cuEventElapsedTime(&raw mut milliseconds, start, end) {
            0 => Ok(milliseconds),
            code => Err(code),
        }
    }

    /// Holds a stream until the hold is ended or dropped.
    pub(crate) fn hold(&self, stream: u64) -> Hold {
        let (end, ended) = channel();
        self.run(stream, move || wait_for(&ended));
        Hold(end)
    }

    /// Launches a kernel of one thread with one parameter.
    pub(crate) fn launch(&self, function: u64, parameter: u64, stream: u64) -> i32 {
        let parameters = [&raw const parameter];
        let (parameters, extra) = (parameters.as_ptr(), std::ptr::null());
        self.cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream, parameters, extra)
    }

    /// Runs a function in the order of a stream.
    pub(crate) fn run(&self, stream: u64, function: impl FnOnce() + Send + 'static) {
        let boxed: Function = Box::new(function);
        let data = Box::into_raw(Box::new(boxed)).cast();
        assert_eq!(self.cuLaunchHostFunc(stream, Some(call), data), 0);
    }

    /// Runs a function in the order of a stream as often as what the stream captures is launched.
    pub(crate) fn run_each_time(&self, stream: u64, function: impl Fn() + Send + 'static) {
        let boxed: Repeated = Box::new(function);
        // As long as the graph, of which nobody knows when it goes.
        let data: *mut Repeated = Box::leak(Box::new(boxed));
        assert_eq!(self.cuLaunchHostFunc(stream, Some(call_again), data.cast()), 0);
    }

    /// The address of an exported function.
    pub(crate) fn address(&self, name: &str) -> *const c_void {
        // SAFETY: the address is not called here.
        let symbol = unsafe { self.0.get::<*const c_void>(name) };
        symbol.map_or(std::ptr::null(), |symbol| *symbol)
    }

    /// What `cuGetProcAddress` knows of a function: its address and its status.
    pub(crate) fn look_up(&self, name: &str, version: i32, flags: u64) -> (*const c_void, i32) {
        let name = CString::new(name).expect("a name has no zeros");
        let (mut address, mut status) = (std::ptr::null(), -1);
        let room = &raw mut address;
        let found = self.cuGetProcAddress_v2(name.as_ptr(), room, version, flags, &raw mut status);
        assert_eq!(found, 0);
        (address, status)
    }
}

/// Calls an address as a function without parameters.
pub(crate) fn call_plain(address: *const c_void) -> i32 {
    // SAFETY: the address is that of a function of C which looks at no parameters.
    let function: extern "C" fn() -> i32 = unsafe { std::mem::transmute(address) };
    function()
}

/// Calls an address with as many zeros as any function of the driver has parameters.
pub(crate) fn call_with_zeros(address: *const c_void) -> i32 {
    type Function = extern "C" fn(u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64) -> i32;
    // SAFETY: the address is that of a function of C, which does not see arguments beyond its parameters, and refuses
    // null where it is given a pointer.
    let function: Function = unsafe { std::mem::transmute(address) };
    function(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}

/// A text that a call gives.
pub(crate) fn text(ask: impl FnOnce(*mut *const c_char) -> i32) -> Result<&'static CStr, i32> {
    let mut text = std::ptr::null();
    match ask(&raw mut text) {
        // SAFETY: the library is never unloaded, and its texts have ends.
        0 => Ok(unsafe { CStr::from_ptr(text) }),
        code => Err(code),
    }
}

/// What a function gives in a child of a fork of this process.
pub(crate) fn in_child(function: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child calls nothing that waits for a thread of the parent.
    match unsafe { libc::fork() } {
        0 => {
            let code = function();
            // SAFETY: the child ends here, and no handler of the parent's runs in it.
            unsafe { libc::_exit(code) }
        }
        child => exit_code(child),
    }
}

/// How a child ended: at most 255 can be told, so codes are chosen small.
fn exit_code(child: i32) -> i32 {
    let mut status = 0;
    // SAFETY: the child is this process's, and the room is there.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFEXITED(status), "the child was killed: {status}");
    libc::WEXITSTATUS(status)
}

/// The library that is asked once the process exits.
static EXITING: Mutex<Option<Fake>> = Mutex::new(None);

/// Ends the process with what the library answers then, in a handler that was registered before the driver began: so it
/// is called after the driver is gone.
pub(crate) fn exit_and_ask() {
    extern "C" fn ask() {
        if let Ok(Some(fake)) = EXITING.lock().as_deref() {
            let code = fake.cuDriverGetVersion(&mut 0);
            // SAFETY: the call takes a number and does not return.
            unsafe { libc::_exit(code) }
        }
    }
    // SAFETY: the handler is a function of this program.
    assert_eq!(unsafe { libc::atexit(ask) }, 0);
    let fake = Fake::load();
    assert_eq!(fake.cuInit(0), 0);
    *EXITING.lock().expect("nobody panics under it") = Some(fake);
    // SAFETY: the call takes a number and does not return.
    unsafe { libc::exit(0) }
}

/// Whether something stays so for as long as a call that does not block could take. What a bug would break is missed only
/// by a machine that stands still.
pub(crate) fn stays(is_so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_millis(50);
    while Instant::now() < until {
        if !is_so() {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

/// What a call puts into a room.
#[track_caller]
pub(crate) fn made<T: Default>(make: impl FnOnce(*mut T) -> i32) -> T {
    let mut room = T::default();
    assert_eq!(make(&raw mut room), 0);
    room
}

type Function = Box<dyn FnOnce() + Send>;

unsafe extern "C" fn call(data: *mut c_void) {
    // SAFETY: `run` made it, and the library calls once.
    let function: Box<Function> = unsafe { Box::from_raw(data.cast()) };
    function();
}

type Repeated = Box<dyn Fn() + Send>;

unsafe extern "C" fn call_again(data: *mut c_void) {
    // SAFETY: `run_each_time` made it, and it is never freed; streams call it one after another.
    let function: &Repeated = unsafe { &*data.cast() };
    function();
}

/// The bytes by which another process opens an event.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExportHandle(pub(crate) [u8; 64]);

/// A part of a device, as the driver lays it out: the first word is its kind, the one in the middle how much it is.
pub(crate) type Resource = [u32; 36];

/// Ends when it is dropped.
pub(crate) struct Hold(Sender<()>);

impl Hold {
    pub(crate) fn end(self) {
        drop(self);
    }
}

fn wait_for(ended: &Receiver<()>) {
    let _dropped = ended.recv();
}

macro_rules! functions {
    ($($name:ident($($parameter:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        impl Fake {
            $(pub(crate) fn $name(&self, $($parameter: $type),*) -> functions!(@or $($result)?) {
                type Function = unsafe extern "C" fn($($type),*) -> functions!(@or $($result)?);
                // SAFETY: the library exports the function so.
                let function = unsafe { self.0.get::<Function>(stringify!($name)) };
                let function = function.expect(stringify!($name));
                // SAFETY: tests give what the driver asks for.
                unsafe { function($($parameter),*) }
            })*
        }
    };
    (@or) => { i32 };
    (@or $result:ty) => { $result };
}

functions! {
    syncpointFakeScript(text: *const c_char);
    syncpointFakeCount(function: *const c_char) -> u64;
    syncpointFakeAlive(kind: *const c_char) -> u64;
    syncpointFakeStruck(thread: *const c_char) -> u64;
    syncpointFakeHeld(thread: *const c_char) -> u64;
    syncpointFakeReset() -> ();
    cuInit(flags: u32);
    cuDriverGetVersion(version: *mut i32);
    cuGetErrorName(code: i32, name: *mut *const c_char);
    cuGetErrorString(code: i32, words: *mut *const c_char);
    cuGetProcAddress_v2(
        name: *const c_char,
        address: *mut *const c_void,
        version: i32,
        flags: u64,
        status: *mut i32
    );
    cuDeviceGetCount(count: *mut i32);
    cuDeviceGet(device: *mut i32, ordinal: i32);
    cuDeviceGetName(name: *mut u8, room: i32, device: i32);
    cuDeviceGetAttribute(value: *mut i32, attribute: i32, device: i32);
    cuDeviceTotalMem_v2(bytes: *mut usize, device: i32);
    cuDevicePrimaryCtxRetain(context: *mut u64, device: i32);
    cuDevicePrimaryCtxRelease_v2(device: i32);
    cuDevicePrimaryCtxReset_v2(device: i32);
    cuDevicePrimaryCtxGetState(device: i32, flags: *mut u32, active: *mut i32);
    cuCtxCreate_v2(context: *mut u64, flags: u32, device: i32);
    cuCtxDestroy_v2(context: u64);
    cuCtxPushCurrent_v2(context: u64);
    cuCtxPopCurrent_v2(context: *mut u64);
    cuCtxSetCurrent(context: u64);
    cuCtxGetCurrent(context: *mut u64);
    cuCtxGetDevice(device: *mut i32);
    cuCtxGetId(context: u64, id: *mut u64);
    cuCtxSynchronize();
    cuCtxGetStreamPriorityRange(least: *mut i32, greatest: *mut i32);
    cuStreamCreate(stream: *mut u64, flags: u32);
    cuStreamCreateWithPriority(stream: *mut u64, flags: u32, priority: i32);
    cuStreamDestroy_v2(stream: u64);
    cuStreamQuery(stream: u64);
    cuStreamQuery_ptsz(stream: u64);
    cuStreamSynchronize(stream: u64);
    cuStreamWaitEvent(stream: u64, event: u64, flags: u32);
    cuStreamGetId(stream: u64, id: *mut u64);
    cuStreamGetId_ptsz(stream: u64, id: *mut u64);
    cuStreamGetFlags(stream: u64, flags: *mut u32);
    cuStreamGetPriority(stream: u64, priority: *mut i32);
    cuStreamGetCtx(stream: u64, context: *mut u64);
    cuStreamGetDevice(stream: u64, device: *mut i32);
    cuStreamAddCallback(
        stream: u64,
        function: Option<extern "C" fn(u64, i32, *mut c_void)>,
        data: *mut c_void,
        flags: u32
    );
    cuLaunchHostFunc(
        stream: u64,
        function: Option<unsafe extern "C" fn(*mut c_void)>,
        data: *mut c_void
    );
    cuThreadExchangeStreamCaptureMode(mode: *mut i32);
    cuStreamBeginCapture_v2(stream: u64, mode: i32);
    cuStreamEndCapture(stream: u64, graph: *mut u64);
    cuStreamIsCapturing(stream: u64, status: *mut i32);
    cuStreamGetCaptureInfo(stream: u64, status: *mut i32, id: *mut u64);
    cuGraphInstantiateWithFlags(executable: *mut u64, graph: u64, flags: u64);
    cuGraphLaunch(executable: u64, stream: u64);
    cuGraphGetNodes(graph: u64, nodes: *mut u64, count: *mut usize);
    cuGraphDestroy(graph: u64);
    cuGraphExecDestroy(executable: u64);
    cuDeviceGetDevResource(device: i32, resource: *mut Resource, kind: u32);
    cuDevSmResourceSplitByCount(
        groups: *mut Resource,
        count: *mut u32,
        whole: *const Resource,
        rest: *mut Resource,
        flags: u32,
        least: u32
    );
    cuDevResourceGenerateDesc(description: *mut u64, resources: *mut Resource, count: u32);
    cuGreenCtxCreate(green: *mut u64, description: u64, device: i32, flags: u32);
    cuGreenCtxDestroy(green: u64);
    cuCtxFromGreenCtx(context: *mut u64, green: u64);
    cuGreenCtxStreamCreate(stream: *mut u64, green: u64, flags: u32, priority: i32);
    cuStreamGetGreenCtx(stream: u64, green: *mut u64);
    cuStreamGetCtx_v2(stream: u64, context: *mut u64, green: *mut u64);
    cuModuleLoadData(module: *mut u64, image: *const c_char);
    cuModuleUnload(module: u64);
    cuModuleGetFunction(function: *mut u64, module: u64, name: *const c_char);
    cuLaunchKernel(
        function: u64,
        grid_x: u32,
        grid_y: u32,
        grid_z: u32,
        block_x: u32,
        block_y: u32,
        block_z: u32,
        shared: u32,
        stream: u64,
        parameters: *const *const u64,
        extra: *const c_void
    );
    cuEventCreate(event: *mut u64, flags: u32);
    cuEventDestroy_v2(event: u64);
    cuEventRecord(event: u64, stream: u64);
    cuEventRecordWithFlags(event: u64, stream: u64, flags: u32);
    cuEventQuery(event: u64);
    cuEventSynchronize(event: u64);
    cuIpcGetEventHandle(handle: *mut ExportHandle, event: u64);
    cuIpcOpenEventHandle(event: *mut u64, handle: ExportHandle);
    cuEventElapsedTime(milliseconds: *mut f32, start: u64, end: u64);
    cuEventElapsedTime_v2(milliseconds: *mut f32, start: u64, end: u64);
    cuStreamWriteValue32_v2(stream: u64, address: u64, value: u32, flags: u32);
    cuStreamWriteValue64_v2(stream: u64, address: u64, value: u64, flags: u32);
    cuStreamWaitValue32_v2(stream: u64, address: u64, value: u32, flags: u32);
    cuStreamWaitValue64_v2(stream: u64, address: u64, value: u64, flags: u32);
    cuStreamBatchMemOp_v2(stream: u64, count: u32, rows: *const [u64; 6], flags: u32);
    cuMemAlloc_v2(address: *mut u64, bytes: usize);
    cuMemFree_v2(address: u64);
    cuMemAllocAsync(address: *mut u64, bytes: usize, stream: u64);
    cuMemFreeAsync(address: u64, stream: u64);
    cuMemHostAlloc(memory: *mut u64, bytes: usize, flags: u32);
    cuMemFreeHost(memory: u64);
    cuMemHostRegister_v2(memory: u64, bytes: usize, flags: u32);
    cuMemHostUnregister(memory: u64);
    cuMemHostGetDevicePointer_v2(address: *mut u64, memory: u64, flags: u32);
    cuMemGetInfo_v2(free: *mut usize, total: *mut usize);
    cuPointerGetAttribute(value: *mut c_void, attribute: i32, address: u64);
    cuMemcpyHtoD_v2(target: u64, source: *const c_void, bytes: usize);
    cuMemcpyDtoH_v2(target: *mut c_void, source: u64, bytes: usize);
    cuMemcpyDtoD_v2(target: u64, source: u64, bytes: usize);
    cuMemcpyHtoDAsync_v2(target: u64, source: *const c_void, bytes: usize, stream: u64);
    cuMemcpyDtoHAsync_v2(target: *mut c_void, source: u64, bytes: usize, stream: u64);
    cuMemcpyDtoDAsync_v2(target: u64, source: u64, bytes: usize, stream: u64);
    cuMemsetD8Async(target: u64, value: u8, count: usize, stream: u64);
    cuMemsetD32Async(target: u64, value: u32, count: usize, stream: u64);
}
