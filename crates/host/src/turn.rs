//! A turn: the owner of a stream runs its items in order, until it has to stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{Running, Submission, Task, contain};
use syncpoint_core::{Cause, Error, Origin, Place, State};

use crate::buffer;
use crate::local::Local;
use crate::order::{Entry, Order, Step, Turn};
use crate::scheduler::Seat;
use crate::stream::HostStream;

/// How far a turn goes.
#[derive(Clone, Copy)]
pub(crate) enum Limit<'a> {
    /// A worker's: until the stream has had its share while others wait. The seat shows that the worker moves.
    Fair(&'a Seat),
    /// A helper's: to this value exactly. What comes after may wait for the helper itself.
    Upto(u64),
}

/// A stream gives way to ready ones after this many items.
const ITEMS: u32 = 64;

/// Or after this long.
const SHARE: Duration = Duration::from_micros(200);

/// What the owner does next, decided under the order lock.
enum Next {
    /// This item, which is passed.
    Run(u64, Entry),
    /// Nothing but its value: a wait is over.
    Pass(u64),
    /// The stream fails at this value: its wait has failed.
    Fail(u64, Error),
    /// Nothing: the stream rests, is parked, or gave way and is to be listed.
    Stop { list: bool },
}

/// Gives a stream that the caller owns its turn.
pub(crate) fn run(stream: &Arc<HostStream>, limit: Limit<'_>) {
    let mut share = Share::new(limit);
    loop {
        match next(stream, &mut share) {
            Next::Run(value, entry) => run_item(stream, value, entry, &mut share),
            Next::Pass(value) => stream.timeline.complete(value),
            Next::Fail(value, error) => stream.fail(Some(value), &error),
            Next::Stop { list } => {
                if list {
                    let scheduler = Arc::clone(&stream.scheduler);
                    scheduler.submit(Arc::clone(stream));
                }
                return;
            }
        }
    }
}

/// What is left of a turn.
struct Share<'a> {
    limit: Limit<'a>,
    items: u32,
    begin: Option<Instant>,
}

impl<'a> Share<'a> {
    fn new(limit: Limit<'a>) -> Self {
        Self { limit, items: 0, begin: None }
    }

    /// A function of the user's is about to run: only such can take long.
    fn note_function(&mut self) {
        if let Limit::Fair(seat) = self.limit {
            seat.tick();
            self.begin.get_or_insert_with(Instant::now);
        }
    }

    /// Whether the owner has to stop before the item of this value.
    fn is_used_up(&mut self, stream: &HostStream, value: u64) -> bool {
        match self.limit {
            Limit::Upto(last) => value > last,
            Limit::Fair(_) => {
                self.items += 1;
                let long = |begin: Instant| begin.elapsed() >= SHARE;
                stream.scheduler.has_waiting()
                    && (self.items > ITEMS || self.begin.is_some_and(long))
            }
        }
    }
}

fn next(stream: &Arc<HostStream>, share: &mut Share<'_>) -> Next {
    let mut order = stream.order();
    loop {
        let value = order.at();
        if order.front().is_none() {
            order.rest();
            return Next::Stop { list: false };
        }
        if share.is_used_up(stream, value) {
            order.state = Turn::Runnable;
            return Next::Stop { list: !std::mem::replace(&mut order.listed, true) };
        }
        if let Some(next) = try_front(stream, &mut order, value) {
            return next;
        }
    }
}

/// Looks at the front item. `None`: look again, something settled meanwhile.
fn try_front(stream: &Arc<HostStream>, order: &mut Order, value: u64) -> Option<Next> {
    let entry = order.front()?;
    match &mut entry.step {
        Step::Wait => try_wait(stream, order, value),
        Step::Until(instant) => {
            let instant = *instant;
            Some(try_until(stream, order, instant))
        }
        Step::Task(Task::Delay(duration)) => {
            let now = Instant::now();
            // An instant that no clock can tell is a century: nobody sees its end.
            entry.step = Step::Until(now.checked_add(*duration).unwrap_or(now + CENTURY));
            None
        }
        Step::Task(_) | Step::Stamp(_) => {
            let entry = order.pass()?;
            Some(Next::Run(value, entry))
        }
    }
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

fn try_wait(stream: &Arc<HostStream>, order: &mut Order, value: u64) -> Option<Next> {
    let edge = order.waits().front()?;
    let (timeline, awaited) = (edge.point.timeline(), edge.point.value());
    if timeline.is_known_complete(awaited) {
        order.pass_wait();
        return Some(Next::Pass(value));
    }
    match timeline.state_of(awaited) {
        State::Complete => {
            order.pass_wait();
            Some(Next::Pass(value))
        }
        State::Failed(error) => Some(Next::Fail(value, error)),
        _pending => {
            if !Arc::clone(stream).list_with(&edge.point) {
                return None;
            }
            order.state = Turn::Parked;
            Some(Next::Stop { list: false })
        }
    }
}

fn try_until(stream: &Arc<HostStream>, order: &mut Order, instant: Instant) -> Next {
    if Instant::now() >= instant {
        let value = order.at();
        order.pass();
        return Next::Pass(value);
    }
    match stream.scheduler.timer().wake_at(instant, Arc::clone(stream)) {
        Ok(()) => {
            order.state = Turn::Parked;
            Next::Stop { list: false }
        }
        Err(error) => Next::Fail(order.at(), error),
    }
}

fn run_item(stream: &HostStream, value: u64, entry: Entry, share: &mut Share<'_>) {
    let place = entry.place;
    let outcome = match entry.step {
        Step::Task(task) => run_task(stream, value, task, place, share),
        Step::Stamp(stamp) => {
            stamp.write(stream.scheduler.clock().now());
            Ok(())
        }
        Step::Wait | Step::Until(_) => Ok(()),
    };
    match outcome {
        Ok(()) => stream.timeline.complete(value),
        Err(error) => stream.fail(Some(value), &error),
    }
}

fn run_task(
    stream: &HostStream,
    value: u64,
    task: Task,
    place: Place,
    share: &mut Share<'_>,
) -> Result<(), Error> {
    let name = task.name();
    let outcome = match task {
        Task::Host(work) => run_function(stream, value, share, || work.run()),
        Task::Submit(submit) => {
            run_function(stream, value, share, || submit.call(&Submission::plain()))
        }
        Task::Fill(fill) => return buffer::fill(&fill),
        Task::Copy(copy) => return buffer::copy(&copy),
        Task::Open(opening) => {
            opening.open();
            return Ok(());
        }
        Task::Delay(_) => return Ok(()),
        _ => return Err(Error::unsupported(format!("the host has no {name}"))),
    };
    let origin =
        |error: Error| error.at(Origin::new(name, stream.timeline.to_string()).placed(place));
    outcome.map_err(|trouble| origin(trouble.into_error(stream)))
}

/// Why a function of the user's failed.
enum Trouble {
    Returned(Cause),
    Panicked(String),
}

impl Trouble {
    #[cold]
    fn into_error(self, stream: &HostStream) -> Error {
        match self {
            Self::Returned(cause) => Error::failed(format!(
                "work on {} failed: {cause}; look at its cause",
                stream.timeline
            ))
            .caused_by(cause),
            Self::Panicked(words) => Error::failed(format!(
                "work on {} panicked: {words}; mend the function",
                stream.timeline
            )),
        }
    }
}

/// Runs a function of the user's: no lock is held, what was set free is published, a panic ends the item only.
fn run_function(
    stream: &HostStream,
    value: u64,
    share: &mut Share<'_>,
    function: impl FnOnce() -> Result<(), Cause>,
) -> Result<(), Trouble> {
    Local::publish();
    share.note_function();
    let running = Running::enter(&stream.timeline, value);
    let outcome = contain(function);
    drop(running);
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(cause)) => Err(Trouble::Returned(cause)),
        Err(words) => Err(Trouble::Panicked(words)),
    }
}
