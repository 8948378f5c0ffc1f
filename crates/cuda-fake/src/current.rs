//! The current context: each thread has a stack of them, as the driver's manual has it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::capture::Mode;
use crate::code::{Code, Result};
use crate::context::Context;
use crate::driver::Driver;
use crate::pretence;
use crate::table::Handle;

static NEXT_THREAD: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static STACK: RefCell<Vec<Handle>> = const { RefCell::new(Vec::new()) };
    // Relaxed: a number, ordered with nothing.
    static THREAD: u64 = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
    /// Whether a function of the user's runs here, called by the driver.
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
    /// Whether the default stream of the present call is the thread's own.
    static OWN_DEFAULT: Cell<bool> = const { Cell::new(false) };
    /// How captures elsewhere restrict this thread: globally, as the driver begins.
    static CAPTURE_MODE: Cell<Mode> = const { Cell::new(Mode::Global) };
}

/// A number for this thread that no other has had.
pub(crate) fn thread() -> Result<u64> {
    THREAD.try_with(|thread| *thread).map_err(|_| Code::DEINITIALIZED)
}

/// The handle of the current context.
pub(crate) fn handle() -> Option<Handle> {
    with_stack(|stack| stack.last().copied()).ok().flatten()
}

/// The current context: whole, or what has become of it.
pub(crate) fn context(driver: &Driver) -> Result<Arc<Context>> {
    let handle = handle().ok_or(Code::INVALID_CONTEXT)?;
    let context = driver.contexts.get(handle).ok_or(Code::CONTEXT_IS_DESTROYED)?;
    context.check()?;
    Ok(context)
}

/// Asks for a current context where the manual does and a driver is believed not to: if a script wants it so.
pub(crate) fn require(driver: &Driver) -> Result {
    if pretence::setting(|settings| settings.strict) { context(driver).map(drop) } else { Ok(()) }
}

pub(crate) fn push(handle: Handle) -> Result {
    with_stack(|stack| stack.push(handle))
}

pub(crate) fn pop() -> Result<Handle> {
    with_stack(Vec::pop)?.ok_or(Code::INVALID_CONTEXT)
}

/// Puts a context in the place of the uppermost; none takes the uppermost away.
pub(crate) fn replace(handle: Option<Handle>) -> Result {
    with_stack(|stack| {
        stack.pop();
        stack.extend(handle);
    })
}

fn with_stack<T>(act: impl FnOnce(&mut Vec<Handle>) -> T) -> Result<T> {
    STACK.try_with(|stack| act(&mut stack.borrow_mut())).map_err(|_| Code::DEINITIALIZED)
}

pub(crate) fn is_in_callback() -> bool {
    IN_CALLBACK.try_with(Cell::get).unwrap_or(false)
}

/// Runs a function of the user's, in which the driver must not be called.
pub(crate) fn in_callback(call: impl FnOnce()) {
    IN_CALLBACK.set(true);
    call();
    IN_CALLBACK.set(false);
}

/// Whether stream 0 is the thread's own default stream in the present call.
pub(crate) fn has_own_default() -> bool {
    OWN_DEFAULT.try_with(Cell::get).unwrap_or(false)
}

/// Makes a call in which stream 0 is the thread's own default stream.
pub(crate) fn with_own_default<T>(call: impl FnOnce() -> T) -> T {
    let before = OWN_DEFAULT.replace(true);
    let result = call();
    OWN_DEFAULT.set(before);
    result
}

/// How captures elsewhere restrict this thread.
pub(crate) fn capture_mode() -> Result<Mode> {
    CAPTURE_MODE.try_with(Cell::get).map_err(|_| Code::DEINITIALIZED)
}

/// Gives this thread another capture mode, and tells the one before.
pub(crate) fn exchange_capture_mode(mode: Mode) -> Result<Mode> {
    CAPTURE_MODE.try_with(|own| own.replace(mode)).map_err(|_| Code::DEINITIALIZED)
}
