//! Functions of this program that the driver calls in the order of a stream.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::Driver;
use super::calls::Said;
use super::code::Code;
use super::handle::Stream;
use super::kept::Kept;
use crate::answer::Asked;

/// What `cuLaunchHostFunc` takes.
pub(super) type HostFunction = unsafe extern "C" fn(*mut c_void);

/// What `cuStreamAddCallback` takes.
pub(super) type Callback = unsafe extern "C" fn(*mut c_void, i32, *mut c_void);

/// What is run: given the status of the stream, if it is a callback.
type Work = Box<dyn Fn(Option<Code>) + Send + Sync>;

unsafe extern "C" fn run(data: *mut c_void) {
    // SAFETY: `data` is what `leak` made: a `Work` that is never freed and that nobody changes.
    let work = unsafe { &*data.cast::<Work>() };
    work(None);
}

unsafe extern "C" fn call_back(_stream: *mut c_void, status: i32, data: *mut c_void) {
    // SAFETY: as in `run`.
    let work = unsafe { &*data.cast::<Work>() };
    work(Some(Code(status)));
}

/// For good: a driver may run it once, later or never, and a question is a process.
fn leak(work: impl Fn(Option<Code>) + Send + Sync + 'static) -> Kept {
    let work: Work = Box::new(work);
    let kept: &'static Work = Box::leak(Box::new(work));
    Kept::of(kept)
}

impl Driver {
    /// Has a function run in the order of a stream.
    pub(crate) fn host_function(
        &self,
        stream: &Stream,
        work: impl Fn() + Send + Sync + 'static,
    ) -> Asked<Said> {
        self.launch_host(stream, run, leak(move |_| work()))
    }

    /// Has a callback called in the order of a stream, with the status of what came before.
    pub(crate) fn callback(
        &self,
        stream: &Stream,
        work: impl Fn(Code) + Send + Sync + 'static,
    ) -> Asked<Said> {
        self.add_callback(
            stream,
            call_back,
            leak(move |status| work(status.unwrap_or(Code(-1)))),
            0,
        )
    }
}

/// Host work that holds a stream until it is opened, which it is at the latest when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Gate(Arc<Door>);

#[derive(Debug, Default)]
struct Door {
    /// Guards whether the gate is open; nothing is done under it.
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.opened.notify_all();
    }

    /// What holds the stream that it is given to.
    pub(crate) fn work(&self) -> impl Fn() + Send + Sync + use<> {
        let door = Arc::clone(&self.0);
        move || {
            let mut is_open = door.is_open.lock().unwrap_or_else(PoisonError::into_inner);
            while !*is_open {
                is_open = door.opened.wait(is_open).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// A mark that host work leaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mark(Arc<AtomicBool>);

impl Mark {
    /// What leaves the mark.
    pub(crate) fn work(&self) -> impl Fn() + Send + Sync + use<> {
        let mark = Arc::clone(&self.0);
        // Release: pairs with the load in `is_left`.
        move || mark.store(true, Ordering::Release)
    }

    pub(crate) fn is_left(&self) -> bool {
        // Acquire: pairs with the store in `work`.
        self.0.load(Ordering::Acquire)
    }
}
