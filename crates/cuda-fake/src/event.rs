//! Events: the latest record of each, and what the driver answers about it.

use std::sync::{Arc, Mutex};

use syncpoint_core::{Point, TimedPoint};

use crate::code::{Code, Result};
use crate::context::Context;
use crate::lane::{Lane, wait};
use crate::pretence;
use crate::sync::lock;
use crate::table::Handle;

/// One event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) context: Handle,
    flags: u32,
    latest: Mutex<Record>,
}

/// What an event names.
#[derive(Clone, Debug)]
enum Record {
    /// Nothing yet: that is complete.
    Never,
    Plain(Point),
    Timed(TimedPoint),
}

const BLOCKING_SYNC: u32 = 1;
const DISABLE_TIMING: u32 = 2;
const INTERPROCESS: u32 = 4;

impl Event {
    pub(crate) fn new(context: Handle, flags: u32) -> Result<Self> {
        let is_known = flags & !(BLOCKING_SYNC | DISABLE_TIMING | INTERPROCESS) == 0;
        let is_timed_ipc = flags & INTERPROCESS != 0 && flags & DISABLE_TIMING == 0;
        if !is_known || is_timed_ipc {
            return Err(Code::INVALID_VALUE);
        }
        Ok(Self { context, flags, latest: Mutex::new(Record::Never) })
    }

    fn is_timed(&self) -> bool {
        self.flags & DISABLE_TIMING == 0
    }

    /// Names the end of what a stream has been given. What the event named before is forgotten; whoever waits for that
    /// goes on doing so.
    pub(crate) fn record(&self, context: &Arc<Context>, lane: &Lane) -> Result {
        if self.context != lane.context {
            return Err(Code::INVALID_HANDLE);
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

    /// What the event names now.
    pub(crate) fn point(&self) -> Option<Point> {
        lock(&self.latest).point().cloned()
    }

    /// Whether what the event names has come; never recorded, it has.
    pub(crate) fn query(&self) -> Result {
        match self.point() {
            Some(point) if !point.query()? => Err(Code::NOT_READY),
            _ => Ok(()),
        }
    }

    pub(crate) fn synchronize(&self) -> Result {
        self.point().as_ref().map_or(Ok(()), wait)
    }

    /// Milliseconds from `start` to this event, in steps of the pretended clock.
    pub(crate) fn milliseconds_since(&self, start: &Self) -> Result<f32> {
        if self.context != start.context {
            return Err(Code::INVALID_HANDLE);
        }
        let (start, end) = (start.timed()?, self.timed()?);
        if !start.query()? || !end.query()? {
            return Err(Code::NOT_READY);
        }
        let step = pretence::setting(|settings| settings.step);
        let steps = |point: &TimedPoint| Ok::<u64, Code>(point.timestamp()?.nanos / step);
        let difference = i128::from(steps(&end)?) - i128::from(steps(&start)?);
        Ok(milliseconds(difference * i128::from(step)))
    }

    fn timed(&self) -> Result<TimedPoint> {
        match &*lock(&self.latest) {
            Record::Timed(point) => Ok(point.clone()),
            Record::Never | Record::Plain(_) => Err(Code::INVALID_HANDLE),
        }
    }
}

impl Record {
    fn point(&self) -> Option<&Point> {
        match self {
            Self::Never => None,
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
