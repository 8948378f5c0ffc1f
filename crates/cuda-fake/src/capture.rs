//! Captures: what streams are given is kept for a graph instead of being done.
//!
//! A capture begins on one stream, and others join by waiting for an event that was recorded in it. Each stream of it
//! has *tips*: the nodes that its next one comes after. What is forbidden meanwhile invalidates the capture, and it
//! ends without a graph.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::code::{Code, Result};
use crate::current;
use crate::driver::Driver;
use crate::event::Event;
use crate::lane::{Kind, Lane, Op};
use crate::sync::lock;
use crate::table::{Handle, next_handle};

/// Whom a capture or a thread restricts, as the driver numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Global = 0,
    ThreadLocal = 1,
    Relaxed = 2,
}

impl Mode {
    pub(crate) fn new(number: i32) -> Result<Self> {
        let modes = [Self::Global, Self::ThreadLocal, Self::Relaxed];
        modes.into_iter().find(|mode| *mode as i32 == number).ok_or(Code::INVALID_VALUE)
    }
}

/// One capture.
#[derive(Debug)]
pub(crate) struct Capture {
    /// Never used again.
    pub(crate) id: u64,
    pub(crate) context: Handle,
    mode: Mode,
    thread: u64,
    /// The id of the stream on which it began.
    origin: u64,
    /// Guards the nodes and the fate; nothing is called under it.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    fate: Fate,
    /// In the order in which they were given.
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Active,
    Invalidated,
    Over,
}

/// One thing that a graph does.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Op(Op),
    /// Records an event at each launch.
    Record(Arc<Event>),
    /// Waits at each launch for what an event names then.
    Wait(Arc<Event>),
}

/// A node with those that it comes after, by their places among all.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) node: Node,
    pub(crate) before: Vec<usize>,
}

/// What a stream knows of the capture that it belongs to.
#[derive(Debug)]
pub(crate) struct Taking {
    pub(crate) capture: Arc<Capture>,
    pub(crate) tips: Vec<usize>,
}

impl Taking {
    /// Keeps a node behind the tips, as the only tip.
    pub(crate) fn add(&mut self, node: Node) {
        let mut state = lock(&self.capture.state);
        let tips = vec![state.steps.len()];
        let before = std::mem::replace(&mut self.tips, tips);
        state.steps.push(Step { node, before });
    }

    /// Lets what comes next come after these as well.
    pub(crate) fn join(&mut self, tips: &[usize]) {
        self.tips.extend(tips);
        self.tips.sort_unstable();
        self.tips.dedup();
    }
}

impl Capture {
    /// Begins a capture on a stream.
    pub(crate) fn begin(driver: &Driver, lane: &Lane, mode: Mode) -> Result {
        if lane.kind == Kind::Legacy {
            return Err(Code::CAPTURE_UNSUPPORTED);
        }
        let (context, origin, thread) = (lane.context, lane.id, current::thread()?);
        let state = Mutex::default();
        let capture = Arc::new(Self { id: next_handle(), context, mode, thread, origin, state });
        lane.take(&capture, Vec::new())?;
        driver.captures.add(capture);
        Ok(())
    }

    /// Ends the capture of a stream. Gives what was kept, unless some rule was broken.
    pub(crate) fn end(lane: &Lane) -> Result<Vec<Step>> {
        let taking = lane.taking();
        let taking = taking.as_ref().ok_or(Code::ILLEGAL_STATE)?;
        let capture = &taking.capture;
        if capture.origin != lane.id {
            return Err(Code::CAPTURE_UNMATCHED);
        }
        if capture.mode != Mode::Relaxed && capture.thread != current::thread()? {
            return Err(Code::CAPTURE_WRONG_THREAD);
        }
        let state = std::mem::replace(&mut *lock(&capture.state), State::over());
        match state.fate {
            Fate::Over => Err(Code::ILLEGAL_STATE),
            Fate::Invalidated => Err(Code::CAPTURE_INVALIDATED),
            Fate::Active if state.is_joined(&taking.tips) => Ok(state.steps),
            Fate::Active => Err(Code::CAPTURE_UNJOINED),
        }
    }

    fn fate(&self) -> Fate {
        lock(&self.state).fate
    }

    pub(crate) fn is_over(&self) -> bool {
        self.fate() == Fate::Over
    }

    /// Whether it still takes nodes.
    pub(crate) fn check(&self) -> Result {
        match self.fate() {
            Fate::Active => Ok(()),
            Fate::Invalidated | Fate::Over => Err(Code::CAPTURE_INVALIDATED),
        }
    }

    /// 1 while it is active, 2 once it is invalidated, as the driver tells it.
    pub(crate) fn status(&self) -> i32 {
        match self.fate() {
            Fate::Active => 1,
            Fate::Invalidated => 2,
            Fate::Over => 0,
        }
    }

    /// A rule was broken.
    pub(crate) fn invalidate(&self) {
        let mut state = lock(&self.state);
        if state.fate == Fate::Active {
            state.fate = Fate::Invalidated;
        }
    }

    /// It will never be ended: its stream or its context is gone.
    pub(crate) fn abandon(&self, lane: &Lane) {
        if self.origin == lane.id {
            *lock(&self.state) = State::over();
        }
    }

    /// Whether a thread in this mode may call what could be unsafe in a capture.
    fn allows(&self, thread: u64, mode: Mode) -> bool {
        match (mode, self.mode) {
            (Mode::Relaxed, _) => true,
            (_, own) if self.thread == thread => own == Mode::Relaxed,
            (Mode::Global, Mode::Global) => false,
            _ => true,
        }
    }
}

impl State {
    fn over() -> Self {
        Self { fate: Fate::Over, steps: Vec::new() }
    }

    /// Whether every node comes before the end of the stream on which the capture began.
    fn is_joined(&self, tips: &[usize]) -> bool {
        let mut reached: BTreeSet<usize> = tips.iter().copied().collect();
        for index in (0..self.steps.len()).rev() {
            if !reached.contains(&index) {
                return false;
            }
            reached.extend(&self.steps[index].before);
        }
        true
    }
}

/// The captures that are not over.
#[derive(Debug, Default)]
pub(crate) struct Captures(Mutex<Vec<Arc<Capture>>>);

impl Captures {
    fn add(&self, capture: Arc<Capture>) {
        lock(&self.0).push(capture);
    }

    fn all(&self) -> Vec<Arc<Capture>> {
        let mut captures = lock(&self.0);
        captures.retain(|capture| !capture.is_over());
        captures.clone()
    }

    /// Asks for leave to call what could be unsafe in a capture. Where a capture forbids it, that is invalidated.
    pub(crate) fn check_unsafe(&self) -> Result {
        let (thread, mode) = (current::thread()?, current::capture_mode()?);
        self.check_where(|capture| !capture.allows(thread, mode))
    }

    /// Asks for leave to wait for a whole context.
    pub(crate) fn check_context(&self, context: Handle) -> Result {
        self.check_where(|capture| capture.context == context)
    }

    fn check_where(&self, forbids: impl Fn(&Capture) -> bool) -> Result {
        let mut outcome = Ok(());
        for capture in self.all().iter().filter(|capture| forbids(capture)) {
            capture.invalidate();
            outcome = Err(Code::CAPTURE_UNSUPPORTED);
        }
        outcome
    }

    /// The captures of a context are over.
    pub(crate) fn forget(&self, context: Handle) {
        for capture in self.all().iter().filter(|capture| capture.context == context) {
            *lock(&capture.state) = State::over();
        }
    }
}
