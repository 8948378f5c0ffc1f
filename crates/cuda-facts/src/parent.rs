//! The process that has called this one: this one hears of it by its input, and ends with it.

use std::io;
use std::process;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Hears each line of the input; when the input ends, so does this process, whatever its driver hangs in.
pub(crate) fn listen() -> Receiver<()> {
    let (tell, lines) = channel();
    thread::spawn(move || {
        for line in io::stdin().lines() {
            if line.is_err() || tell.send(()).is_err() {
                break;
            }
        }
        process::abort()
    });
    lines
}
