//! A shared library with its own copy of syncpoint, to be loaded, used and unloaded by a program.

#![expect(unsafe_code, reason = "a library for C exports names")]

use std::sync::Mutex;

use syncpoint::{Gate, Result, Stream};

/// What the library leaves unfinished when it is unloaded.
static UNFINISHED: Mutex<Vec<(Stream, Gate)>> = Mutex::new(Vec::new());

/// Runs work on a stream of the library's own and leaves more behind. 0 if all went well.
#[unsafe(no_mangle)]
pub extern "C" fn use_syncpoint() -> i32 {
    run().map_or(1, |()| 0)
}

fn run() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let (stream, held, gate) = (device.stream()?, device.stream()?, Gate::new());
    stream.enqueue(|| ())?;
    stream.record()?.synchronize_with(syncpoint::Wait::NoHelp, None)?;
    stream.record()?.notify(drop)?;
    held.wait(&gate.point())?;
    held.enqueue(|| ())?;
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.push((held, gate));
    }
    Ok(())
}
