//! A world: several devices with one virtual clock, and who moves it on.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use syncpoint_base::Process;
use syncpoint_core::contract::{Pump, devices};
use syncpoint_core::hold::{Crew, Domain, HeldStream};
use syncpoint_core::{Error, Result, State as PointState, Timeline};

use crate::driver::SimStream;
use crate::engine::Engine;
use crate::event::Happening;
use crate::fault::{self, Fault};
use crate::lane::{Lane, Work, nanos};
use crate::state::{Ended, State};
use crate::sync::{Mutex, MutexGuard, lock};

/// Everything that the devices of one sim share.
#[derive(Debug)]
pub(crate) struct World {
    state: Mutex<State>,
    names: Vec<String>,
    /// How long host work takes at most; a draw says how long.
    host_work: u64,
    /// Who moves the world on, where it is not stepped.
    engine: Option<(Engine, Arc<dyn Crew>)>,
    /// The process whose world it is: a child takes no lock of it.
    process: Process,
}

impl World {
    pub(crate) fn new(state: State, names: Vec<String>, host_work: Duration, own: bool) -> Self {
        let engine = own.then(|| (Engine::default(), devices()));
        let (state, process) = (Mutex::new(state), Process::current());
        Self { state, names, host_work: nanos(host_work), engine, process }
    }

    pub(crate) fn is_inherited(&self) -> bool {
        !self.process.is_current()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn name(&self, device: usize) -> &str {
        &self.names[device]
    }

    /// Why a device makes nothing any more.
    pub(crate) fn refusal(&self, device: usize) -> Option<Error> {
        self.state().devices[device].lost.clone()
    }

    /// Gives the device one more operation of a stream.
    pub(crate) fn submit(
        self: &Arc<Self>,
        stream: &Arc<HeldStream<SimStream>>,
        value: u64,
        work: Work,
    ) -> Result<()> {
        self.ensure_engine()?;
        let name = self.name(stream.driver().device);
        self.state().submit(stream, value, work, &name)?;
        self.ring();
        Ok(())
    }

    /// Sees to it that somebody moves the world on.
    pub(crate) fn ensure_engine(self: &Arc<Self>) -> Result<()> {
        self.engine.as_ref().map_or(Ok(()), |(engine, _)| engine.ensure(self))
    }

    /// Something will happen that whoever moves the world on may not know of.
    fn ring(&self) {
        match &self.engine {
            Some((engine, _)) => engine.ring(),
            None => self.wake_sleepers(),
        }
    }

    /// Wakes the threads that would move a stepped world on.
    fn wake_sleepers(&self) {
        let sleepers = std::mem::take(&mut self.state().sleepers);
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// Host work has run; it is over when the device's time for it is.
    pub(crate) fn note_ran(&self, stream: &Arc<HeldStream<SimStream>>, value: u64) {
        let mut state = self.state();
        if state.events.are_over() {
            drop(state);
            return stream.finish();
        }
        let most = self.host_work;
        let end = if most == 0 { 0 } else { state.draw.upto(most) }.saturating_add(state.now);
        let ran = Happening::Ran(Arc::clone(stream), value);
        let State { events, draw, .. } = &mut *state;
        events.add(end, draw, ran);
        drop(state);
        self.ring();
    }

    /// What a query of a pending value finds out.
    pub(crate) fn look(&self, stream: &Arc<HeldStream<SimStream>>, value: u64) -> Option<u64> {
        let mut state = self.state();
        let lane = stream.driver().lane;
        let seen = state.seen(lane).filter(|seen| *seen >= value)?;
        state.note(lane, format_args!("asked, tells {seen}"));
        Some(seen)
    }

    /// The lane of a stream that is gone.
    pub(crate) fn remove_lane(&self, lane: u64) {
        let removed: Option<Lane> = self.state().remove_lane(lane);
        drop(removed);
    }

    /// Lets one thing happen: a stream that may go on is pumped, or the next event comes. `false`: nothing is left.
    pub(crate) fn step(&self) -> bool {
        let mut state = self.state();
        if let Some(stream) = state.take_ready() {
            drop(state);
            stream.pump();
            return true;
        }
        let Some((at, happening)) = state.events.next() else { return false };
        state.now = state.now.max(at);
        match happening {
            Happening::End(lane) => {
                let ended = state.end(lane);
                drop(state);
                if let Some(ended) = ended {
                    self.end(ended);
                }
            }
            Happening::Tell(stream, value) => {
                state.note(stream.driver().lane, format_args!("tells {value}"));
                drop(state);
                stream.complete(value);
            }
            Happening::Ran(stream, value) => {
                state.note(stream.driver().lane, format_args!("ran {value}"));
                drop(state);
                stream.finish();
            }
        }
        true
    }

    /// Does what an operation does, and lets go whoever waited for it. A failure is told first: whoever is let go
    /// learns of it.
    fn end(&self, ended: Ended) {
        let (stream, device) = (Arc::clone(&ended.job.stream), ended.job.stream.driver().device);
        if ended.job.fault == Some(Fault::Lose) {
            // Its stream keeps its waiters until they are let go.
            self.lose(device, stream.domain());
            return;
        }
        let (value, work) = (ended.job.value, &ended.job.work);
        if let Work::Stamp(stamp) = work {
            stamp.write(ended.time);
        }
        let fails = ended.job.fault == Some(Fault::Fail);
        if fails {
            stream.fail(value, &fault::failed(self.name(device), ended.job.operation));
        } else {
            work.run();
        }
        // A waker or an observer forked: the rest is the parent's.
        if self.is_inherited() {
            let _left_alone = ManuallyDrop::new((ended, stream));
            return;
        }
        let verb = if fails { "fails" } else { "ends" };
        let mut state = self.state();
        state.note(ended.lane, format_args!("{verb} {value}: {work}"));
        state.let_go(&ended);
        drop(state);
        drop(ended);
        // Whoever moves the world on may sleep, where another thread took this step.
        self.ring();
    }

    /// Loses a device, unless it is lost.
    pub(crate) fn lose(&self, device: usize, domain: &Domain<SimStream>) {
        self.lose_with(device, domain, &fault::lost(self.name(device)));
    }

    fn lose_with(&self, device: usize, domain: &Domain<SimStream>, error: &Error) {
        let lost = self.state().lose(device, error);
        if let Some(jobs) = lost {
            domain.lose(|driver| driver.is_of(self, device), error);
            drop(jobs);
            self.state().let_go_of_lost(device);
            self.ring();
        }
    }

    /// Nobody holds a stepped world any more: nothing happens in it from now on. What was to happen keeps its streams,
    /// and they keep the world, so it is taken out.
    pub(crate) fn abandon(&self, domain: &Domain<SimStream>) {
        if self.engine.is_some() {
            return;
        }
        for (device, name) in self.names.iter().enumerate() {
            self.lose_with(device, domain, &fault::gone(name));
        }
        loop {
            let ready = self.state().take_ready();
            let Some(stream) = ready else { break };
            stream.pump();
        }
        let left = self.state().end_all();
        drop(left);
    }

    /// Moves a stepped world on until a value is settled or nothing moves; then the sleeper is woken when there is
    /// something to do again.
    pub(crate) fn drive(&self, timeline: &Timeline, value: u64, sleeper: &Waker) {
        if self.engine.is_some() {
            return;
        }
        while matches!(timeline.state_of(value), PointState::Pending) {
            if !self.step() && self.state().sleep(sleeper) {
                return;
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((engine, _)) = &self.engine
            && !self.is_inherited()
        {
            engine.close();
        }
    }
}

/// Who pumps the streams of the world: whoever steps it, or the workers of the library.
#[derive(Debug)]
pub(crate) struct Pumps(pub(crate) Arc<World>);

impl Crew for Pumps {
    fn ensure(&self) -> Result<()> {
        self.0.ensure_engine()?;
        self.0.engine.as_ref().map_or(Ok(()), |(_, crew)| crew.ensure())
    }

    fn rouse(&self, stream: Arc<dyn Pump>) {
        if let Some((_, crew)) = &self.0.engine {
            return crew.rouse(stream);
        }
        let left = self.0.state().add_ready(stream);
        drop(left);
        self.0.wake_sleepers();
    }

    fn about_to_run(&self) {
        if let Some((_, crew)) = &self.0.engine {
            crew.about_to_run();
        }
    }
}
