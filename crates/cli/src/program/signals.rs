//! Ctrl-C and its like: the first ends the run, the second the program.

use std::{
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    thread,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
    low_level,
};

use super::exit;
use crate::engine::Stopper;

/// What has come so far.
#[derive(Debug, Default)]
pub(super) struct Heard(Arc<AtomicI32>);

impl Heard {
    /// The signal that ended the run.
    pub(super) fn signal(&self) -> Option<i32> {
        // Relaxed: the run that the signal ended is over, and told so through a channel.
        Some(self.0.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
    }
}

/// Listens from now on, until the program ends. Once the run is over, the first signal ends the program, too.
///
/// # Errors
///
/// What the system answers if it has no room for a thread or a handler.
pub(super) fn listen(stopper: Stopper) -> io::Result<Heard> {
    let ignored = ignored();
    let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored & bit(*signal) == 0);
    let mut signals = Signals::new(wanted)?;
    let heard = Heard::default();
    let told = Arc::clone(&heard.0);
    let thread = thread::Builder::new().name("syncpoint-signal".to_owned());
    let listen = move || {
        for signal in signals.forever() {
            // Relaxed: see above. Written before the run is told, and read after it has heard.
            told.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed).ok();
            if !stopper.stop() {
                stopper.kill();
                low_level::exit(exit::signalled(signal).into());
            }
        }
    };
    // Nobody joins the thread: it listens as long as the process lives.
    thread.spawn(listen).map(drop)?;
    Ok(heard)
}

/// The signals that this program was born ignoring, as a mask: under `nohup` it is to outlive its terminal.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}
