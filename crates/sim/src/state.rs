//! The state of a world: its clock, its lanes, and what will happen in them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use syncpoint_core::contract::{LEVELS, Pump};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Error, Result};

use crate::draw::Draw;
use crate::driver::SimStream;
use crate::event::{Events, Happening};
use crate::fault::{self, Fault, Plan};
use crate::lane::{Job, Lane, Work};
use crate::log::Log;

/// What the lock of a world guards. Nothing is called under it, and nothing that may be the last name of a stream is
/// dropped.
#[derive(Debug)]
pub(crate) struct State {
    /// Virtual nanoseconds since the world began.
    pub(crate) now: u64,
    pub(crate) draw: Draw,
    pub(crate) log: Log,
    pub(crate) devices: Vec<DeviceState>,
    pub(crate) events: Events,
    lanes: BTreeMap<u64, Lane>,
    lanes_made: u64,
    /// Streams to be pumped, where the world is stepped: by how urgent they are.
    ready: [Vec<Arc<dyn Pump>>; LEVELS],
    /// Threads that move the world on when there is something to do.
    pub(crate) sleepers: Vec<Waker>,
    /// How late the host may hear of an end.
    pub(crate) latest: u64,
}

/// One device of a world.
#[derive(Debug, Default)]
pub(crate) struct DeviceState {
    pub(crate) plan: Plan,
    pub(crate) lost: Option<Error>,
    /// How far its clock was turned back.
    pub(crate) turned_back: u64,
    streams: u64,
}

/// What a device's clock shows when the world begins: an hour, so that it can be turned back before it has run.
const EPOCH: u64 = 60 * 60 * 1_000_000_000;

/// An operation that has ended, and what it needs done before anybody learns of it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) job: Job,
    pub(crate) lane: u64,
    /// The device's own time of the end.
    pub(crate) time: u64,
}

impl State {
    pub(crate) fn new(seed: u64, devices: usize, latest: u64, logged: bool) -> Self {
        Self {
            now: 0,
            draw: Draw::new(seed),
            log: Log::new(logged),
            devices: (0..devices).map(|_| DeviceState::default()).collect(),
            events: Events::default(),
            lanes: BTreeMap::new(),
            lanes_made: 0,
            ready: Default::default(),
            sleepers: Vec::new(),
            latest,
        }
    }

    /// A lane for a new stream of a device.
    pub(crate) fn add_lane(&mut self, device: usize) -> u64 {
        self.lanes_made += 1;
        let number = self.devices[device].streams;
        self.devices[device].streams += 1;
        self.lanes.insert(self.lanes_made, Lane::new(device, number));
        self.lanes_made
    }

    /// The lane of a stream that is gone, to be dropped outside the lock. Nothing of it is on its way.
    pub(crate) fn remove_lane(&mut self, lane: u64) -> Option<Lane> {
        self.lanes.remove(&lane)
    }

    /// Gives a lane one more operation. `name`: how the device is called.
    pub(crate) fn submit(
        &mut self,
        stream: &Arc<HeldStream<SimStream>>,
        value: u64,
        work: Work,
        name: &dyn fmt::Display,
    ) -> Result<()> {
        let (device, lane) = (stream.driver().device, stream.driver().lane);
        let state = &mut self.devices[device];
        if let Some(lost) = &state.lost {
            return Err(lost.clone());
        }
        let fault = state.plan.next();
        let operation = state.plan.operations();
        if fault == Some(Fault::Refuse) {
            return Err(fault::refused(&name.to_string(), operation));
        }
        let job = Job { stream: Arc::clone(stream), value, work, operation, fault };
        let Some(of_stream) = self.lanes.get_mut(&lane) else { return Ok(()) };
        of_stream.jobs.push_back(job);
        self.start(lane);
        Ok(())
    }

    /// Starts the operation at the front of a lane, if it can be started.
    fn start(&mut self, lane: u64) {
        let Some(of_stream) = self.lanes.get(&lane).filter(|lane| !lane.busy) else { return };
        let Some(job) = of_stream.jobs.front() else { return };
        let nanos = job.work.nanos();
        let awaited = match job.work {
            Work::Wait { lane, value } => Some((lane, value)),
            _ => None,
        };
        if let Some((on, value)) = awaited
            && self.is_behind(on, value)
        {
            if let Some(on) = self.lanes.get_mut(&on) {
                on.waiters.push((value, lane));
            }
        } else {
            let end = self.now.saturating_add(nanos);
            self.events.add(end, &mut self.draw, Happening::End(lane));
        }
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.busy = true;
        }
    }

    /// Whether a lane has still to come to a value. One that is gone has come to all; a lost device holds nobody.
    fn is_behind(&self, lane: u64, value: u64) -> bool {
        self.lanes
            .get(&lane)
            .is_some_and(|lane| lane.done < value && self.devices[lane.device].lost.is_none())
    }

    /// Takes the operation at the front of a lane: it has ended. `None`: its device was lost meanwhile.
    pub(crate) fn end(&mut self, lane: u64) -> Option<Ended> {
        let of_stream = self.lanes.get_mut(&lane)?;
        let job = of_stream.jobs.pop_front()?;
        let time = self.device_time(self.lanes.get(&lane)?.device);
        Some(Ended { job, lane, time })
    }

    /// What a device's clock shows now.
    fn device_time(&self, device: usize) -> u64 {
        EPOCH.saturating_add(self.now).saturating_sub(self.devices[device].turned_back)
    }

    /// The operation of a lane is over, what it did is done: lets go whoever waited, on the device and on the host.
    pub(crate) fn let_go(&mut self, ended: &Ended) {
        let (now, late) = (self.now, self.draw.upto(self.latest));
        let Some(lane) = self.lanes.get_mut(&ended.lane) else { return };
        lane.done = ended.job.value;
        lane.busy = false;
        match ended.job.fault {
            Some(Fault::SlowSignal(by)) => {
                lane.veiled = lane.veiled.max(now.saturating_add(crate::lane::nanos(by)));
            }
            Some(Fault::NoSignal) => lane.veiled = u64::MAX,
            _ => {}
        }
        lane.told_at = now.saturating_add(late).max(lane.veiled).max(lane.told_at);
        let (told_at, waiters) = (lane.told_at, lane.take_waiters(ended.job.value));
        if told_at < u64::MAX {
            let tell = Happening::Tell(Arc::clone(&ended.job.stream), ended.job.value);
            self.events.add(told_at, &mut self.draw, tell);
        }
        self.start(ended.lane);
        self.resume(waiters);
    }

    /// Starts lanes whose wait is over.
    fn resume(&mut self, lanes: Vec<u64>) {
        for lane in lanes {
            if let Some(waiter) = self.lanes.get_mut(&lane) {
                waiter.busy = false;
            }
            self.start(lane);
        }
    }

    /// What a query finds out now: the value that the device has come to, unless its signals are late.
    pub(crate) fn seen(&self, lane: u64) -> Option<u64> {
        let lane = self.lanes.get(&lane)?;
        (self.now >= lane.veiled && lane.veiled < u64::MAX).then_some(lane.done)
    }

    /// Loses a device. What it still had is given back, to be dropped outside the lock. `false`: it was lost before.
    pub(crate) fn lose(&mut self, device: usize, error: &Error) -> Option<Vec<Job>> {
        if self.devices[device].lost.is_some() {
            return None;
        }
        self.devices[device].lost = Some(error.clone());
        self.log.write(self.now, format_args!("sim:{device}  is lost"));
        let its = self.lanes.values_mut().filter(|lane| lane.device == device);
        Some(its.flat_map(|lane| lane.jobs.drain(..)).collect())
    }

    /// Lets go the lanes of other devices that wait for a lost one.
    pub(crate) fn let_go_of_lost(&mut self, device: usize) {
        let its = self.lanes.values_mut().filter(|lane| lane.device == device);
        let waiters: Vec<u64> = its.flat_map(|lane| lane.take_waiters(u64::MAX)).collect();
        self.resume(waiters);
    }

    /// A stream is to be pumped. Given back, to be dropped outside the lock, where nobody will.
    pub(crate) fn add_ready(&mut self, stream: Arc<dyn Pump>) -> Option<Arc<dyn Pump>> {
        if self.events.are_over() {
            return Some(stream);
        }
        self.ready[stream.level().min(LEVELS - 1)].push(stream);
        None
    }

    /// Nothing happens from now on: gives back what was to happen, to be dropped outside the lock.
    pub(crate) fn end_all(&mut self) -> (Events, [Vec<Arc<dyn Pump>>; LEVELS]) {
        let left = (std::mem::take(&mut self.events), std::mem::take(&mut self.ready));
        self.events.end();
        left
    }

    /// Takes one of the most urgent streams that are to be pumped; a draw says which.
    pub(crate) fn take_ready(&mut self) -> Option<Arc<dyn Pump>> {
        let urgent = self.ready.iter_mut().find(|level| !level.is_empty())?;
        let drawn = self.draw.upto(urgent.len() as u64 - 1);
        Some(urgent.swap_remove(usize::try_from(drawn).unwrap_or(0)))
    }

    /// Notes who is to be woken when there is something to do. `false`: there is already.
    pub(crate) fn sleep(&mut self, sleeper: &Waker) -> bool {
        let idle = self.events.is_empty() && self.ready.iter().all(Vec::is_empty);
        if idle && !self.sleepers.iter().any(|listed| listed.will_wake(sleeper)) {
            self.sleepers.push(sleeper.clone());
        }
        idle
    }

    /// Writes a line about a stream.
    pub(crate) fn note(&mut self, lane: u64, what: fmt::Arguments<'_>) {
        if let Some(lane) = self.lanes.get(&lane) {
            let (device, number) = (lane.device, lane.number);
            self.log.write(self.now, format_args!("sim:{device}/{number}  {what}"));
        }
    }
}
