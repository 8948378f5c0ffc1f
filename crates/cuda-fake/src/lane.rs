//! Lanes: the driver's streams, each a stream of the host.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use syncpoint_core::{Gate, Point, Stream, StreamOptions, Wait};

use crate::capture::{Capture, Node, Taking};
use crate::channel::Channel;
use crate::code::{Code, Result};
use crate::context::Context;
use crate::pretence;
use crate::sync::lock;
use crate::table::{Handle, next_handle};
use crate::until::{self, Condition};

/// How a stream stands to the legacy stream of its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Legacy,
    /// It waits for the legacy stream, which waits for it.
    Blocking,
    NonBlocking,
}

/// One stream of the driver.
#[derive(Debug)]
pub(crate) struct Lane {
    /// The driver's id of the stream, which is never used again.
    pub(crate) id: u64,
    pub(crate) context: Handle,
    pub(crate) kind: Kind,
    pub(crate) queue: Stream,
    /// The queue of the device that it shares with others.
    channel: Option<Arc<Channel>>,
    /// The ends of what was given, where the queue has a bound.
    backlog: Mutex<VecDeque<Point>>,
    /// Holds the stream back until it is released.
    stall: Mutex<Option<Gate>>,
    /// The capture that the stream belongs to, with its tips. Before the leaf lock of the capture.
    taking: Mutex<Option<Taking>>,
}

/// What a stream can be given, again and again: what a graph keeps is the same.
#[derive(Clone)]
pub(crate) enum Op {
    /// Runs with the fate of the context: broken, it should do nothing.
    Run(Arc<dyn Fn(Result) + Send + Sync>),
    Delay(Duration),
    /// Waits until something is so, or the context is broken.
    Until(Condition),
}

impl Op {
    /// Work of the device, which a broken context does not do.
    pub(crate) fn work(run: impl Fn() + Send + Sync + 'static) -> Self {
        Self::Run(Arc::new(move |fate| {
            if fate.is_ok() {
                run();
            }
        }))
    }

    /// Breaks a context.
    pub(crate) fn fault(context: &Arc<Context>, code: Code) -> Self {
        let context = Arc::clone(context);
        Self::work(move || context.breaks(code))
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(_) => formatter.write_str("Run"),
            Self::Until(_) => formatter.write_str("Until"),
            Self::Delay(duration) => write!(formatter, "Delay({duration:?})"),
        }
    }
}

impl Lane {
    pub(crate) fn new(
        host: &syncpoint_core::Device,
        context: Handle,
        kind: Kind,
        priority: i32,
    ) -> Result<Self> {
        let queue = host.stream_with(StreamOptions::new().clamped_priority(priority))?;
        let (backlog, stall, taking) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (id, channel) = (next_handle(), None);
        Ok(Self { id, context, kind, queue, channel, backlog, stall, taking })
    }

    /// The same stream on a queue that others share.
    pub(crate) fn sharing(self, channel: Option<Arc<Channel>>) -> Self {
        Self { channel, ..self }
    }

    /// Holds the stream back for good, or until it is released.
    pub(crate) fn stall(&self) -> Result {
        let gate = Gate::named("a stalled stream");
        self.queue.wait(&gate.point())?;
        *lock(&self.stall) = Some(gate);
        Ok(())
    }

    /// Lets the stream go on, if it stalls.
    pub(crate) fn release(&self) {
        let gate = lock(&self.stall).take();
        // A gate that was opened before has done what it is for.
        let _opened = gate.map(|gate| gate.open());
    }

    /// Gives the stream something to do, or to keep while it captures.
    pub(crate) fn put(&self, context: &Arc<Context>, op: &Op) -> Result {
        if let Some(kept) = self.keep(|taking| {
            taking.add(Node::Op(op.clone()));
            Ok(())
        }) {
            return kept;
        }
        self.make_room()?;
        let faulty = pretence::fault().map(|code| Op::fault(context, code));
        let op = faulty.as_ref().unwrap_or(op);
        if let Some(channel) = &self.channel {
            channel.follow(&self.queue)?;
        }
        let end = context.in_order(self, |queue| {
            match op {
                Op::Run(run) => {
                    let (run, context) = (Arc::clone(run), Arc::clone(context));
                    queue.enqueue(move || run(context.check()))?;
                }
                Op::Delay(duration) => queue.delay(*duration)?,
                Op::Until(is_so) => put_until(queue, context, is_so)?,
            }
            Ok(queue.record()?)
        })?;
        if let (Op::Until(_), Some(channel)) = (op, &self.channel) {
            channel.stand(end.clone());
        }
        self.count(end);
        Ok(())
    }

    /// What the capture of this stream does with something, where there is one.
    pub(crate) fn keep<T>(&self, act: impl FnOnce(&mut Taking) -> Result<T>) -> Option<Result<T>> {
        let mut taking = self.taking();
        taking.as_mut().map(|taking| {
            taking.capture.check()?;
            act(taking)
        })
    }

    /// The capture with the tips of this stream, without one that is over.
    pub(crate) fn taking(&self) -> MutexGuard<'_, Option<Taking>> {
        let mut taking = lock(&self.taking);
        if taking.as_ref().is_some_and(|taking| taking.capture.is_over()) {
            *taking = None;
        }
        taking
    }

    /// The capture that the stream belongs to.
    pub(crate) fn capture(&self) -> Option<Arc<Capture>> {
        self.taking().as_ref().map(|taking| Arc::clone(&taking.capture))
    }

    /// The stream belongs to a capture from now on.
    pub(crate) fn take(&self, capture: &Arc<Capture>, tips: Vec<usize>) -> Result {
        let mut taking = self.taking();
        if taking.is_some() {
            return Err(Code::ILLEGAL_STATE);
        }
        *taking = Some(Taking { capture: Arc::clone(capture), tips });
        Ok(())
    }

    /// Refuses what no capture can keep, and invalidates the one that this stream belongs to.
    pub(crate) fn refuse_capture(&self) -> Result {
        let Some(capture) = self.capture() else { return Ok(()) };
        capture.check()?;
        capture.invalidate();
        Err(Code::CAPTURE_UNSUPPORTED)
    }

    /// Blocks while the queue has no room, where it has a bound.
    pub(crate) fn make_room(&self) -> Result {
        let Some(bound) = pretence::setting(|settings| settings.queue) else { return Ok(()) };
        while let Some(oldest) = self.beyond(bound) {
            wait(&oldest)?;
        }
        Ok(())
    }

    /// The oldest of what is pending, where that is as much as the bound.
    fn beyond(&self, bound: usize) -> Option<Point> {
        let mut backlog = lock(&self.backlog);
        while backlog.front().is_some_and(|point| point.query().unwrap_or(true)) {
            backlog.pop_front();
        }
        backlog.front().filter(|_| backlog.len() >= bound.max(1)).cloned()
    }

    /// Counts something that the stream was given.
    pub(crate) fn count(&self, end: Point) {
        if pretence::setting(|settings| settings.queue.is_some()) {
            lock(&self.backlog).push_back(end);
        }
    }
}

/// A wait for a gate, behind work that sees to its opening: looking begins when the stream comes to it.
fn put_until(queue: &Stream, context: &Arc<Context>, is_so: &Condition) -> Result {
    let gate = Gate::named("a value");
    let point = gate.point();
    let (context, is_so) = (Arc::clone(context), Arc::clone(is_so));
    let is_over: Condition = Arc::new(move || context.check().is_err() || is_so());
    // A gate that nobody can open fails, and the stream with it.
    queue.enqueue(move || {
        let _opens = until::open(gate, is_over);
    })?;
    Ok(queue.wait(&point)?)
}

/// Waits on this thread and runs no work on it, as the driver does.
pub(crate) fn wait(point: &Point) -> Result {
    Ok(point.synchronize_with(Wait::NoHelp, None)?)
}
