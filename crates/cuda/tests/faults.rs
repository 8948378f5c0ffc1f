//! Faults: each function of the driver that we call fails once, at its first call and at a later one.
//!
//! Each in a process of its own. Whatever fails is told by its name, harms nothing that comes later, and leaves nothing behind.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod fake;
mod uses;

use std::env;
use std::process::{Command, Output};

use syncpoint::{Error, Kind};
use syncpoint_conformance::patience::until;

use fake::Fake;
use uses::use_everything;

/// What a child is to do: a function, the number of its call, the code and how it comes.
const FAULT: &str = "SYNCPOINT_TEST_FAULT";

/// `CUDA_ERROR_UNKNOWN`: says nothing of the context.
const UNKNOWN: u32 = 999;

/// `CUDA_ERROR_LAUNCH_FAILED`: the context is broken for good.
const LAUNCH_FAILED: u32 = 719;

/// Whether a device has memory pools.
const MEMORY_POOLS: u32 = 115;

/// Called for events of other processes alone: `processes.rs` has its faults.
const ELSEWHERE: &str = "cuIpcOpenEventHandle";

/// A function that the uses call themselves, each time right before the backend does.
const BY_USES: &str = "cuCtxFromGreenCtx";

/// Functions that are called once in a process.
const ONCE: &[&str] = &["cuInit", "cuDeviceGetCount"];

/// Functions that are called where another one was refused, and how that comes about.
const BESIDE: &[(&str, &str)] = &[
    ("cuDriverGetVersion", "fail cuInit 1..2 998"),
    ("cuGetErrorName", "fail cuMemsetD8Async 1..2 998"),
];

/// Functions whose trouble the caller need not hear of, with the reason. What a drop cannot say is counted.
const SILENT: &[(&str, &str)] = &[
    ("cuDriverGetVersion", "a version is for messages"),
    ("cuGetErrorName", "a name is for messages"),
    ("cuDeviceGetName", "a name is for messages"),
    ("cuDeviceGetAttribute", "a device that does not say has no memory pools"),
    ("cuThreadExchangeStreamCaptureMode", "what is not exchanged stays as it is"),
    ("cuMemHostRegister_v2", "memory that is not pinned does as well"),
    ("cuDevicePrimaryCtxRelease_v2", "of a drop"),
    ("cuStreamDestroy_v2", "of a drop"),
    ("cuEventDestroy_v2", "of a drop"),
    ("cuMemFree_v2", "of a drop"),
    ("cuMemFreeAsync", "of a drop"),
    ("cuMemHostUnregister", "of a drop"),
    ("cuModuleUnload", "of a drop"),
    ("cuStreamGetId", "a stream without an id is told apart by its address"),
    ("cuCtxGetId", "a context without an id is told apart by its address"),
    ("cuStreamGetPriority", "a priority is for whoever asks"),
    ("cuStreamWriteValue64_v2", "importers wait through the host"),
];

/// Of those, the ones that end an object, which then lives on.
const ENDS: &[&str] = &[
    "cuStreamDestroy_v2",
    "cuEventDestroy_v2",
    "cuMemFree_v2",
    "cuMemFreeAsync",
    "cuMemHostUnregister",
    "cuModuleUnload",
];

/// Functions that may do their work and give the code of an earlier launch all the same. Of one that makes something nobody
/// knows then what it has made.
const LATE: &[&str] = &[
    "cuStreamWaitEvent",
    "cuStreamWaitValue64_v2",
    "cuStreamQuery",
    "cuStreamDestroy_v2",
    "cuEventRecord",
    "cuEventRecordWithFlags",
    "cuEventElapsedTime_v2",
    "cuEventDestroy_v2",
    "cuMemsetD8Async",
    "cuMemcpyDtoDAsync_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemFree_v2",
    "cuMemFreeAsync",
    "cuMemHostUnregister",
    "cuModuleUnload",
    "cuLaunchKernel",
];

#[test]
fn what_fails_at_its_first_call_is_told_and_harms_nothing_later() {
    for function in functions() {
        assert_child_ends_well(&format!("fail {function} 1 {UNKNOWN}"));
    }
}

#[test]
fn what_fails_at_a_later_call_is_told_and_harms_nothing_later() {
    for function in functions() {
        assert_child_ends_well(&format!("fail {function} 2 {UNKNOWN}"));
    }
}

#[test]
fn what_breaks_the_context_is_the_first_cause_of_all_that_fails() {
    for function in functions() {
        assert_child_ends_well(&format!("break {function} 2 {LAUNCH_FAILED}"));
    }
}

#[test]
fn the_error_of_an_earlier_launch_is_told_and_what_the_call_has_done_is_done() {
    for function in LATE {
        assert_child_ends_well(&format!("late {function} 2 {UNKNOWN}"));
    }
}

#[test]
fn a_function_that_the_library_lacks_takes_one_capability_and_nothing_else() {
    for function in functions() {
        assert_child_ends_well(&format!("without {function} 0 0"));
    }
}

/// The functions of the table.
fn functions() -> impl Iterator<Item = &'static str> {
    syncpoint::cuda::functions().filter(|function| *function != ELSEWHERE)
}

#[track_caller]
fn assert_child_ends_well(fault: &str) {
    let mut child = Command::new(env::current_exe().expect("a test has a program"));
    child.args(["--exact", "under_a_fault", "--nocapture"]).env(FAULT, fault);
    let Output { status, stdout, stderr } = child.output().expect("a child runs");
    let said = [stdout, stderr].map(|words| String::from_utf8_lossy(&words).into_owned());
    assert!(status.success(), "{fault}: {status}\n{}{}", said[0], said[1]);
}

/// What the children do; nothing where no fault was given.
#[test]
fn under_a_fault() {
    let Ok(fault) = env::var(FAULT) else { return };
    let words: Vec<&str> = fault.split(' ').collect();
    match words[..] {
        ["without", function, _, _] => without(function),
        [how, function, call, code] => {
            let [call, code] = [call, code].map(|number| number.parse().expect("a number"));
            Fault { how, function, call, code }.tried();
        }
        _ => panic!("{fault}: no fault"),
    }
}

/// A fault of a function.
#[derive(Debug)]
struct Fault<'f> {
    how: &'f str,
    function: &'f str,
    call: u64,
    code: u64,
}

impl Fault<'_> {
    /// Uses everything under the fault, and holds against it what was told and what is left.
    fn tried(mut self) {
        let fake = self.arranged();
        // The second time on a device that is older.
        let programs = [1, 0].map(|pools| {
            fake.script(&format!("attribute {MEMORY_POOLS} {pools}"));
            use_everything()
        });
        let errors = programs.concat();
        self.assert_told(&errors);
        let silent = u64::from(self.is_silent());
        match self.how {
            "break" => programs.iter().for_each(|errors| assert_lost(errors)),
            "late" => assert_well(fake, &errors, &Left { unheard: silent, ..Left::default() }),
            _ => assert_well(fake, &errors, &Left::of(self.function)),
        }
    }

    /// Has the driver do it. From now on `call` counts from the beginning of the process.
    fn arranged(&mut self) -> &'static Fake {
        // Called where the newer one is not there.
        if self.function == "cuEventElapsedTime" {
            Fake::without("cuEventElapsedTime_v2");
        }
        let fake = Fake::used();
        // Or everything would be gone with the last user, whoever ended it.
        fake.keep(0);
        let call = if self.function == BY_USES { self.call * 2 } else { self.call };
        fake.script(&format!("{} {} {call} {}", self.how, self.function, self.code));
        self.call = fake.count(self.function) + call;
        let beside = BESIDE.iter().find(|(beside, _)| *beside == self.function);
        if let Some((_, beside)) = beside {
            fake.script(beside);
        }
        fake
    }

    fn assert_told(&self, errors: &[Error]) {
        let hung = errors.iter().find(|error| error.kind() == Kind::TimedOut);
        assert!(hung.is_none(), "{self:?}: a wait was left alone: {hung:?}");
        if ONCE.contains(&self.function) && Fake::used().count(self.function) < self.call {
            return;
        }
        until(&format!("the call that is to fail: {self:?}"), || {
            Fake::used().count(self.function) >= self.call
        });
        let is_told = errors.iter().any(|error| tells(error, self.function, self.code));
        assert!(is_told || self.is_silent(), "{self:?}: nobody was told; heard {errors:#?}");
    }

    fn is_silent(&self) -> bool {
        SILENT.iter().any(|(silent, _)| *silent == self.function)
    }
}

/// Whether an error names the function and its code, as its own or as those of the work that failed.
fn tells(error: &Error, function: &str, code: u64) -> bool {
    let is_own = error.code().is_some_and(|(number, _)| u64::try_from(number) == Ok(code));
    error.message().contains(function) && (is_own || error.message().contains(&format!("{code})")))
}

/// What one end that is refused leaves.
#[derive(Default)]
struct Left {
    unheard: u64,
    /// At most.
    objects: u64,
    /// Contexts that nobody gives back any more.
    contexts: u64,
}

impl Left {
    fn of(function: &str) -> Self {
        match function {
            // What the call has made is lost with the thread's own context.
            "cuCtxPopCurrent_v2" => Self { unheard: 0, objects: 1, contexts: 0 },
            "cuDevicePrimaryCtxRelease_v2" => Self { unheard: 1, objects: 0, contexts: 1 },
            end if ENDS.contains(&end) => Self { unheard: 1, objects: 1, contexts: 0 },
            _ => Self::default(),
        }
    }
}

/// The library lacks a function: there is no device, or what needs it is refused by its name.
fn without(function: &str) {
    Fake::without(function);
    for error in use_everything() {
        assert_ne!(error.kind(), Kind::TimedOut, "without {function}: {error}");
        let kinds = [Kind::Unsupported, Kind::Unavailable];
        assert!(kinds.contains(&error.kind()), "without {function}: {error}");
        let tells = error.message().contains(function) || error.message().contains("device_gates");
        let is_of_the_device = error.message().contains("ask capabilities()");
        assert!(tells || is_of_the_device, "without {function}: {error}");
    }
}

/// Whatever failed, what comes later works, and at the end nothing is left but what could not be ended.
fn assert_well(fake: &Fake, errors: &[Error], left: &Left) {
    for error in errors {
        assert_ne!(error.kind(), Kind::DeviceLost, "{error}");
    }
    fake.script(&format!("attribute {MEMORY_POOLS} 1"));
    let later = use_everything();
    assert!(later.is_empty(), "after the fault: {later:#?}");
    until("the count of what a drop could not say", || syncpoint::cuda::unheard() == left.unheard);
    // The context that is kept is one.
    until("the end of everything", || fake.alive("all") <= 1 + left.objects);
    assert_eq!(syncpoint::cuda::unheard(), left.unheard);
    fake.call("cuDevicePrimaryCtxRelease_v2", 0, 0);
    until("as many releases as it was retained", || fake.alive("contexts") == left.contexts);
}

/// Everything of one device that fails once its context is broken does so with one cause.
fn assert_lost(errors: &[Error]) {
    let lost = || errors.iter().filter(|error| error.kind() == Kind::DeviceLost);
    let Some(first) = lost().next() else { return };
    for error in lost() {
        assert!(error.is_same(first), "{error} is not {first}");
    }
}
