//! Host waits that are made of many short ones, as bindings of other languages make them: observers hear each as one.

use std::cell::RefCell;

use syncpoint_trace::{Call, Operation, Outcome};

use crate::observe;
use crate::sync::local;

/// One wait of a thread, of many short ones: it begins with the first of them, and ends when one does not run out, or with
/// this. Where it is for several points, each of them is told once.
///
/// # Examples
/// A thread that looks for something else every 10 ms waits once, as observers hear it:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use std::time::Duration;
///
/// let end = syncpoint::open("host:0")?.stream()?.record()?;
/// let mut slices = syncpoint::Slices::new();
/// while slices.slice(|| end.synchronize_timeout(Duration::from_millis(10))).is_err() {}
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Slices(Vec<Part>);

/// What one of the short waits was for.
#[derive(Debug)]
struct Part {
    call: Call,
    is_over: bool,
}

impl Slices {
    /// A wait that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes one of the short waits. A wait in it that runs out is not over.
    pub fn slice<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        struct Kept<'a>(&'a mut Vec<Part>);
        impl Drop for Kept<'_> {
            fn drop(&mut self) {
                // Given back by a wait that unwinds as well.
                let parts = PARTS.try_with(RefCell::take).ok().flatten();
                *self.0 = parts.unwrap_or_default();
            }
        }
        let parts = std::mem::take(&mut self.0);
        // While a thread ends its table may be gone; then each slice is told by itself.
        let _gone = PARTS.try_with(|here| here.replace(Some(parts)));
        let _kept = Kept(&mut self.0);
        wait()
    }
}

impl Drop for Slices {
    fn drop(&mut self) {
        for Part { call, .. } in self.0.drain(..).filter(|part| !part.is_over) {
            observe::tell(|| Operation::Synchronized { call, outcome: Outcome::TimedOut });
        }
    }
}

local! {
    /// What the wait is for of which this thread makes a slice.
    static PARTS: RefCell<Option<Vec<Part>>> = RefCell::new(None);
}

/// What is to be told of a wait that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Begin and end.
    Whole,
    /// The same, of the first slice: it may not be the end.
    First,
    /// It began in another slice.
    Again,
    /// It was over in another slice.
    Over,
}

/// Where a wait that begins on this thread belongs.
pub(crate) fn begun(call: &Call) -> Told {
    with(|parts| match parts.iter().find(|part| part.call == *call) {
        Some(part) if part.is_over => Told::Over,
        Some(_) => Told::Again,
        None => {
            parts.push(Part { call: call.clone(), is_over: false });
            Told::First
        }
    })
    .unwrap_or(Told::Whole)
}

/// Says that a wait of this slice is over.
pub(crate) fn over(call: &Call) {
    let _whole = with(|parts| {
        let of_this = |part: &&mut Part| part.call == *call;
        parts.iter_mut().filter(of_this).for_each(|part| part.is_over = true);
    });
}

fn with<T>(act: impl FnOnce(&mut Vec<Part>) -> T) -> Option<T> {
    PARTS.try_with(|parts| parts.borrow_mut().as_mut().map(act)).ok().flatten()
}
