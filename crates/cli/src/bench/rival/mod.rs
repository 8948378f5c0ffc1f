//! The rivals: what people use instead, doing what our case of the same name does.

mod channel;
mod load;
mod park;
mod stream_thread;
mod tasks;
mod threads;
mod vulkan;

use std::time::Duration;

use syncpoint::Device;

use super::{
    sample::{Prepared, Rival},
    work,
};

/// Whether rivals are built in.
pub(super) const BUILT_IN: bool = true;

/// The rival of a case on a device: its name, and what prepares it. Work of the device itself has the calls of its driver.
pub(super) fn of(case: &str, device: &Device) -> Option<Rival> {
    let found = RIVALS.iter().find(|(name, _, _)| *name == case);
    let everywhere = found.map(|(_, rival, prepare)| -> Rival { (rival, Box::new(*prepare)) });
    everywhere.or_else(|| vulkan::of(case, device))
}

const CHANNEL: &str = "crossbeam send";
const LOAD: &str = "atomic load";
const TASK: &str = "tokio task";
const THREADS: &str = "thread a stream";
const NOTIFY: &str = "tokio Notify";
const ONESHOT: &str = "tokio oneshot";
const PARK: &str = "std unpark";

/// The case, the rival, and what prepares it.
type Entry = (&'static str, &'static str, fn() -> Prepared);

const RIVALS: &[Entry] = &[
    ("enqueue, busy stream, empty", CHANNEL, || Ok(channel::busy(work::empty))),
    ("enqueue, busy stream, 8 bytes", CHANNEL, || Ok(channel::busy(work::word))),
    ("enqueue, busy stream, 64 bytes", CHANNEL, || Ok(channel::busy(work::block))),
    ("enqueue to done, worker beside", CHANNEL, channel::running),
    ("query, complete point", LOAD, || Ok(load::load())),
    ("stream, made and dropped", TASK, tasks::make),
    ("trip, in a loop", THREADS, || threads::trips(Duration::ZERO, threads::TRIPS)),
    ("trip, 50 us between", THREADS, || threads::trips(Duration::from_micros(50), 50)),
    ("trip, 1 ms between", THREADS, || threads::trips(Duration::from_millis(1), 8)),
    ("pipeline of 2 streams", THREADS, || threads::pipeline(2)),
    ("pipeline of 8 streams", THREADS, || threads::pipeline(8)),
    ("pipeline of 64 streams", THREADS, || threads::pipeline(64)),
    ("hop, enqueue and run, 2 streams", THREADS, || threads::hops(2)),
    ("hop, enqueue and run, 16 streams", THREADS, || threads::hops(16)),
    ("hop, enqueue and run, 1000 streams", THREADS, || threads::hops(1000)),
    ("hop, run, 2 streams", NOTIFY, || tasks::ring(2)),
    ("hop, run, 16 streams", NOTIFY, || tasks::ring(16)),
    ("hop, run, 1000 streams", NOTIFY, || tasks::ring(1000)),
    ("1 to 1000 to 1 streams, each", NOTIFY, tasks::out_and_in),
    ("synchronize, both sides asleep", PARK, park::round_trips),
    ("gate opened to work begun", PARK, park::wake),
    ("notify, work done to called", PARK, park::wake),
    ("await, work done to woken", ONESHOT, tasks::oneshot),
];

#[cfg(test)]
mod tests {
    use super::{super::select, *};

    #[test]
    fn every_rival_has_its_case_and_no_case_has_two() {
        let names: Vec<_> = select("").unwrap().iter().map(|case| case.name()).collect();
        for (place, (case, ..)) in RIVALS.iter().enumerate() {
            assert!(names.contains(case), "{case} is no case");
            assert!(RIVALS[..place].iter().all(|(other, ..)| other != case), "{case} comes twice");
        }
    }
}
