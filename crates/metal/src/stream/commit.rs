//! Committing: each operation is a command buffer or two, put together and committed by whoever has the stream's turn.

use std::sync::Arc;
use std::time::Instant;

use syncpoint_base::Inside;
use syncpoint_core::contract::Line;
use syncpoint_core::hold::{HeldStream, Need};
use syncpoint_core::{Error, Kind, Result};

use super::MetalStream;
use crate::calls::{Calls, End, Ended, Refusal};
use crate::code::no_room;
use crate::event::SharedEvent;
use crate::handover::ended;
use crate::own::Own;
use crate::room::{ITEM, Patience};
use crate::sync::Ordering;
use crate::telling::{Signal, lift};
use crate::time::Timed;

/// As few bytes as a blit may fill.
const SCRATCH: u64 = 4;

impl<C: Calls> MetalStream<C> {
    pub(super) fn count(&self) {
        // Relaxed: a count, ordered with nothing.
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Commits one command buffer, put together with `fill` and signalled as `value`.
    pub(crate) fn give(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        fill: impl FnOnce(&C, &mut C::Commands) -> Result<(), Refusal>,
    ) -> Result<()> {
        Self::give_parts(stream, value, 1, |calls, earlier| {
            let (driver, context) = (stream.driver(), &stream.driver().context);
            let mut commands = driver.commands(earlier, ended(stream, value, None))?;
            fill(calls, &mut commands).map_err(|refusal| refusal.error(context.name()))?;
            calls.signal(&mut commands, &driver.event, value);
            calls.commit(commands);
            Ok(())
        })
    }

    /// Commits a command buffer whose end is the time, and one behind its end that signals `value`: who waits for the value
    /// on the device goes on after that time.
    pub(super) fn stamp(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        timed: &Arc<Timed>,
    ) -> Result<()> {
        Self::give_parts(stream, value, 2, |calls, earlier| {
            let driver = stream.driver();
            let stamps = driver.stamps()?;
            let of_first = let_go(ended(stream, value, Some(timed)), Arc::clone(stamps), value);
            let mut first = driver.commands(earlier, of_first)?;
            // Behind what is earlier by itself too: a first that is killed before it has begun holds nobody.
            let mut second = driver.commands(earlier, ended(stream, value, None))?;
            // One of nothing but waits and signals may have no time (others have found so).
            let touched = driver.touch(&mut first);
            touched.map_err(|refusal| refusal.error(driver.context.name()))?;
            calls.signal(&mut first, stamps, value);
            calls.wait(&mut second, stamps, value);
            calls.signal(&mut second, &driver.event, value);
            calls.commit(first);
            calls.commit(second);
            Ok(())
        })
    }

    /// Commits so many command buffers as `value`, with `commit`, which commits all or none, behind an earlier value.
    fn give_parts(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        parts: usize,
        commit: impl FnOnce(&C, u64) -> Result<()>,
    ) -> Result<()> {
        let (driver, context) = (stream.driver(), &stream.driver().context);
        context.check()?;
        // Before the driver is entered: the end of the process waits for whoever is inside.
        let earlier = driver.while_needed(|patience| driver.row.put(value, parts, patience));
        let Some(earlier) = earlier else {
            context.check()?;
            return Err(driver.full(Need::Item));
        };
        let given =
            context.enter().and_then(|_inside| pooled::<C, _>(|| commit(context.calls(), earlier)));
        if given.is_err() {
            driver.row.take_back();
        }
        given
    }

    /// A command buffer of the stream's queue, behind an earlier value: the queue would go on past one that was killed.
    fn commands(&self, earlier: u64, ended: Ended) -> Result<C::Commands> {
        self.count();
        let calls = self.context.calls();
        let commands = calls.commands(&self.queue, ended);
        let mut commands =
            commands.ok_or_else(|| no_room("a command buffer", self.context.name()))?;
        if earlier > 0 {
            calls.wait(&mut commands, &self.event, earlier);
        }
        Ok(commands)
    }

    /// Has a command buffer do a little work.
    fn touch(&self, commands: &mut C::Commands) -> Result<(), Refusal> {
        let calls = self.context.calls();
        let scratch = if let Some(scratch) = self.scratch.get() {
            scratch
        } else {
            let made = calls.memory(SCRATCH).ok_or(Refusal::NoRoom)?;
            self.scratch.get_or_init(|| Own::new(made))
        };
        calls.fill(commands, scratch, 0..SCRATCH, 0)
    }

    /// What the command buffers signal whose ends are times, for those behind them.
    fn stamps(&self) -> Result<&SharedEvent<C>> {
        if let Some(stamps) = self.stamps.get() {
            return Ok(stamps);
        }
        let made = self.context.calls().event();
        let made = made.ok_or_else(|| no_room("a shared event", self.context.name()))?;
        Ok(self.stamps.get_or_init(|| Arc::new(Own::new(made))))
    }

    /// Sleeps until there is room or the stream has failed, under no lock.
    pub(super) fn sleep_for_room(
        &self,
        need: Need,
        deadline: Option<Instant>,
        line: &mut Line,
    ) -> Result<()> {
        let room = self.row.room();
        let has_come =
            self.while_needed(|patience| room.wait(need, Patience { deadline, ..patience }, line));
        self.context.check()?;
        if has_come || self.timeline.has_failed() {
            return Ok(());
        }
        let is_late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        Err(if is_late { self.late(need) } else { self.full(need) })
    }

    /// Calls `sleep` with the patience that a sleep for room has: a stream that has failed, or whose device is lost, needs
    /// none any more, and a device that was removed may never end what is on its way.
    fn while_needed<T>(&self, sleep: impl FnOnce(Patience<'_>) -> T) -> T {
        let is_over = || self.timeline.has_failed() || !self.context.is_usable();
        let longest = self.context.limits().patience;
        sleep(Patience { longest, deadline: None, is_over: &is_over })
    }

    /// Up to the caller's deadline there was no room.
    #[cold]
    fn late(&self, need: Need) -> Error {
        let (lack, name) = (self.lack(need), self.context.name());
        let message = format!(
            "{} of {name} could put no mark behind its work: {lack}; wait for longer, or for what is before it",
            self.timeline,
        );
        Error::new(Kind::TimedOut, message)
    }

    #[cold]
    fn full(&self, need: Need) -> Error {
        let (lack, name) = (self.lack(need), self.context.name());
        let message = format!(
            "{} of {name} took nothing more: {lack}, and none has ended for {:?}; synchronize before enqueueing more",
            self.timeline,
            self.context.limits().patience
        );
        Error::new(Kind::Exhausted, message)
    }

    /// Why it could not begin, as far as that is still so.
    fn lack(&self, need: Need) -> String {
        let room = self.row.room();
        let out = format!("{} command buffers are on their way on its queue", room.on_their_way());
        if room.is_there_for(need) {
            format!("{out}, and others sleep for room there who came before")
        } else {
            format!("{out}, where it has room for {} and an item takes up to {ITEM}", room.most())
        }
    }
}

/// Calls this inside a pool: what it has made and not committed is let go of there.
pub(crate) fn pooled<C: Calls, T>(call: impl FnOnce() -> T) -> T {
    let (mut call, mut given) = (Some(call), None);
    C::pooled(&mut || given = call.take().map(|call| call()));
    given.unwrap_or_else(|| unreachable!("a pool calls what it is given"))
}

/// What hears of the end of a command buffer whose end is a time: where it was killed the host signals in its place, so
/// that the one behind it ends too. First: once the end is known the stream may go on, and its next time signals further.
pub(crate) fn let_go(ended: Ended, stamps: impl Signal + Send + 'static, value: u64) -> Ended {
    Box::new(move |end: End| {
        // While the process exits the device is left where it is.
        if let Some(_inside) = end.killed.as_ref().and_then(|_killed| Inside::enter()) {
            lift(&stamps, value);
        }
        ended(end);
    })
}
