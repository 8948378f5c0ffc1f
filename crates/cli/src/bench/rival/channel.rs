//! A channel of boxed functions, of crossbeam, instead of a stream.

use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::super::{
    case::{DEPTH, RUNNING},
    sample::{Prepared, Sampler, Trouble, time_each},
    work,
};

type Job = Box<dyn FnOnce() + Send>;

/// The channel is filled while nobody takes anything out, and emptied outside the measurement.
pub(super) fn busy<F: FnOnce() + Send + 'static>(make: impl Fn() -> F + 'static) -> Sampler {
    let (sender, receiver) = unbounded::<Job>();
    Box::new(move || {
        let measured = time_each(DEPTH, || sender.send(Box::new(make())));
        receiver.try_iter().for_each(|job| job());
        Ok(measured?)
    })
}

/// A thread runs what is sent meanwhile; the time is until it is done.
pub(super) fn running() -> Prepared {
    let (sender, receiver) = unbounded();
    let (done, ended) = unbounded();
    thread::Builder::new().spawn(move || run_all(&receiver, &done))?;
    Ok(Box::new(move || {
        let mut left = RUNNING;
        time_each(RUNNING, || {
            let job: Job = Box::new(work::word());
            sender.send(Some(job))?;
            left -= 1;
            if left > 0 {
                return Ok::<_, Trouble>(());
            }
            sender.send(None)?;
            Ok(ended.recv()?)
        })
    }))
}

/// Runs what it is sent, and says so where there is nothing to run; until nobody sends any more.
fn run_all(receiver: &Receiver<Option<Job>>, done: &Sender<()>) {
    for job in receiver {
        match job {
            Some(job) => job(),
            // Nobody listens any more only when nobody sends any more.
            None => done.send(()).unwrap_or_default(),
        }
    }
}
