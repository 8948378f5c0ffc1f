//! The end of a watch while the process exits, and a call of its observer never returns.

use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

use syncpoint::trace::Record;
use syncpoint::{Gate, Kind, Result, Watch};

use super::{PATIENCE, host};

static WATCH: Mutex<Option<Watch>> = Mutex::new(None);

extern "C" fn end_the_watch_late() {
    let watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner).take();
    let outcome = watch.expect("the way has set it").end(PATIENCE);
    if outcome.as_ref().map_err(syncpoint::Error::kind) != Err(Kind::Unavailable) {
        println!("the end of a watch while the process exits: {outcome:?}");
    }
}

/// The thread that exits does not wait for the call.
pub(super) fn an_older_handler_ends_a_watch() -> Result<()> {
    // SAFETY: as in `an_older_handler_synchronizes`.
    unsafe { libc::atexit(end_the_watch_late) };
    *WATCH.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch_with_a_call()?);
    Ok(())
}

/// Another thread waits for the call, and says nothing when the process exits.
pub(super) fn main_returns_while_a_watch_ends() -> Result<()> {
    let watch = watch_with_a_call()?;
    let (ends, is_ending) = channel();
    thread::spawn(move || {
        ends.send(()).expect("main lives");
        println!("a watch ended while the process exits: {:?}", watch.end(PATIENCE));
    });
    is_ending.recv().expect("the thread runs");
    Ok(())
}

/// A watch of whose observer a call runs that never returns.
fn watch_with_a_call() -> Result<Watch> {
    // From the first device on the library knows of the exit.
    host()?;
    let (called, is_called) = channel();
    let watch = syncpoint::observe(move |_: &Record| {
        called.send(()).expect("main lives");
        loop {
            thread::park();
        }
    });
    thread::spawn(|| Gate::new().open());
    is_called.recv().expect("the observer is called");
    Ok(watch)
}
