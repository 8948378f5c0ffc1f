//! A call of the driver: counted, changed by scripts, and kept from unwinding into C.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::code::{Code, Result};
use crate::driver::driver;
use crate::script::Act;
use crate::{current, pretence};

use super::control;

/// One exported function.
#[derive(Debug)]
pub(super) struct Function {
    /// The name as programs know it: what `cuGetProcAddress` is asked for.
    pub(super) base: &'static str,
    /// The name of the export.
    pub(super) name: &'static str,
    /// The version of the driver that brought it.
    pub(super) since: i32,
    pub(super) address: *const (),
    /// The same with the thread's own default stream, where there is one.
    pub(super) own_default: Option<*const ()>,
    calls: AtomicU64,
}

// SAFETY: the addresses are those of functions, which any thread may call.
unsafe impl Sync for Function {}

impl Function {
    pub(super) const fn new(
        names: (&'static str, &'static str),
        since: i32,
        address: *const (),
        own_default: Option<*const ()>,
    ) -> Self {
        let (base, name) = names;
        Self { base, name, since, address, own_default, calls: AtomicU64::new(0) }
    }

    /// How often it was called.
    pub(super) fn calls(&self) -> u64 {
        // Relaxed: a count, ordered with nothing.
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn forget_calls(&self) {
        // Relaxed: as in `calls`.
        self.calls.store(0, Ordering::Relaxed);
    }

    /// Makes a call: what the scripts say, and what the function does unless they say otherwise.
    pub(super) fn call(&self, act: impl FnOnce() -> Result) -> i32 {
        // Relaxed: as in `calls`.
        self.calls.fetch_add(1, Ordering::Relaxed);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.follow(act)));
        match outcome.unwrap_or(Err(Code::UNKNOWN)) {
            Ok(()) => 0,
            Err(code) => code.0,
        }
    }

    fn follow(&self, act: impl FnOnce() -> Result) -> Result {
        control::begin()?;
        if syncpoint_base::is_exiting() || pretence::is_deinitialized() {
            return Err(Code::DEINITIALIZED);
        }
        if current::is_in_callback() {
            return Err(Code::NOT_PERMITTED);
        }
        match pretence::act(self.name) {
            None | Some((Act::Give(_), _)) => act(),
            Some((Act::Fail(code), _)) => failed(code),
            Some((Act::Break(code), _)) => {
                break_current(code);
                failed(code)
            }
            Some((Act::Late(code), _)) => match act() {
                // That something is pending is an answer, in place of which the code is given.
                Ok(()) | Err(Code::NOT_READY) => failed(code),
                refused => refused,
            },
            Some((Act::Block(limit), releases)) => {
                pretence::block(limit, releases);
                act()
            }
        }
    }
}

/// A script may also say that a call succeeds and does nothing.
fn failed(code: Code) -> Result {
    if code == Code(0) { Ok(()) } else { Err(code) }
}

fn break_current(code: Code) {
    let context = driver().and_then(|driver| current::context(&driver));
    if let Ok(context) = context {
        context.breaks(code);
    }
}

/// Exports functions, and lists them under a name.
///
/// `since NUMBER "base name" name(parameters) { body }`: the body gives a `Result`. With `own NAME` a second export has
/// stream 0 as the thread's own default stream.
macro_rules! exports {
    ($list:ident: $(
        since $since:literal $base:literal $(own $own:ident)?
        fn $name:ident $parameters:tt $body:block
    )*) => {
        const COUNT: usize = [$(stringify!($name)),*].len();

        pub(super) static $list: [&$crate::rim::call::Function; COUNT] = [$(&$name::FUNCTION),*];

        $(
            #[expect(non_snake_case, reason = "the functions have the driver's names")]
            mod $name {
                pub(super) static FUNCTION: $crate::rim::call::Function =
                    $crate::rim::call::Function::new(
                        ($base, stringify!($name)),
                        $since,
                        super::$name as *const (),
                        $crate::rim::call::exports!(@own $($own)?),
                    );
            }

            $crate::rim::call::exports!(@function $name $parameters $body);
            $($crate::rim::call::exports!(@again $own $name $parameters);)?
        )*
    };
    (@function $name:ident ($($parameter:ident: $type:ty),* $(,)?) $body:block) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name($($parameter: $type),*) -> i32 {
            $name::FUNCTION.call(|| $body)
        }
    };
    (@again $own:ident $name:ident ($($parameter:ident: $type:ty),* $(,)?)) => {
        #[unsafe(no_mangle)]
        extern "C" fn $own($($parameter: $type),*) -> i32 {
            $crate::current::with_own_default(|| $name($($parameter),*))
        }
    };
    (@own) => { None };
    (@own $own:ident) => { Some(super::$own as *const ()) };
}

pub(super) use exports;
