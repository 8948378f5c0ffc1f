//! Streams of a device: how the hold queue gives one operation to Metal, and how its end is found out.

mod commit;

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use syncpoint_base::Inside;
use syncpoint_core::contract::{Copy, Fill, Line, Time};
use syncpoint_core::hold::{Driver, HeldStream, Need, Operation};
use syncpoint_core::{Error, Kind, Result, Timeline};

use crate::buffer::MetalBuffer;
use crate::calls::Calls;
use crate::code::no_room;
use crate::context::Context;
use crate::event::{Act, SharedEvent};
use crate::latch::Latch;
use crate::owed::Owed;
use crate::own::Own;
use crate::room::Room;
use crate::row::Row;
use crate::sync::{AtomicU64, OnceLock, Ordering};
use crate::telling;
use crate::time::Timed;
#[cfg(all(test, syncpoint_loom))]
pub(crate) use commit::let_go;
pub(crate) use commit::pooled;

/// The driver's side of one stream: its command queue, and its shared event, which has the stream's own values.
#[derive(Debug)]
pub(crate) struct MetalStream<C: Calls> {
    queue: Own<C, C::Queue>,
    event: Own<C, C::Event>,
    /// Made at the first timed record.
    stamps: OnceLock<SharedEvent<C>>,
    /// Four bytes that nobody reads, made then too. The stream's own: whatever writes there comes in its order, and Metal
    /// has each command buffer that writes to a buffer wait for those that did before, of whatever queue.
    scratch: OnceLock<Own<C, C::Memory>>,
    row: Arc<Row>,
    owed: Owed<SharedEvent<C>>,
    /// Of the stream, for whoever sleeps: that it has failed.
    timeline: Timeline,
    /// The command buffers that were committed, and the questions that were asked.
    calls: AtomicU64,
    context: Arc<Context<C>>,
}

/// Command buffers beyond those that are counted: users commit some too, inside `submit`.
const SPARE: usize = 64;

impl<C: Calls> MetalStream<C> {
    /// A stream of a device, with a queue of its own.
    ///
    /// # Errors
    /// `Exhausted`: there is no room for another.
    pub(crate) fn new(context: &Arc<Context<C>>, timeline: &Timeline) -> Result<Self> {
        let _inside = context.enter()?;
        let queue = context.calls().queue(context.limits().most + SPARE);
        let queue = queue.ok_or_else(|| no_room("a command queue", context.name()))?;
        Self::over(context, queue, Room::new(context.limits().most), timeline)
    }

    /// The same over a queue that is there already, with the room there that is ours.
    ///
    /// # Errors
    /// `Exhausted`: there is no room for its event.
    pub(crate) fn over(
        context: &Arc<Context<C>>,
        queue: C::Queue,
        room: Room,
        timeline: &Timeline,
    ) -> Result<Self> {
        let event = context.calls().event();
        let event = event.ok_or_else(|| no_room("a shared event", context.name()))?;
        let (queue, event) = (Own::new(queue), Own::new(event));
        let row = Arc::new(Row::new(room));
        let (stamps, scratch) = (OnceLock::new(), OnceLock::new());
        let (calls, owed) = (AtomicU64::new(0), Owed::new());
        let (timeline, context) = (timeline.clone(), Arc::clone(context));
        Ok(Self { queue, event, stamps, scratch, row, owed, timeline, calls, context })
    }

    pub(crate) fn context(&self) -> &Arc<Context<C>> {
        &self.context
    }

    pub(crate) fn queue(&self) -> &C::Queue {
        &self.queue
    }

    pub(crate) fn row(&self) -> &Arc<Row> {
        &self.row
    }

    pub(crate) fn owed(&self) -> &Owed<SharedEvent<C>> {
        &self.owed
    }

    /// Lets go whoever waits for the stream on a device, for good: the device is lost.
    pub(crate) fn let_go(&self) {
        let promised = self.row.promised();
        self.let_through(promised);
    }

    /// Lets go whoever waits on a device for `value`, which has failed, or for what others were to be signalled up to it.
    pub(crate) fn let_through(&self, value: u64) {
        // A thread that tells while the process exits tells nobody any more.
        let Some(_inside) = Inside::enter() else { return };
        telling::let_through((&self.row, &self.owed), &self.event, value);
    }

    fn fill(stream: &Arc<HeldStream<Self>>, value: u64, fill: &Fill) -> Result<()> {
        let span = &fill.target;
        let target = span.memory::<MetalBuffer<C>>().memory();
        let part = span.offset()..span.offset() + span.len();
        Self::give(stream, value, |_, commands| {
            stream.driver().context.fill(commands, target, part, fill.value)
        })
    }

    fn copy(stream: &Arc<HeldStream<Self>>, value: u64, copy: &Copy) -> Result<()> {
        let source = copy.source.memory::<MetalBuffer<C>>().memory();
        let target = copy.target.memory::<MetalBuffer<C>>().memory();
        let bytes = copy.target.len();
        let (from, to) = (copy.source.offset(), copy.target.offset());
        Self::give(stream, value, |_, commands| {
            stream.driver().context.copy(commands, (source, from), (target, to), bytes)
        })
    }

    fn wait_for(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        event: &C::Event,
        awaited: u64,
    ) -> Result<()> {
        Self::give(stream, value, |calls, commands| {
            calls.wait(commands, event, awaited);
            Ok(())
        })
    }
}

impl<C: Calls> Driver for MetalStream<C> {
    type Timer = Arc<Timed>;

    type Latch = Latch<C>;
    type Ordered = ();

    const SIGNALS_EACH: bool = true;

    const DELAYS: bool = false;

    const LIMITS_WAITS: bool = true;

    fn ordered(&self) {}

    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()> {
        match operation {
            Operation::Fill(fill) => Self::fill(stream, value, fill),
            Operation::Copy(copy) => Self::copy(stream, value, copy),
            Operation::Wait { stream: other, value: awaited } => {
                Self::wait_for(stream, value, &other.driver().event, awaited)
            }
            Operation::Stamp(timed) => Self::stamp(stream, value, timed),
            Operation::Mark => Self::give(stream, value, |_, _| Ok(())),
            Operation::Delay(_) => unreachable!("the host lets time pass"),
            Operation::Latch(latch) => {
                Self::wait_for(stream, value, latch.event(), Latch::<C>::OPEN)
            }
            // It would be signalled also where the call leaves the wait to the host.
            Operation::Call(_) => unreachable!("no point has a way of its own here"),
        }
    }

    fn comes_next(&self, value: u64) -> bool {
        self.row.comes_next(value)
    }

    fn has_room(&self) -> bool {
        self.row.room().is_there()
    }

    /// The thread that tells of ends calls the stream.
    fn await_room(&self) -> bool {
        self.row.room().is_there_or_awaited()
    }

    fn take_room(&self, need: Need) -> bool {
        self.row.room().take_for(need)
    }

    fn leave_room(&self) {
        self.row.room().leave_rest();
    }

    fn wait_for_room(&self, need: Need, deadline: Option<Instant>, line: &mut Line) -> Result<()> {
        self.context.check()?;
        self.sleep_for_room(need, deadline, line)
    }

    fn keep_room(&self) {
        self.row.room().keep_place();
    }

    fn use_room(&self) {
        self.row.room().take_kept();
    }

    fn timer(&self) -> Result<(Self::Timer, Time)> {
        self.context.check()?;
        let timed = Arc::new(Timed::new(self.context.name()));
        Ok((Arc::clone(&timed), Time::Driver(timed)))
    }

    fn native(&self) -> Option<&(dyn Any + Send + Sync)> {
        Some(&*self.queue)
    }

    fn lend(&self, call: &mut dyn FnMut()) -> Result<()> {
        self.context.check()?;
        self.row.note_others();
        C::pooled(call);
        Ok(())
    }

    fn act(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        act: &(dyn Any + Send + Sync),
    ) -> Result<()> {
        let act = act.downcast_ref::<Act<C>>();
        act.unwrap_or_else(|| unreachable!("nothing else is put")).carry_out(stream, value)
    }

    /// Later there may be no room for a mark, and nobody to be refused.
    fn marks_at_once(&self) -> bool {
        true
    }

    fn latch(&self) -> Result<Self::Latch> {
        Latch::new(&self.context)
    }

    fn release(_stream: &Arc<HeldStream<Self>>, latch: Self::Latch) {
        latch.open();
    }

    fn discover(stream: &Arc<HeldStream<Self>>, value: u64) {
        let driver = stream.driver();
        if !driver.context.is_usable() {
            return Self::expect(stream, value);
        }
        driver.count();
        let at = Inside::enter().map(|_inside| C::signaled(&driver.event));
        match at.map(|seen| (seen, driver.row.reached(seen))) {
            Some((_, Ok(reached))) => {
                stream.complete(reached);
                // A failure comes by the thread that tells alone.
                Self::expect(stream, value);
            }
            // From the first that is not complete on: whoever waits on the device may have been let through.
            Some((seen, Err(promised))) => stream.fail(1, &driver.astray(seen, promised)),
            None => {}
        }
    }

    /// Handlers tell of every end. One for which no thread could be made is told to who waits.
    fn expect(stream: &Arc<HeldStream<Self>>, _value: u64) {
        let context = &stream.driver().context;
        if !context.is_inherited() {
            context.hear_again();
        }
    }

    fn is_lost(&self) -> bool {
        self.context.is_lost()
    }

    fn calls(&self) -> u64 {
        // Relaxed: as in `count`.
        self.calls.load(Ordering::Relaxed)
    }

    fn waits_for_room(&self) -> u64 {
        self.row.room().sleeps()
    }
}

impl<C: Calls> MetalStream<C> {
    #[cold]
    fn astray(&self, seen: u64, promised: u64) -> Error {
        let message = format!(
            "the shared event of a stream of {} is at {seen}, and nothing beyond {promised} was committed; leave its \
             value to the stream",
            self.context.name()
        );
        Error::new(Kind::Driver, message)
    }
}
