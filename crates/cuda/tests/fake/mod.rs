//! The stand-in driver: the backend is made to use it, and tests tell it what to pretend and ask what it has seen.

#![expect(unsafe_code, reason = "functions of a library for C are called")]
#![allow(
    dead_code,
    unused_imports,
    clippy::expect_used,
    clippy::unused_self,
    clippy::allow_attributes,
    reason = "each test uses some of it, and one that cannot go on fails"
)]

mod green;
pub(crate) mod shared;

use std::any::Any;
use std::env;
use std::ffi::{CString, c_char, c_int};
use std::io;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use libloading::Library;
use syncpoint::{Device, Event, IpcHandle, Stream};

pub(crate) use green::Green;

/// The library that the backend of this process uses.
pub(crate) struct Fake(ManuallyDrop<Library>);

/// Set in the process in which a test is alone.
const ALONE: &str = "SYNCPOINT_TEST_ALONE";

/// How the driver is to make a stream: `CU_STREAM_DEFAULT` and `CU_STREAM_NON_BLOCKING`.
const BLOCKING: u32 = 0;
const NON_BLOCKING: u32 = 1;

static USED: OnceLock<Fake> = OnceLock::new();

type Number = unsafe extern "C" fn(*const c_char) -> u64;

impl Fake {
    /// Has the backend use the stand-in.
    pub(crate) fn used() -> &'static Self {
        USED.get_or_init(|| Self::load(&syncpoint_cuda_fake::library()))
    }

    /// Has the backend use the driver that `SYNCPOINT_CUDA_LIBRARY` names, or the stand-in where none is named: for what can
    /// be asked of any, and scripts nothing.
    pub(crate) fn or_the_drivers() -> &'static Self {
        let named = env::var_os("SYNCPOINT_CUDA_LIBRARY").map(PathBuf::from);
        USED.get_or_init(|| Self::load(&named.unwrap_or_else(syncpoint_cuda_fake::library)))
    }

    /// Has the backend use one that pretends this from the beginning. It is told once: a child of a fork, which inherits
    /// the stand-in's locks as other threads had them, tells it nothing.
    pub(crate) fn used_as(script: &str) -> &'static Self {
        USED.get_or_init(|| {
            let fake = Self::load(&syncpoint_cuda_fake::library());
            fake.script(script);
            fake
        })
    }

    /// Has the backend use a stand-in that lacks a function, before it uses another.
    pub(crate) fn without(function: &str) {
        Self::reduced(|name| name != function);
    }

    /// The same of one that lacks all that it is not to keep.
    pub(crate) fn reduced(keep: impl Fn(&str) -> bool) -> &'static Self {
        Self::copied(|folder| syncpoint_cuda_fake::reduced(folder, keep))
    }

    /// Has the backend use a stand-in that tells and is told nothing, as a driver is.
    pub(crate) fn uncontrolled() -> &'static Self {
        Self::copied(syncpoint_cuda_fake::uncontrolled)
    }

    fn copied(copy: impl FnOnce(&Path) -> io::Result<PathBuf>) -> &'static Self {
        USED.get_or_init(|| {
            let folder = env::temp_dir().join(format!("syncpoint-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("a folder can be made");
            let used = Self::load(&copy(&folder).expect("the library can be copied"));
            // It is opened now, and needed no more.
            let _asked = syncpoint::cuda::available();
            std::fs::remove_dir_all(&folder).expect("the folder can be removed");
            used
        })
    }

    /// Runs a test, which has this name, in a process of its own: it changes or counts what the whole process does.
    #[track_caller]
    pub(crate) fn alone(name: &str, test: fn(&'static Self) -> syncpoint::Result<()>) {
        if env::var_os(ALONE).is_some() {
            return test(Self::used()).expect("nothing else is refused");
        }
        let mut child = Command::new(env::current_exe().expect("a test has a program"));
        child.args(["--exact", name, "--nocapture"]).env(ALONE, name);
        let ended = child.output().expect("a child runs");
        let said = [&ended.stdout, &ended.stderr].map(|words| String::from_utf8_lossy(words));
        assert!(ended.status.success(), "{}\n{}\n{}", ended.status, said[0], said[1]);
        assert!(said[0].contains("1 passed"), "no test is called {name}");
    }

    fn load(path: &Path) -> Self {
        syncpoint::cuda::use_library(path).expect("nothing else was used");
        // SAFETY: nothing of the library runs when it is loaded.
        let library = unsafe { Library::new(path) }.expect("the library can be loaded");
        Self(ManuallyDrop::new(library))
    }

    /// What it pretends from now on.
    pub(crate) fn script(&self, script: &str) {
        let text = CString::new(script).expect("a script has no zeros");
        // SAFETY: the library exports the function so.
        let tell = unsafe {
            self.0.get::<unsafe extern "C" fn(*const c_char) -> c_int>(c"syncpointFakeScript")
        };
        let tell = tell.expect("the function is there");
        // SAFETY: the text ends with a zero and lives.
        assert_eq!(unsafe { tell(text.as_ptr()) }, 0, "{script}");
    }

    /// How often a function was called.
    pub(crate) fn count(&self, function: &str) -> u64 {
        self.number("syncpointFakeCount", function)
    }

    /// How many calls a script has refused on threads of this name; on all for `*`.
    pub(crate) fn struck(&self, thread: &str) -> u64 {
        self.number("syncpointFakeStruck", thread)
    }

    /// The capture mode of this thread.
    pub(crate) fn capture_mode(&self) -> c_int {
        const RELAXED: c_int = 2;
        let mut mode = RELAXED;
        let room = (&raw mut mode).expose_provenance();
        assert_eq!(self.call("cuThreadExchangeStreamCaptureMode", room, 0), 0);
        let before = mode;
        assert_eq!(self.call("cuThreadExchangeStreamCaptureMode", room, 0), 0);
        before
    }

    /// How many objects of a kind live.
    pub(crate) fn alive(&self, kind: &str) -> u64 {
        self.number("syncpointFakeAlive", kind)
    }

    /// The context that is current on this thread, by its address; zero for none. Of the stand-in no call of the driver's, which
    /// a script could have fail.
    pub(crate) fn current(&self) -> usize {
        // SAFETY: the library exports the function so.
        let ask = unsafe { self.0.get::<extern "C" fn() -> usize>(c"syncpointFakeCurrent") };
        ask.map_or_else(|_no_stand_in| self.drivers_current(), |ask| ask())
    }

    /// The same as any driver tells it, once it has begun.
    fn drivers_current(&self) -> usize {
        let mut context = 0_usize;
        assert_eq!(self.call("cuInit", 0, 0), 0);
        assert_eq!(self.call("cuCtxGetCurrent", (&raw mut context).expose_provenance(), 0), 0);
        context
    }

    /// Whether a context, which is retained, is broken by a launch that failed. It is asked for its flags: to wait for it is
    /// to wait for green ones beside it too, which may be broken, and on their way to their end.
    pub(crate) fn is_broken(&self, context: usize) -> bool {
        const LAUNCH_FAILED: c_int = 719;
        let (before, mut flags) = (self.current(), 0_u32);
        self.set_current(context);
        let code = self.call("cuCtxGetFlags", (&raw mut flags).expose_provenance(), 0);
        self.set_current(before);
        code == LAUNCH_FAILED
    }

    /// Begins the driver and retains the primary context of a device, so that it outlives every user, and what they leave
    /// in it is seen. Gives it.
    pub(crate) fn keep(&self, device: usize) -> usize {
        let mut context = 0_usize;
        assert_eq!(self.call("cuInit", 0, 0), 0);
        let room = (&raw mut context).expose_provenance();
        assert_eq!(self.call("cuDevicePrimaryCtxRetain", room, device), 0);
        context
    }

    /// Makes the primary context of a device current on this thread.
    pub(crate) fn make_current(&self, device: c_int) -> usize {
        let context = self.keep(usize::try_from(device).expect("devices are counted from 0"));
        self.set_current(context);
        context
    }

    /// Puts a context in the place of the one that is current on this thread; zero takes that away.
    pub(crate) fn set_current(&self, context: usize) {
        // SAFETY: the library exports the function so.
        let set = unsafe { self.0.get::<unsafe extern "C" fn(usize) -> c_int>(c"cuCtxSetCurrent") };
        let set = set.expect("the function is there");
        // SAFETY: the context is retained, or none.
        assert_eq!(unsafe { set(context) }, 0);
    }

    /// A stream that this program makes without the backend, in the primary context of a device.
    pub(crate) fn make_stream(&self, device: c_int) -> Made {
        self.make_stream_in(self.primary(device))
    }

    /// The same of the kind that programs make which ask for none: it and the legacy default stream wait for each other.
    pub(crate) fn make_blocking_stream(&self, device: c_int) -> Made {
        self.make_stream_with(self.primary(device), BLOCKING)
    }

    /// Retains the primary context of a device, and leaves the one that is current.
    fn primary(&self, device: c_int) -> usize {
        let before = self.current();
        let context = self.make_current(device);
        self.set_current(before);
        context
    }

    /// A stream that this program makes without the backend in any context.
    pub(crate) fn make_stream_in(&self, context: usize) -> Made {
        self.make_stream_with(context, NON_BLOCKING)
    }

    fn make_stream_with(&self, context: usize, flags: u32) -> Made {
        let before = self.current();
        self.set_current(context);
        let mut stream = 0;
        // SAFETY: the library exports the function so.
        let make = unsafe {
            self.0.get::<unsafe extern "C" fn(*mut usize, u32) -> c_int>(c"cuStreamCreate")
        };
        let make = make.expect("the function is there");
        // SAFETY: the pointer is to a word.
        assert_eq!(unsafe { make(&raw mut stream, flags) }, 0);
        self.set_current(before);
        Made(stream)
    }

    /// A context that this program makes without the backend, and that lives on.
    pub(crate) fn make_context(&self, device: c_int) -> usize {
        let mut context = 0;
        // SAFETY: the library exports the function so.
        let make = unsafe {
            self.0.get::<unsafe extern "C" fn(*mut usize, u32, c_int) -> c_int>(c"cuCtxCreate_v2")
        };
        let make = make.expect("the function is there");
        // SAFETY: the pointer is to a word.
        assert_eq!(unsafe { make(&raw mut context, 0, device) }, 0);
        // It was made current on top of what was.
        self.set_current(0);
        context
    }

    /// Resets a device: every object in its primary context is gone.
    pub(crate) fn reset_device(&self, device: c_int) {
        // SAFETY: the library exports the function so.
        let reset = unsafe {
            self.0.get::<unsafe extern "C" fn(c_int) -> c_int>(c"cuDevicePrimaryCtxReset_v2")
        };
        let reset = reset.expect("the function is there");
        // SAFETY: it takes a number; the stand-in refuses every handle of before from then on.
        assert_eq!(unsafe { reset(device) }, 0);
    }

    /// Has the backend take in a context.
    pub(crate) fn open_context(
        &self,
        context: usize,
        owner: impl Any + Send + Sync,
    ) -> syncpoint::Result<Device> {
        let raw = std::ptr::with_exposed_provenance_mut(context);
        // SAFETY: the context was made by the driver, and lives on.
        unsafe { syncpoint::cuda::builder().open_context(raw, owner) }
    }

    /// Has the backend take in a stream, which ends when the backend is done with it.
    pub(crate) fn borrow(&self, device: &Device, made: Made) -> syncpoint::Result<Arc<Stream>> {
        self.borrow_with(device, made.0, made)
    }

    /// The same of a stream that lives long enough anyway.
    pub(crate) fn borrow_unowned(
        &self,
        device: &Device,
        stream: usize,
    ) -> syncpoint::Result<Arc<Stream>> {
        self.borrow_with(device, stream, ())
    }

    /// The same with an owner.
    pub(crate) fn borrow_with(
        &self,
        device: &Device,
        stream: usize,
        owner: impl Any + Send + Sync,
    ) -> syncpoint::Result<Arc<Stream>> {
        let raw = std::ptr::with_exposed_provenance_mut(stream);
        // SAFETY: the stream was made by the driver, and lives until its owner is dropped; other numbers are refused.
        unsafe { syncpoint::cuda::borrow(device, raw, owner) }
    }

    /// Has a function called at the end of the process, after what is registered later. It exits with a code of its own.
    pub(crate) fn at_exit(&self, function: extern "C" fn()) {
        // SAFETY: the function may be called on any thread, at any time.
        assert_eq!(unsafe { libc::atexit(function) }, 0);
    }

    /// Ends the process, from where no handlers may be run any more.
    pub(crate) fn end_at_once(&self, code: c_int) -> ! {
        // SAFETY: the call takes a number and does not return.
        unsafe { libc::_exit(code) }
    }

    /// Waits until everything on a stream has ended, whoever launched it.
    pub(crate) fn settle_stream(&self, stream: usize) {
        // SAFETY: the library exports the function so.
        let ask = unsafe { self.0.get::<unsafe extern "C" fn(usize) -> c_int>(c"cuStreamQuery") };
        let ask = ask.expect("the function is there");
        // SAFETY: the stream lives, or is refused.
        syncpoint_conformance::patience::until(
            "the end of a stream",
            || unsafe { ask(stream) } == 0,
        );
    }

    /// An event of others', made in the context that is current on this thread.
    pub(crate) fn make_event(&self) -> usize {
        let mut event = 0;
        // SAFETY: the library exports the function so.
        let make = unsafe {
            self.0.get::<unsafe extern "C" fn(*mut usize, c_int) -> c_int>(c"cuEventCreate")
        };
        let make = make.expect("the function is there");
        // SAFETY: the pointer is to a word.
        assert_eq!(unsafe { make(&raw mut event, 2) }, 0);
        event
    }

    /// Has the backend take in a new event of the context that is current on this thread, which is the device's.
    pub(crate) fn borrow_event(
        &self,
        device: &Device,
        owner: impl Any + Send + Sync,
    ) -> syncpoint::Result<Event> {
        self.borrow_event_with(device, self.make_event(), owner)
    }

    /// The same of an event that is there.
    pub(crate) fn borrow_event_with(
        &self,
        device: &Device,
        event: usize,
        owner: impl Any + Send + Sync,
    ) -> syncpoint::Result<Event> {
        let raw = std::ptr::with_exposed_provenance_mut(event);
        // SAFETY: the event was made in the device's context, and lives for as long as its owner, or for ever.
        unsafe { syncpoint::cuda::borrow_event(device, raw, owner) }
    }

    /// Has the backend open an event of another process.
    pub(crate) fn open_event(
        &self,
        device: &Device,
        handle: &IpcHandle,
    ) -> syncpoint::Result<Event> {
        // SAFETY: the stand-in refuses what a driver would leave undefined.
        unsafe { syncpoint::cuda::open_event(device, handle) }
    }

    /// The code of a function of the driver's that takes two handles.
    pub(crate) fn call(&self, function: &str, first: usize, second: usize) -> c_int {
        self.function(function)(first, second)
    }

    /// Whether the library has a function.
    pub(crate) fn has(&self, function: &str) -> bool {
        // SAFETY: what is found is not called.
        unsafe { self.0.get::<unsafe extern "C" fn()>(function) }.is_ok()
    }

    /// The code of a function of the driver's that takes up to four handles and numbers.
    pub(crate) fn call_with(&self, function: &str, arguments: [usize; 4]) -> c_int {
        type Four = unsafe extern "C" fn(usize, usize, usize, usize) -> c_int;
        // SAFETY: the library exports the function so, or so with fewer; of x86-64 and AArch64 the calling conventions let a caller give some too many.
        let call = unsafe { self.0.get::<Four>(function) }.expect("the function is there");
        let [first, second, third, fourth] = arguments;
        // SAFETY: the stand-in refuses what is no handle; pointers are to room of the caller's.
        unsafe { call(first, second, third, fourth) }
    }

    /// A function of the driver's that takes two handles, or one, and flags perhaps, which are 0.
    pub(crate) fn function(&self, function: &str) -> impl Fn(usize, usize) -> c_int + use<> {
        type Three = unsafe extern "C" fn(usize, usize, usize) -> c_int;
        // SAFETY: the library exports the function so, or so with fewer; of x86-64 and AArch64 the calling conventions let a caller give some too many.
        let found = unsafe { self.0.get::<Three>(function) };
        let call = *found.expect("the function is there");
        // SAFETY: the stand-in refuses what is no handle, and is never unloaded.
        move |first, second| unsafe { call(first, second, 0) }
    }

    /// Has the device call a function, in the order of a stream and past the backend.
    pub(crate) fn launch(&self, stream: &Stream, function: impl FnOnce() + Send + 'static) {
        type Launch = unsafe extern "C" fn(usize, HostFunction, *mut Boxed) -> c_int;
        // SAFETY: the library exports the function so.
        let launch = unsafe { self.0.get::<Launch>(c"cuLaunchHostFunc") };
        let launch = *launch.expect("the function is there");
        let function: Boxed = Box::new(function);
        let submitted = stream.submit(move |submission| {
            let raw = submission.native::<syncpoint::cuda::RawStream>().expect("a handle is lent");
            let data = Box::into_raw(Box::new(function));
            // SAFETY: the function takes what it is given, once.
            assert_eq!(unsafe { launch(raw.as_ptr().addr(), call, data) }, 0);
        });
        submitted.expect("the stream takes it");
    }

    fn number(&self, function: &str, of: &str) -> u64 {
        let text = CString::new(of).expect("a name has no zeros");
        // SAFETY: the library exports the function so.
        let ask = unsafe { self.0.get::<Number>(function) }.expect("the function is there");
        // SAFETY: the text ends with a zero and lives.
        unsafe { ask(text.as_ptr()) }
    }
}

type Boxed = Box<dyn FnOnce() + Send>;

type HostFunction = unsafe extern "C" fn(*mut Boxed);

/// # Safety
/// - `data` is a box of a function, which is nobody else's.
unsafe extern "C" fn call(data: *mut Boxed) {
    // SAFETY: by the duty above.
    let function = unsafe { Box::from_raw(data) };
    function();
}

/// A stream of this program's own, which it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Made(pub(crate) usize);

impl Made {
    /// The address of the stream, which somebody else ends.
    pub(crate) fn again(&self) -> usize {
        self.0
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let fake = Fake::used();
        // SAFETY: the library exports the function so.
        let end =
            unsafe { fake.0.get::<unsafe extern "C" fn(usize) -> c_int>(c"cuStreamDestroy_v2") };
        let end = end.expect("the function is there");
        // SAFETY: the stream was made by the driver, and is ended once.
        unsafe { end(self.0) };
    }
}
