//! Ctrl-C and its like: the first ends the run, the second the program.

use std::{
    fs, io,
    sync::{
        Arc, Mutex, PoisonError,
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
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    signal: Arc<AtomicI32>,
    /// Who has it ends the program: with its result, or at once. Nobody gives it back.
    last_word: Arc<Mutex<()>>,
}

impl Heard {
    /// Writes the result, unless a signal has the last word: it kills the commands, so that the run comes to its end
    /// just before the program does, and would leave half a result.
    pub(super) fn unless_ended<T>(&self, write: impl FnOnce() -> T) -> T {
        let _word = self.last_word.lock().unwrap_or_else(PoisonError::into_inner);
        write()
    }

    /// Ends the program at once, even while a result is being written, which may take long.
    fn end(&self, stopper: &Stopper, signal: i32) -> ! {
        let _word = self.last_word.try_lock();
        stopper.kill();
        low_level::exit(exit::signalled(signal).into())
    }

    /// The signal that ended the run.
    pub(super) fn signal(&self) -> Option<i32> {
        // Relaxed: the run that the signal ended is over, and told so through a channel.
        Some(self.signal.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
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
    let told = heard.clone();
    let thread = thread::Builder::new().name("syncpoint-signal".to_owned());
    let listen = move || {
        for signal in signals.forever() {
            // Relaxed: see above. Written before the run is told, and read after it has heard.
            told.signal.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed).ok();
            if !stopper.stop() {
                told.end(&stopper, signal);
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
