//! Threads that park and unpark each other, as std has it: the least that a wake can cost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, Thread},
    time::Instant,
};

use super::super::{
    case::{ROUNDS, woken},
    sample::{Prepared, Trouble, time_each},
};

/// The number of the latest round, or the end, for a thread that parks until it changes.
#[derive(Default)]
struct Bell(AtomicU64);

const END: u64 = u64::MAX;

impl Bell {
    fn ring(&self, round: u64, thread: &Thread) {
        // Release: pairs with the acquire of who waits.
        self.0.store(round, Ordering::Release);
        thread.unpark();
    }

    /// Parks until the bell rings another round than this.
    fn next(&self, known: u64) -> u64 {
        loop {
            // Acquire: pairs with the release of who rings.
            let round = self.0.load(Ordering::Acquire);
            if round != known {
                return round;
            }
            thread::park();
        }
    }
}

/// A thread that waits for a bell until the end is rung, which is when this is dropped.
struct Partner {
    bell: Arc<Bell>,
    thread: Thread,
}

impl Partner {
    /// A thread that does this whenever the bell rings.
    fn new(mut answer: impl FnMut(u64) + Send + 'static) -> Result<Self, Trouble> {
        let bell = Arc::new(Bell::default());
        let own = Arc::clone(&bell);
        let run = move || {
            let mut round = own.next(0);
            while round != END {
                answer(round);
                round = own.next(round);
            }
        };
        let thread = thread::Builder::new().spawn(run)?.thread().clone();
        Ok(Self { bell, thread })
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        self.bell.ring(END, &self.thread);
    }
}

/// Two threads wake each other in turn.
pub(super) fn round_trips() -> Prepared {
    let (back, this, mut round) = (Arc::new(Bell::default()), thread::current(), 0);
    let own = Arc::clone(&back);
    let partner = Partner::new(move |round| own.ring(round, &this))?;
    Ok(Box::new(move || {
        time_each(ROUNDS, || {
            round += 1;
            partner.bell.ring(round, &partner.thread);
            back.next(round - 1);
            Ok(())
        })
    }))
}

/// From the unparking of a thread that sleeps to its first moment awake.
pub(super) fn wake() -> Prepared {
    let ((awake, heard), mut round): ((Sender<Instant>, Receiver<Instant>), _) = (channel(), 0);
    // Nobody listens any more only when nobody rings any more.
    let partner = Partner::new(move |_| awake.send(Instant::now()).unwrap_or_default())?;
    Ok(Box::new(move || {
        woken(&heard, || {
            round += 1;
            partner.bell.ring(round, &partner.thread);
            Ok(())
        })
    }))
}
