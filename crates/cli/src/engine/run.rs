//! A run from its preparation to its report.

use std::{
    env, mem,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use syncpoint::Gate;

use super::{
    children::Children,
    clock,
    event::{Event, Progress},
    held::Stuck,
    machine::Machine,
    outcome::{self, Seen, Told},
    steps::{Layer, Marks},
    stop::Stopper,
};
use crate::{
    plan::{Finding, Plan, Problems},
    report::{CutShort, Hold, Report},
    scratch::Scratch,
};

/// How often whoever watches is told that time goes on.
const TICK: Duration = Duration::from_millis(100);

/// A plan with everything made that it needs, about to begin.
#[derive(Debug)]
pub struct Run<'p> {
    plan: &'p Plan,
    machine: Machine,
    marks: Vec<Marks>,
    /// Behind it stands the whole run.
    gate: Gate,
    /// When the gate was opened, on the host's clock.
    opened: Instant,
    events: Receiver<Event>,
    stopper: Stopper,
    scratch: Option<Scratch>,
    progress: Progress,
    told: Told,
    children: Arc<Children>,
}

/// A run at its end, or at the moment when it was cut short.
struct End {
    cut_short: Option<CutShort>,
    seen: Vec<Seen>,
    held: Vec<Hold>,
    wall: Option<Duration>,
}

impl<'p> Run<'p> {
    /// How long commands have between being told to end and being killed: enough to remove what is half written.
    pub const GRACE: Duration = Duration::from_secs(1);

    /// Makes what the plan needs and enqueues its steps. Nothing begins before [`go`](Self::go).
    ///
    /// # Errors
    ///
    /// [`Problems`]: a device is not to be had, or refuses a stream, a buffer or a step; or there is no scratch folder.
    pub fn prepare(plan: &'p Plan) -> Result<Self, Problems> {
        let (sender, events) = mpsc::channel();
        let children = Arc::new(Children::default());
        let gate = Gate::named("begin of the run");
        let machine = Machine::make(plan, &gate.point())?;
        let scratch = make_scratch(plan)?;
        let layer = Layer {
            plan,
            machine: &machine,
            scratch: scratch.as_ref(),
            events: sender.clone(),
            children: Arc::clone(&children),
        };
        let marks = layer.lay()?;
        let stopper = Stopper::new(sender, Arc::clone(&children));
        let progress = Progress { total: plan.steps().len(), ..Progress::default() };
        Ok(Self {
            plan,
            machine,
            marks,
            gate,
            opened: Instant::now(),
            events,
            stopper,
            scratch,
            progress,
            told: Told::default(),
            children,
        })
    }

    /// What ends this run before its time.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Runs the steps, for at most `timeout`, and tells `watch` of the progress at every event, at least ten times a
    /// second. No time at all begins nothing.
    pub fn go(mut self, timeout: Option<Duration>, mut watch: impl FnMut(&Progress)) -> Report {
        self.opened = Instant::now();
        if timeout != Some(Duration::ZERO) {
            self.begin();
        }
        let cut_short = self.lead(timeout, &mut watch);
        self.stopper.spend();
        let end = self.end(cut_short);
        if cut_short.is_some() {
            self.clear();
        }
        let face = clock::face(&self.machine.clocks, self.told.error(&end.seen));
        let mut report = Report::planned(self.plan, face);
        self.fill(&mut report, end);
        report
    }

    fn begin(&self) {
        let gate = self.gate.open();
        debug_assert!(gate.is_ok(), "nobody else has the gate");
        clock::wait_for_begin(&self.machine.clocks);
    }

    /// Follows the run to its end, or to what cuts it short.
    fn lead(
        &mut self,
        timeout: Option<Duration>,
        watch: &mut impl FnMut(&Progress),
    ) -> Option<CutShort> {
        while self.progress.ended < self.progress.total {
            self.progress.elapsed = self.opened.elapsed();
            watch(&self.progress);
            let left = timeout.map(|timeout| timeout.saturating_sub(self.opened.elapsed()));
            if let Some(Duration::ZERO) = left {
                return timeout.map(CutShort::TimedOut);
            }
            match self.events.recv_timeout(left.unwrap_or(TICK).min(TICK)) {
                Ok(Event::Stop) => return Some(CutShort::Interrupted),
                Ok(event) => self.note(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("the stopper holds a sender"),
            }
        }
        None
    }

    fn note(&mut self, event: Event) {
        match event {
            // Told late, when the step has ended already, it would run for ever.
            Event::Began(step) if matches!(self.marks[step].end.query(), Ok(false)) => {
                self.progress.running.insert(step);
            }
            Event::Said(step, output, failure) => {
                self.told.said.insert(step, (output, failure));
            }
            Event::Ended(step) => self.note_end(step),
            Event::Began(_) | Event::Stop => {}
        }
    }

    fn note_end(&mut self, step: usize) {
        self.progress.ended += 1;
        self.progress.running.remove(&step);
        if self.machine.clocks.len() > 1 {
            self.told.heard.insert(step, self.opened.elapsed());
        }
        let Marks { start, end } = &self.marks[step];
        // A step that never began has no time at all.
        if matches!((start.query(), end.query()), (Ok(true), Err(_))) {
            let now = self.machine.clock(self.plan.steps()[step].stream).now();
            self.told.failed.extend(now.map(|now| (step, now)));
        }
    }

    /// Looks at everything, before what still runs is told to end.
    fn end(&mut self, cut_short: Option<CutShort>) -> End {
        while let Ok(event) = self.events.try_recv() {
            self.note(event);
        }
        let stuck = Stuck { plan: self.plan, marks: &self.marks };
        let held = if cut_short.is_some() { stuck.chain() } else { Vec::new() };
        let seen = outcome::look(self.plan, &self.machine, &self.marks);
        let now = || self.machine.clocks.iter().filter_map(clock::DeviceClock::now).max();
        let wall = cut_short.map(|_| now().unwrap_or_else(|| self.opened.elapsed()));
        End { cut_short, seen, held, wall }
    }

    /// Ends every command, and hears what each has said so far.
    fn clear(&mut self) {
        self.children.close();
        if !self.children.wait_until_gone(Self::GRACE) {
            self.children.kill();
            // What cannot be killed sleeps in the kernel, and is not waited for.
            self.children.wait_until_gone(Self::GRACE);
        }
        // Whatever else happened since the run was cut short is no part of it.
        for event in self.events.try_iter() {
            if let Event::Said(step, output, failure) = event {
                self.told.said.insert(step, (output, failure));
            }
        }
    }

    fn fill(&mut self, report: &mut Report, end: End) {
        for (lane, stream) in self.machine.streams.iter().zip(&mut report.streams) {
            stream.priority = Some(lane.stream.priority());
        }
        report.cut_short = end.cut_short;
        report.held = end.held;
        report.left_behind = self.scratch.take().and_then(remove_scratch);
        outcome::write(end.seen, mem::take(&mut self.told), report);
        let ends = report.steps.iter().filter_map(|step| step.end);
        report.wall = ends.chain(end.wall).max().unwrap_or_default();
    }
}

impl Drop for Run<'_> {
    /// Whatever happens, no command outlives its run.
    fn drop(&mut self) {
        self.stopper.kill();
    }
}

fn make_scratch(plan: &Plan) -> Result<Option<Scratch>, Problems> {
    let Some(step) = plan.first_use_of_scratch() else {
        return Ok(None);
    };
    Scratch::new().map(Some).map_err(|error| {
        let (name, folder) = (&step.name, env::temp_dir());
        let message = format!(
            "step {name:?} needs a scratch folder, and none can be made in {}: {error}; set TMPDIR to a folder that you may write to",
            folder.display()
        );
        plan.problems(vec![Finding::new(&step.at, message)])
    })
}

/// Removes the scratch folder; answers what to tell if that fails.
fn remove_scratch(scratch: Scratch) -> Option<String> {
    let folder = scratch.folder().display().to_string();
    scratch.remove().err().map(|error| format!("{folder} could not be removed: {error}"))
}
