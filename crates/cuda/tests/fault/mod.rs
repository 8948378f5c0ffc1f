//! Faults of the driver's functions: which trouble is told to whom, what it may leave, and what must work all the same.

#![allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]

use std::env;
use std::process::{Command, Output};

use syncpoint::{Error, Kind};
use syncpoint_conformance::patience::until;

use super::fake::Fake;
use super::uses::{EXPORT, MISUSE, STAGED, WAIT, met, use_everything};

/// `CUDA_ERROR_UNKNOWN`: says nothing of the context.
pub(crate) const UNKNOWN: u32 = 999;

/// `CUDA_ERROR_LAUNCH_FAILED`: the context is broken for good.
pub(crate) const LAUNCH_FAILED: u32 = 719;

/// What a child is to do: a function, the number of its call, the code and how it comes.
pub(crate) const FAULT: &str = "SYNCPOINT_TEST_FAULT";

/// Whether a device has memory pools.
pub(crate) const MEMORY_POOLS: u32 = 115;

/// Called for events of other processes alone: `pages.rs` has its faults.
const ELSEWHERE: &str = "cuIpcOpenEventHandle";

/// Functions whose trouble the caller need not hear of, with the reason. What a drop cannot say is counted.
pub(crate) const SILENT: &[(&str, &str)] = &[
    ("cuDriverGetVersion", "a version is for messages"),
    ("cuGetErrorName", "a name is for messages"),
    ("cuDeviceGetName", "a name is for messages"),
    ("cuDeviceGetAttribute", "a device that does not say has no memory pools"),
    ("cuThreadExchangeStreamCaptureMode", "it is asked once more"),
    ("cuCtxPopCurrent_v2", "it is asked once more"),
    ("cuMemHostRegister_v2", "memory that is not pinned does as well"),
    ("cuDevicePrimaryCtxRelease_v2", "of a drop"),
    ("cuStreamDestroy_v2", "of a drop"),
    ("cuEventDestroy_v2", "of a drop"),
    ("cuMemFree_v2", "of a drop"),
    ("cuMemFreeAsync", "of a drop"),
    ("cuMemHostUnregister", "of a drop"),
    ("cuModuleUnload", "of a drop"),
    ("cuStreamGetPriority", "a priority is for whoever asks"),
    ("cuStreamWriteValue64_v2", "importers wait through the host"),
];

/// Of those, the ones that end an object, which then lives on.
pub(crate) const ENDS: &[&str] = &[
    "cuStreamDestroy_v2",
    "cuEventDestroy_v2",
    "cuMemFree_v2",
    "cuMemFreeAsync",
    "cuMemHostUnregister",
    "cuModuleUnload",
];

/// Functions that are also called where nobody can be told, or need be: by which thread of ours, or by which of the uses.
pub(crate) const PARTLY_SILENT: &[(&str, &[&str])] = &[
    ("cuCtxGetCurrent", &[REAPER, CREW, POLLER, EXPORT, STAGED, MISUSE]),
    ("cuCtxPushCurrent_v2", &[REAPER, CREW, POLLER, EXPORT, STAGED, MISUSE]),
    ("cuEventCreate", &[CREW]),
    ("cuEventRecord", &[CREW, EXPORT]),
    ("cuEventQuery", &[POLLER, NOTIFIER, WAIT]),
    ("cuStreamIsCapturing", &[MISUSE]),
];

/// Of a drop, which is counted.
const REAPER: &str = "syncpoint-reap";

/// Of the last mark of a stream that is gone: the device is asked for its end.
const CREW: &str = "syncpoint-work";

/// Of a stream that is gone, as the crew's; and each call sees to its context where the poller could not once for all.
const POLLER: &str = "syncpoint-cuda";

/// Asks for what is behind a point that it tells of, as who waits does. Linux cuts its name.
const NOTIFIER: &str = "syncpoint-notif";

/// Functions that may do their work and give the code of an earlier launch all the same. Of one that makes something nobody
/// knows then what it has made.
pub(crate) const LATE: &[&str] = &[
    "cuStreamWaitEvent",
    "cuStreamWaitValue64_v2",
    "cuStreamWriteValue64_v2",
    "cuStreamQuery",
    "cuStreamDestroy_v2",
    "cuEventQuery",
    "cuEventRecord",
    "cuEventRecordWithFlags",
    "cuEventElapsedTime_v2",
    "cuEventDestroy_v2",
    "cuMemsetD8Async",
    "cuMemcpyDtoDAsync_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyAsync",
    "cuMemFree_v2",
    "cuMemFreeAsync",
    "cuMemHostUnregister",
    "cuModuleUnload",
    "cuLaunchKernel",
];

/// Whether nobody need hear of it.
pub(crate) fn is_silent(function: &str) -> bool {
    SILENT.iter().any(|(silent, _)| *silent == function)
}

/// Whether a function that was refused was called where nobody can be told, or need be: importers wait through the host,
/// memory that is not pinned does as well, a misuse is refused anyway, and who waits or asks may hear of the end from the
/// poller, who has asked at the same time.
pub(crate) fn is_unasked(fake: &Fake, function: &str) -> bool {
    let asked = PARTLY_SILENT.iter().find(|(silent, _)| *silent == function);
    asked.is_some_and(|(_, who)| who.iter().any(|who| fake.struck(who) > 0 || met(who)))
}

/// Whether it was a thread of ours that was refused. Of a loss that one of them hears last nobody need be told: who waited is
/// seen to be told by its wait.
pub(crate) fn is_ours(fake: &Fake) -> bool {
    [REAPER, CREW, POLLER, NOTIFIER].iter().any(|who| fake.struck(who) > 0)
}

/// The functions of the table.
pub(crate) fn functions() -> impl Iterator<Item = &'static str> {
    syncpoint::cuda::functions().filter(|function| *function != ELSEWHERE)
}

/// Has children of this program do what its test `under_a_fault` makes of these, and tells of all that do not end well.
#[track_caller]
pub(crate) fn assert_children_end_well(faults: impl Iterator<Item = String>) {
    let troubles: Vec<_> = faults.filter_map(|fault| child(&fault).err()).collect();
    assert!(troubles.is_empty(), "{} faults did harm:\n{}", troubles.len(), troubles.join("\n"));
}

/// Has a child do it. Gives what it says.
pub(crate) fn child(fault: &str) -> Result<String, String> {
    let mut child = Command::new(env::current_exe().expect("a test has a program"));
    child.args(["--exact", "under_a_fault", "--nocapture"]).env(FAULT, fault);
    let Output { status, stdout, stderr } = child.output().expect("a child runs");
    let [told, complained] =
        [stdout, stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    if status.success() { Ok(told) } else { Err(format!("{fault}: {status}\n{told}{complained}")) }
}

/// Whether an error names the function and its code, as its own or as those of the work that failed.
pub(crate) fn tells(error: &Error, function: &str, code: u64) -> bool {
    let is_own = error.code().is_some_and(|(number, _)| u64::try_from(number) == Ok(code));
    error.message().contains(function) && (is_own || error.message().contains(&format!("{code})")))
}

/// A function that the uses call themselves, each time right before the backend does.
pub(crate) const BY_USES: &str = "cuCtxFromGreenCtx";

/// A fault of a function: how it comes, at which call, and with which code.
#[derive(Debug)]
pub(crate) struct Fault<'f> {
    pub(crate) how: &'f str,
    pub(crate) function: &'f str,
    pub(crate) call: u64,
    pub(crate) code: u64,
}

impl Fault<'_> {
    /// Whether an error is of it, by the function and its code. Of a broken context whoever asks first hears, a thread of ours
    /// too, which may come before the call that broke it: then it is a loss with the code.
    pub(crate) fn is_told_by(&self, error: &Error) -> bool {
        let is_loss = self.how == "break" && error.kind() == Kind::DeviceLost;
        let is_the_code = |(code, _): (i64, _)| u64::try_from(code) == Ok(self.code);
        tells(error, self.function, self.code) || (is_loss && error.code().is_some_and(is_the_code))
    }

    /// Which call of the function it is of what the uses and the backend call together.
    pub(crate) fn counted_call(&self) -> u64 {
        if self.function == BY_USES { self.call * 2 } else { self.call }
    }

    /// Nobody who waited was left alone.
    pub(crate) fn assert_nobody_hung(&self, errors: &[Error]) {
        let hung = errors.iter().find(|error| error.kind() == Kind::TimedOut);
        assert!(hung.is_none(), "{self:?}: a wait was left alone: {hung:?}");
    }
}

/// What one end that is refused leaves.
#[derive(Clone, Copy, Default)]
pub(crate) struct Unended {
    pub(crate) unheard: u64,
    /// At most.
    pub(crate) objects: u64,
    /// At most. Contexts that nobody gives back any more.
    pub(crate) contexts: u64,
}

impl Unended {
    /// Where nobody was told of it.
    pub(crate) fn of(fake: &Fake, function: &str) -> Self {
        match function {
            "cuDevicePrimaryCtxRelease_v2" => Self { unheard: 1, contexts: 1, ..Self::default() },
            "cuCtxGetCurrent" | "cuCtxPushCurrent_v2" if fake.struck(REAPER) > 0 => {
                Self { unheard: 1, objects: 1, ..Self::default() }
            }
            end if ENDS.contains(&end) => Self { unheard: 1, objects: 1, ..Self::default() },
            _ => Self::default(),
        }
    }
}

/// Whatever failed, what comes later works, and at the end nothing is left but what could not be ended.
pub(crate) fn assert_well(fake: &Fake, errors: &[Error], left: &Unended) {
    for error in errors {
        assert_ne!(error.kind(), Kind::DeviceLost, "{error}");
    }
    fake.script(&format!("attribute {MEMORY_POOLS} 1"));
    let later = use_everything();
    assert!(later.is_empty(), "after the fault: {later:#?}");
    let unheard = syncpoint::cuda::unheard;
    until("the count of what a drop could not say", || unheard() >= left.unheard);
    // The context that is kept is one.
    until(&format!("the end of all but {}", left.objects), || {
        fake.alive("all") <= 1 + left.objects
    });
    assert_eq!(unheard(), left.unheard);
    assert_given_back(fake, left);
}

/// The test gives back what it has kept, which nobody else did.
fn assert_given_back(fake: &Fake, left: &Unended) {
    let own = fake.call("cuDevicePrimaryCtxRelease_v2", 0, 0);
    assert!(own == 0 || left.contexts > 0, "the context was given back more often: {own}");
    until("as many releases as it was retained", || fake.alive("contexts") <= left.contexts);
}

/// Everything of one device that fails once its context is broken does so with one cause.
pub(crate) fn assert_lost(errors: &[Error]) {
    let lost = || errors.iter().filter(|error| error.kind() == Kind::DeviceLost);
    let Some(first) = lost().next() else { return };
    for error in lost() {
        assert!(error.is_same(first), "{error} is not {first}");
    }
}

/// Whoever opens the device after a fault that breaks contexts is told that it is broken, or finds it whole. Nobody keeps
/// it: once nobody has anything of it any more, the context is given back.
pub(crate) fn assert_known(fake: &Fake, kept: usize, left: &Unended) {
    let was_broken = fake.is_broken(kept);
    let later = use_everything();
    // What the reaper is asked late may break it meanwhile.
    let is_broken = fake.is_broken(kept);
    let is_told = later.iter().any(|error| error.kind() == Kind::DeviceLost);
    assert!(is_told || !was_broken, "after the loss: {later:#?}");
    assert!(is_broken || later.is_empty(), "after a loss of another context: {later:#?}");
    assert_given_back(fake, left);
}
