//! The control surface: scripts, counts and live objects, for tests that hold the library in their hands.

use std::env;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::code::{Code, Result};
use crate::sync::lock;
use crate::table::Handle;
use crate::{current, driver, pretence, script};

use super::call::Function;
use super::init;
use super::pointer::Text;

/// Whether the script of the environment has been read since the last reset.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Held while that script is read, so that no call goes ahead of it; nothing of the program's runs under it.
static BEGINNING: Mutex<()> = Mutex::new(());

const VARIABLE: &str = "SYNCPOINT_CUDA_FAKE";

/// Reads the script of the environment before the first call. One that makes no sense fails every call, and says so.
pub(super) fn begin() -> Result {
    // Acquire: pairs with the release below, so that whoever sees it begun sees what the script said.
    if BEGUN.load(Ordering::Acquire) {
        return Ok(());
    }
    let beginning = lock(&BEGINNING);
    // Relaxed: the lock orders it.
    if !BEGUN.load(Ordering::Relaxed) {
        follow(&env::var(VARIABLE).unwrap_or_default())?;
        // Release: pairs with the acquire above.
        BEGUN.store(true, Ordering::Release);
    }
    drop(beginning);
    Ok(())
}

/// Follows a script whole, or not at all.
fn follow(text: &str) -> Result {
    let clauses = script::read(text).map_err(|trouble| complain(&trouble))?;
    let mut release = false;
    for clause in clauses {
        release |= pretence::follow(clause);
    }
    if let (true, Ok(driver)) = (release, driver::driver()) {
        driver.release_stalled();
    }
    Ok(())
}

/// Says what is wrong with a script, to whoever wrote it: a test that runs on another script than it asked for would
/// prove nothing.
#[cold]
fn complain(trouble: &str) -> Code {
    let _nobody_listens = writeln!(std::io::stderr(), "syncpoint-cuda-fake: {trouble}");
    Code::INVALID_VALUE
}

/// Runs what a control function does, and keeps it from unwinding into C.
fn contained<T>(otherwise: T, act: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or(otherwise)
}

/// Follows a script, on top of those before. 0, or 1 where it makes no sense: then nothing of it is followed.
#[unsafe(no_mangle)]
extern "C" fn syncpointFakeScript(text: Text) -> i32 {
    let outcome = contained(Err(Code::UNKNOWN), || {
        begin()?;
        follow(&text.get()?)
    });
    outcome.map_or_else(|code| code.0, |()| 0)
}

/// How often a function was called since the last reset, by the name of its export; all calls for `*`.
#[unsafe(no_mangle)]
extern "C" fn syncpointFakeCount(function: Text) -> u64 {
    contained(0, || {
        let Ok(name) = function.get() else { return 0 };
        let functions = init::functions().filter(|function| name == "*" || function.name == name);
        functions.map(Function::calls).sum()
    })
}

/// How many calls scripts have refused on threads of a name since the last reset, as Linux tells it: its first fifteen
/// characters; on all threads for `*`. So a test finds out who has met with its fault.
#[unsafe(no_mangle)]
extern "C" fn syncpointFakeStruck(thread: Text) -> u64 {
    contained(0, || thread.get().map_or(0, |name| pretence::struck(&name)))
}

/// How many calls scripts have held up on threads of a name since the last reset, told as above: each from when it is held
/// up. So a test finds out that a thread of its own, and no other, is in the driver.
#[unsafe(no_mangle)]
extern "C" fn syncpointFakeHeld(thread: Text) -> u64 {
    contained(0, || thread.get().map_or(0, |name| pretence::held(&name)))
}

/// How many objects of a kind live: `contexts`, `streams`, `events`, of these those with `CU_EVENT_BLOCKING_SYNC` as
/// `blocking events` and those without `CU_EVENT_DISABLE_TIMING` as `timed events`, `graphs`, `modules`, `memory` or `all`; the largest number for another.
#[unsafe(no_mangle)]
extern "C" fn syncpointFakeAlive(kind: Text) -> u64 {
    contained(u64::MAX, || {
        let Ok(kind) = kind.get() else { return u64::MAX };
        let alive = driver::driver().map_or(Some(0), |driver| driver.alive(&kind));
        alive.and_then(|count| u64::try_from(count).ok()).unwrap_or(u64::MAX)
    })
}

/// The context that is current on this thread, null for none: what `cuCtxGetCurrent` would give, without a call that is
/// counted or that a script changes.
#[unsafe(no_mangle)]
extern "C" fn syncpointFakeCurrent() -> Handle {
    contained(0, || current::handle().unwrap_or(0))
}

/// Makes everything as it was when the library was loaded: no driver, no objects, no counts, no script but that of the
/// environment. Calls that block go on.
#[unsafe(no_mangle)]
extern "C" fn syncpointFakeReset() {
    contained((), || {
        pretence::forget();
        driver::forget();
        init::functions().for_each(Function::forget_calls);
        // Release: pairs with the acquire in `begin`.
        BEGUN.store(false, Ordering::Release);
    });
}
