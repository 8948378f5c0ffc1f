//! Trips, pipelines and hops where every stream is a thread.

use std::{
    convert::Infallible,
    io,
    time::{Duration, Instant},
};

use super::{
    super::{
        case::{HOPS, PIPELINES},
        sample::{Prepared, each, time_apart},
    },
    stream_thread::{Flag, StreamThread},
};

/// Of what takes this rival longest it does a part.
const PART: u32 = 10;
/// How many trips in a loop a sample has.
pub(super) const TRIPS: u32 = 50;

pub(super) fn trips(pause: Duration, count: u32) -> Prepared {
    let thread = StreamThread::new()?;
    Ok(Box::new(move || {
        let trip = || {
            thread.enqueue(|| ());
            thread.record().wait();
            Ok::<_, Infallible>(())
        };
        Ok(time_apart(count, pause, trip)?)
    }))
}

pub(super) fn pipeline(stages: usize) -> Prepared {
    let threads = threads(stages)?;
    Ok(Box::new(move || {
        let pass = || {
            pass(&threads);
            Ok::<_, Infallible>(())
        };
        Ok(time_apart(PIPELINES / 4, Duration::ZERO, pass)?)
    }))
}

fn threads(count: usize) -> io::Result<Vec<StreamThread>> {
    (0..count).map(|_| StreamThread::new()).collect()
}

fn pass(threads: &[StreamThread]) {
    let mut last: Option<Flag> = None;
    for thread in threads {
        if let Some(flag) = &last {
            thread.wait(flag);
        }
        thread.enqueue(|| ());
        last = Some(thread.record());
    }
    last.iter().for_each(Flag::wait);
}

/// Enqueued behind a flag and run.
pub(super) fn hops(width: usize) -> Prepared {
    let threads = threads(width)?;
    Ok(Box::new(move || {
        let (begin, gate) = (Instant::now(), Flag::default());
        let mut flag = gate.clone();
        for thread in threads.iter().cycle().take((HOPS / PART) as usize) {
            thread.wait(&flag);
            flag = thread.record();
        }
        gate.raise();
        flag.wait();
        Ok(each(begin.elapsed(), HOPS / PART))
    }))
}
