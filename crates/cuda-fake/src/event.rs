//! Events: the latest record of each, and what the driver answers about it.

use std::sync::{Arc, Mutex};

use syncpoint_core::{Point, TimedPoint};

use crate::capture::{Capture, Node, Taking};
use crate::code::{Code, Result};
use crate::context::Context;
use crate::lane::{Kind, Lane, Op, wait};
use crate::pretence;
use crate::share::{Exported, Shared};
use crate::sync::lock;
use crate::table::Handle;
use crate::until;

/// One event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) context: Handle,
    /// Streams of which contexts may record it.
    family: Handle,
    flags: u32,
    latest: Mutex<Record>,
    /// Where the records are numbered that other processes see; those are not named by `latest`.
    shared: Option<Arc<Shared>>,
}

/// What an event names.
#[derive(Clone, Debug)]
enum Record {
    /// Nothing yet: that is complete.
    Never,
    Plain(Point),
    Timed(TimedPoint),
    /// A place in a capture: the nodes that it comes after.
    Captured(Arc<Capture>, Vec<usize>),
}

const BLOCKING_SYNC: u32 = 1;
const DISABLE_TIMING: u32 = 2;
const INTERPROCESS: u32 = 4;

impl Event {
    pub(crate) fn new(context: &Context, flags: u32) -> Result<Self> {
        let is_known = flags & !(BLOCKING_SYNC | DISABLE_TIMING | INTERPROCESS) == 0;
        let is_timed_ipc = flags & INTERPROCESS != 0 && flags & DISABLE_TIMING == 0;
        if !is_known || is_timed_ipc {
            return Err(Code::INVALID_VALUE);
        }
        let shared = (flags & INTERPROCESS != 0).then(Shared::make).transpose()?.map(Arc::new);
        let (context, family, latest) =
            (context.handle, context.family(), Mutex::new(Record::Never));
        Ok(Self { context, family, flags, latest, shared })
    }

    /// An event of another process.
    pub(crate) fn import(context: &Context, exported: &Exported) -> Result<Self> {
        let shared = Some(Arc::new(Shared::open(exported)?));
        let (context, family, latest) =
            (context.handle, context.family(), Mutex::new(Record::Never));
        Ok(Self { context, family, flags: DISABLE_TIMING, latest, shared })
    }

    /// The bytes by which another process opens the event, which has to be made for it.
    pub(crate) fn export(&self) -> Result<Exported> {
        let made_for_it = self.flags & INTERPROCESS != 0;
        let shared = self.shared.as_ref().filter(|_| made_for_it).ok_or(Code::INVALID_HANDLE)?;
        Ok(shared.export())
    }

    /// Refuses an event of another process that is gone there.
    pub(crate) fn check(&self) -> Result {
        self.shared.as_ref().map_or(Ok(()), |shared| shared.check())
    }

    /// Nobody has a handle of it any more.
    pub(crate) fn destroy(&self) {
        if let Some(shared) = &self.shared {
            shared.destroy();
        }
    }

    /// Whether it was made for threads that wait for it to sleep.
    pub(crate) fn is_blocking(&self) -> bool {
        self.flags & BLOCKING_SYNC != 0
    }

    /// Whether it notes its time.
    pub(crate) fn is_timed(&self) -> bool {
        self.flags & DISABLE_TIMING == 0
    }

    /// Names the end of what a stream has been given. What the event named before is forgotten; whoever waits for that
    /// goes on doing so.
    pub(crate) fn record(&self, context: &Arc<Context>, lane: &Lane) -> Result {
        if self.family != context.family() {
            return Err(Code::INVALID_HANDLE);
        }
        self.check()?;
        if let Some(kept) = lane.keep(|taking| {
            let capture = Arc::clone(&taking.capture);
            *lock(&self.latest) = Record::Captured(capture, taking.tips.clone());
            Ok(())
        }) {
            return kept;
        }
        if let Some(shared) = &self.shared {
            *lock(&self.latest) = Record::Never;
            return lane.put(context, &record_shared(shared));
        }
        lane.make_room()?;
        let record = context.in_order(lane, |queue| {
            Ok(if self.is_timed() {
                Record::Timed(queue.record_timed()?)
            } else {
                Record::Plain(queue.record()?)
            })
        })?;
        if let Some(point) = record.point() {
            lane.count(point.clone());
        }
        *lock(&self.latest) = record;
        Ok(())
    }

    /// Records the event at each launch of what is captured.
    pub(crate) fn record_external(self: &Arc<Self>, context: &Context, lane: &Lane) -> Result {
        if self.family != context.family() {
            return Err(Code::INVALID_HANDLE);
        }
        Self::keep_external(lane, Node::Record(Arc::clone(self)))
    }

    /// Waits for the event at each launch of what is captured.
    pub(crate) fn hold_back_external(self: &Arc<Self>, lane: &Lane) -> Result {
        Self::keep_external(lane, Node::Wait(Arc::clone(self)))
    }

    /// Outside a capture there is nothing external.
    fn keep_external(lane: &Lane, node: Node) -> Result {
        let kept = lane.keep(|taking| {
            taking.add(node);
            Ok(())
        });
        kept.unwrap_or(Err(Code::INVALID_VALUE))
    }

    /// Holds a stream back until what the event names has come. Inside a capture it has to name a place of the same; a
    /// stream outside joins the capture in which the event names a place.
    pub(crate) fn hold_back(&self, context: &Arc<Context>, lane: &Lane) -> Result {
        self.check()?;
        let latest = lock(&self.latest).clone();
        if let Some(kept) = lane.keep(|taking| latest.join(taking)) {
            return kept;
        }
        if let Record::Captured(capture, tips) = &latest {
            return enter(capture, tips, lane);
        }
        if let Some((shared, record)) = self.shared_record() {
            return lane.put(context, &Op::Until(Arc::new(move || shared.has_come(record))));
        }
        let Some(point) = latest.point() else { return Ok(()) };
        lane.make_room()?;
        let end = context.in_order(lane, |queue| {
            queue.wait(point)?;
            Ok(queue.record()?)
        })?;
        lane.count(end);
        Ok(())
    }

    /// What the event names outside captures; asking for more breaks the capture in which it names a place.
    fn point(&self) -> Result<Option<Point>> {
        self.check()?;
        let latest = lock(&self.latest).clone();
        if let Record::Captured(capture, _) = &latest {
            capture.invalidate();
            return Err(unasked(capture));
        }
        Ok(latest.point().cloned())
    }

    /// Whether what the event names has come; never recorded, it has.
    pub(crate) fn query(&self) -> Result {
        match self.point()? {
            Some(point) if !point.query()? => Err(Code::NOT_READY),
            None if self.shared_record().is_some() => Err(Code::NOT_READY),
            _ => Ok(()),
        }
    }

    /// Waits on this thread. Where another process records, or the context is broken, nobody here ends the wait.
    pub(crate) fn synchronize(&self, context: &Arc<Context>) -> Result {
        if let (None, Some((shared, record))) = (self.point()?, self.shared_record()) {
            let context = Arc::clone(context);
            let is_over = move || context.check().is_err() || shared.has_come(record);
            return until::wait(Arc::new(is_over));
        }
        self.point()?.as_ref().map_or(Ok(()), wait)
    }

    /// The latest record on the shared page, while it has not come.
    fn shared_record(&self) -> Option<(Arc<Shared>, u64)> {
        let shared = self.shared.as_ref()?;
        let latest = shared.latest();
        (!shared.has_come(latest)).then(|| (Arc::clone(shared), latest))
    }

    /// Milliseconds from `start` to this event, in steps of the pretended clock.
    pub(crate) fn milliseconds_since(&self, start: &Self) -> Result<f32> {
        if self.family != start.family {
            return Err(Code::INVALID_HANDLE);
        }
        let (start, end) = (start.timed()?, self.timed()?);
        if !start.query()? || !end.query()? {
            return Err(Code::NOT_READY);
        }
        if let Some(milliseconds) = pretence::elapsed() {
            return Ok(milliseconds);
        }
        let step = pretence::setting(|settings| settings.step);
        let steps = |point: &TimedPoint| Ok::<u64, Code>(point.timestamp()?.nanos / step);
        let difference = i128::from(steps(&end)?) - i128::from(steps(&start)?);
        Ok(milliseconds(difference * i128::from(step)))
    }

    fn timed(&self) -> Result<TimedPoint> {
        match &*lock(&self.latest) {
            Record::Timed(point) => Ok(point.clone()),
            Record::Captured(capture, _) => Err(unasked(capture)),
            Record::Never | Record::Plain(_) => Err(Code::INVALID_HANDLE),
        }
    }
}

/// What a stream does to record an event that processes share. It comes also where the context breaks: nobody in another
/// process would hear of that.
fn record_shared(shared: &Arc<Shared>) -> Op {
    let (shared, record) = (Arc::clone(shared), shared.begin());
    Op::Run(Arc::new(move |_| shared.come(record)))
}

/// Why an event that names a place in a capture cannot be asked: once that is over, it names nothing that could come.
fn unasked(capture: &Capture) -> Code {
    if capture.is_over() { Code::INVALID_VALUE } else { Code::CAPTURED_EVENT }
}

/// A stream joins a capture behind some of its nodes.
fn enter(capture: &Arc<Capture>, tips: &[usize], lane: &Lane) -> Result {
    if capture.is_over() {
        return Err(Code::CAPTURED_EVENT);
    }
    capture.check()?;
    if lane.kind == Kind::Legacy {
        capture.invalidate();
        return Err(Code::CAPTURE_IMPLICIT);
    }
    lane.take(capture, tips.to_vec())
}

impl Record {
    /// Lets a stream that captures come after this.
    fn join(&self, taking: &mut Taking) -> Result {
        let trouble = match self {
            Self::Never => return Ok(()),
            Self::Captured(capture, tips) if Arc::ptr_eq(capture, &taking.capture) => {
                taking.join(tips);
                return Ok(());
            }
            Self::Captured(capture, _) if !capture.is_over() => Code::CAPTURE_MERGE,
            Self::Captured(..) | Self::Plain(_) | Self::Timed(_) => Code::CAPTURE_ISOLATION,
        };
        taking.capture.invalidate();
        Err(trouble)
    }

    fn point(&self) -> Option<&Point> {
        match self {
            Self::Never | Self::Captured(..) => None,
            Self::Plain(point) => Some(point),
            Self::Timed(point) => Some(point.point()),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the driver gives so many digits and no more"
)]
fn milliseconds(nanos: i128) -> f32 {
    (nanos as f64 / 1e6) as f32
}
