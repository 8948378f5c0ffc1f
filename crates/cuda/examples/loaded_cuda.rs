//! A shared library with its own copy of syncpoint, to be loaded, used on a CUDA device and unloaded by a program.

#![expect(unsafe_code, reason = "a library for C exports names")]

use std::ffi::{CStr, c_char};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use syncpoint::{Gate, Result, Stream};

/// What the library leaves unfinished when it is unloaded.
static UNFINISHED: Mutex<Vec<(Stream, Gate)>> = Mutex::new(Vec::new());

/// Has the device of a driver work on a stream of the library's own, waits for that, and leaves more behind. 0 if all went well.
///
/// # Safety
/// - `driver` is the path of the driver, a text of C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn use_syncpoint(driver: *const c_char) -> i32 {
    // SAFETY: by the duty above.
    let driver = unsafe { CStr::from_ptr(driver) };
    run(Path::new(&*driver.to_string_lossy())).map_or(1, |()| 0)
}

fn run(driver: &Path) -> Result<()> {
    syncpoint::cuda::use_library(driver)?;
    let device = syncpoint::open("cuda:0")?;
    let (stream, held, gate) = (device.stream()?, device.stream()?, Gate::new());
    let buffer = device.buffer(8)?;
    stream.fill(&buffer, 0..8, 7)?;
    // So long that the library's own poller hears of the end.
    stream.delay(Duration::from_millis(5))?;
    let (end, (sender, told)) = (stream.record()?, std::sync::mpsc::channel());
    end.notify(move |outcome| sender.send(outcome.is_ok()).unwrap_or_default())?;
    end.synchronize_timeout(Duration::from_secs(10))?;
    let is_heard = told.recv_timeout(Duration::from_secs(10)).unwrap_or(false);
    if !is_heard || buffer.to_vec(0..8)? != [7; 8] {
        return Err(syncpoint::Error::failed("the library hears of no end, or reads other bytes"));
    }
    held.wait(&gate.point())?;
    held.fill(&buffer, 0..8, 1)?;
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.push((held, gate));
    }
    Ok(())
}
