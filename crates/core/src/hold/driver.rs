//! What a backend with a driver says of itself: how one operation is submitted, and how its completion is noticed.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::HeldStream;
use crate::contract::{Captured, Copy, Fill, Line};
use crate::error::{Error, Result};
use crate::time::Time;

/// The driver's side of one stream.
///
/// The hold queue calls [`submit`](Self::submit) for one stream at a time and in the order of values, which only grow.
/// The driver says how far it is by [`HeldStream::complete`], [`HeldStream::fail`] and
/// [`Domain::lose`](super::Domain::lose), from any thread, while it holds no lock of its own. It keeps the stream (the `Arc` that each call brings) for as long as
/// something of it is on its way: a stream whose owner is gone still finishes its work.
///
/// # How each family of drivers fits
///
/// - **Native events** (CUDA). An operation is a call on the driver's stream and says nothing when it is done, so
///   `SIGNALS_EACH` is false. A *mark* records a native event behind everything submitted, one that the device has passed
///   where there is one: the driver's timeline is the short queue of `(value, event)`. Every record of the user's is
///   a mark; work whose resources are kept is marked now and then. `Wait` looks up the other stream's first event at
///   or beyond the value, which nobody records anew meanwhile; none left means that it is complete, and nothing is
///   called. A stamp leases an event with timing, which is a mark as well, and its [`Timer`](Self::Timer) is that
///   lease. [`discover`](Self::discover) asks the event of the value, [`expect`](Self::expect) puts the stream on the
///   poller's list. Context of the call: made current by `submit`, restored before it returns.
/// - **Counters** (Vulkan, Metal). An operation is a batch or command buffer that signals its value on the stream's own
///   timeline semaphore or shared event, so `SIGNALS_EACH` is true and a mark, a batch of nothing but the signal, is asked for
///   only where a value passed without an operation, or its wait was deferred. `Wait` is a batch that waits for the value on
///   the other stream's semaphore, or goes with the next batch (`DEFERS_WAITS`). `discover` reads the counter. A value that
///   passed on the host (host work, a wait for another backend) is never signalled by itself: the next signal jumps over it.
///   On Metal a failed command buffer is told by `fail` *before* the host raises the shared event, so that whoever was let
///   through learns of it.
/// - **Sim** signals each operation from its event queue and has nothing to ask.
///
/// # What a driver promises
///
/// A value is said to be complete only when all operations of the stream up to it have ended and what they wrote is
/// visible. A failure is said before whoever waits natively for the value is let through. Once a device is said to be
/// lost, everything that other devices wait for natively on it is let go, and it touches no buffer any more.
pub trait Driver: Any + fmt::Debug + Send + Sync + Sized {
    /// What a timed record leases before it is submitted, which may be long after it was asked for.
    type Timer: fmt::Debug + Send + Sync;

    /// What the device stands before until the host lets it go on: for streams that others launch on too, which cannot
    /// be held on the host. [`Infallible`](std::convert::Infallible) where the driver has none.
    type Latch: fmt::Debug + Send + Sync;

    /// What the driver keeps of a stream under the order lock. Dropped after the driver's side of the stream.
    type Ordered: fmt::Debug + Send;

    /// Whether a wait for the stream that was waited for last has a way of its own, [`wait_again`](Self::wait_again).
    /// Not where every operation signals.
    const WAITS_AGAIN: bool = false;

    /// Whether every operation makes its value noticeable and can be waited for natively; otherwise marks do.
    const SIGNALS_EACH: bool;

    /// Whether a wait goes to the device with whatever is submitted behind it, where every other operation signals. Then it alone
    /// signals nothing: who sleeps for it, or records behind it, has a mark made. [`look`](Self::look) tells of it as well, since
    /// a query makes none.
    const DEFERS_WAITS: bool = false;

    /// Whether the driver keeps by itself what a fill or a copy works on, until it is over and whatever fails meanwhile, and
    /// each signals. Then the queue lets go of what goes to the driver at once.
    const KEEPS: bool = false;

    /// Whether the device lets time pass by itself. Otherwise a delay is host work: it begins when everything before it
    /// is complete, holds nothing but its own stream, and a thread of ours ends it. On a stream that others launch on the
    /// device stands before a latch meanwhile.
    const DELAYS: bool = true;

    /// Whether the device kills who waits on it for long. Then a stream that can be held on the host waits on the device only
    /// for what [comes next](Self::comes_next) on the other, and on the host for everything else.
    const LIMITS_WAITS: bool = false;

    /// What it keeps of a new stream under the order lock.
    fn ordered(&self) -> Self::Ordered;

    /// Submits one operation as `value`. May block where the driver's queue is full and it does not tell
    /// ([`has_room`](Self::has_room)). Called under the order lock.
    ///
    /// # Errors
    /// The driver's: then nothing was submitted. `Driver` or `Exhausted` fails the call that asked for it, or, where
    /// the operation was held, the stream.
    fn submit(
        stream: &Arc<HeldStream<Self>>,
        value: u64,
        operation: Operation<'_, Self>,
    ) -> Result<()>;

    /// As `submit` of a fill or a copy that the driver [keeps](Self::KEEPS), for the same reason as [`mark`](Self::mark).
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    #[inline]
    fn hand(stream: &HeldStream<Self>, value: u64, operation: Operation<'_, Self>) -> Result<()> {
        Self::submit(&stream.this(), value, operation)
    }

    /// As `submit` of a [`Mark`](Operation::Mark), which a program makes all the time, by whatever way is shorter. Asked of
    /// managed streams alone.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    #[inline]
    fn mark(stream: &HeldStream<Self>, _ordered: &mut Self::Ordered, value: u64) -> Result<()> {
        Self::submit(&stream.this(), value, Operation::Mark)
    }

    /// As `submit` of a [`Wait`](Operation::Wait) for `awaited` of another stream, for the same reason and of the same streams.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    #[inline]
    fn wait(
        stream: &HeldStream<Self>,
        _ordered: &mut Self::Ordered,
        value: u64,
        (other, awaited): (&Arc<HeldStream<Self>>, u64),
    ) -> Result<()> {
        Self::submit(&stream.this(), value, Operation::Wait { stream: other, value: awaited })
    }

    /// The same for the other stream of the last [`wait`](Self::wait) that was taken, of which `ordered` tells, and for a
    /// later value.
    /// `None`: nothing was called, and the other stream has to be asked. The wait is noted behind it.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    #[inline]
    fn wait_again(
        _stream: &HeldStream<Self>,
        _ordered: &mut Self::Ordered,
        _awaited: u64,
    ) -> Option<Result<()>> {
        None
    }

    /// Whether a wait of the device for `value`, which was signalled, lasts no longer than the one operation that signals it:
    /// everything before that has ended. Asked where [waits are limited](Self::LIMITS_WAITS), under the order lock of the
    /// stream that waits.
    #[inline]
    fn comes_next(&self, _value: u64) -> bool {
        true
    }

    /// Makes what delays need, once, where that takes long. Under no lock, before the delay is submitted, which may be
    /// never.
    ///
    /// # Errors
    /// The driver's: the delay is refused with it.
    fn prepare_delay(&self, _duration: Duration) -> Result<()> {
        Ok(())
    }

    /// Whether the driver has room for what one item of the user's takes, so that `submit` does not block. Asked under the
    /// order lock of a managed stream, which holds the item on the host where it has none.
    #[inline]
    fn has_room(&self) -> bool {
        true
    }

    /// Whether there is room after all. False: the driver calls [`HeldStream::go_on_in_room`] when there is, once. Called under
    /// the order lock.
    fn await_room(&self) -> bool {
        true
    }

    /// Takes room for an item of the user's on a stream that others launch on. False: there is none, and whoever puts the item
    /// [waits](Self::wait_for_room). Called under the order lock. What the item is submitted as finds its room there, whatever
    /// other streams take meanwhile.
    #[inline]
    fn take_room(&self, _need: Need) -> bool {
        true
    }

    /// Leaves what was [taken](Self::take_room) and was neither used nor [kept](Self::keep_room). Called as the order lock is
    /// about to be released, each time.
    #[inline]
    fn leave_room(&self) {}

    /// Sleeps until there is room or the stream has failed, on the caller's thread and under no lock. May wake early. Until `line` is dropped, this thread comes before who comes later: who sleeps is served in turn.
    ///
    /// # Errors
    /// `Exhausted`: there was none for long. `TimedOut`: nor until the caller's deadline; it says what is full. `DeviceLost`.
    fn wait_for_room(
        &self,
        _need: Need,
        _deadline: Option<Instant>,
        _line: &mut Line,
    ) -> Result<()> {
        Ok(())
    }

    /// A function of the user's begins that takes its value as it returns: of what was [taken](Self::take_room), room for the
    /// mark behind it is kept until then. Called under the order lock.
    fn keep_room(&self) {}

    /// It has returned, and its mark comes next, in the room that was kept. Called under the order lock.
    fn use_room(&self) {}

    /// What a timed record needs, and the time that its point will have.
    ///
    /// # Errors
    /// `Exhausted` or `Driver`.
    fn timer(&self) -> Result<(Self::Timer, Time)>;

    /// The raw handle that is lent to a function of `submit`. `None`: the function is ordinary host work.
    fn native(&self) -> Option<&(dyn Any + Send + Sync)> {
        None
    }

    /// Submits what the backend itself has put: the next operation, as `value`, which signals where each does, or a node of
    /// the capture that is under way, which has no value of its own. Under the order lock, but in a capture.
    ///
    /// # Errors
    /// The driver's: then nothing was submitted.
    fn act(
        _stream: &Arc<HeldStream<Self>>,
        _value: u64,
        _act: &(dyn Any + Send + Sync),
    ) -> Result<()> {
        Err(Error::unsupported("the driver has nothing of its own to do; leave it"))
    }

    /// Calls a function of the user's that submits by itself, once, with everything current on the thread that it needs,
    /// and leaves the thread as it was. Under no lock.
    ///
    /// # Errors
    /// The driver's: the function was not called, or the thread could not be left as it was. The stream fails with it.
    fn lend(&self, call: &mut dyn FnMut()) -> Result<()> {
        call();
        Ok(())
    }

    /// Whether what was submitted is marked at once, because it may not be later: others may capture the stream by then, or
    /// it is a default stream of the thread that submits. Asked of streams that others launch on.
    fn marks_at_once(&self) -> bool {
        false
    }

    /// A latch for a stream that others launch on too, closed.
    ///
    /// # Errors
    /// `Unsupported` where the device has none, with the remedy; `Exhausted` or `Driver`.
    fn latch(&self) -> Result<Self::Latch> {
        let message = "a stream that others launch on too cannot be held for this; wait with a stream made here, or \
            synchronize first";
        Err(Error::unsupported(message))
    }

    /// Opens a latch, or finds it open. Under no lock; a failure of the stream has been told before.
    fn release(_stream: &Arc<HeldStream<Self>>, _latch: Self::Latch) {}

    /// Whether everything that anybody launched on the stream has ended, with one call, under no lock. `None`: the driver
    /// cannot tell; it may not where operations do not signal, because a query marks nothing.
    ///
    /// # Errors
    /// The driver's.
    fn is_idle(&self) -> Option<Result<bool>> {
        None
    }

    /// Whether the stream is being captured by others into a graph: then what it is given runs at no time that anybody
    /// here knows. Asked of streams that others launch on, with each call of the user's.
    ///
    /// # Errors
    /// The driver's.
    fn is_capturing(&self) -> Result<bool> {
        Ok(false)
    }

    /// Records in the capture that is under way.
    ///
    /// # Errors
    /// The driver's.
    fn record_captured(&self) -> Result<Captured> {
        Err(Error::captured())
    }

    /// Waits for a record of a capture, on a stream that others may launch on.
    ///
    /// # Errors
    /// `Misuse(Capturing)`: it is no record of this driver's; the driver's.
    fn wait_captured(&self, _record: &Captured) -> Result<()> {
        Err(Error::captured())
    }

    /// Host work of this value has run. [`HeldStream::finish`] lets go what is behind it: now, or when the device's
    /// own time has come.
    fn ran(stream: &Arc<HeldStream<Self>>, _value: u64) {
        stream.finish();
    }

    /// Asks, with at most one call, how far the stream is, and says it by [`HeldStream::complete`]. Takes no lock that
    /// is held across another call to the driver.
    fn discover(_stream: &Arc<HeldStream<Self>>, _value: u64) {}

    /// As [`discover`](Self::discover), which a program that queries calls all the time, by whatever way is shorter.
    #[inline]
    fn look(stream: &HeldStream<Self>, value: u64) {
        Self::discover(&stream.this(), value);
    }

    /// As [`discover`](Self::discover) for who waits and named no query: it disturbs nothing that the thread does beside it with the driver.
    fn discover_unnoticed(stream: &Arc<HeldStream<Self>>, value: u64) {
        Self::discover(stream, value);
    }

    /// Somebody waits for `value`, which is signalled: the driver is to notice by itself when it comes to it. Asked
    /// again and again; quick.
    fn expect(_stream: &Arc<HeldStream<Self>>, _value: u64) {}

    /// A mark of what was submitted, or a question about it, was refused, and the stream has failed: what that uses is kept
    /// until the driver says by [`HeldStream::complete`] that it has come to [`HeldStream::submitted`], and for ever where
    /// it never does. Quick; under no lock of the stream's.
    fn leave_unnoticed(_stream: &Arc<HeldStream<Self>>) {}

    /// Where the device has no thread of its own: moves it on until `value` is settled or nothing moves, and wakes
    /// `sleeper` when something may move again. A backend with such a device calls `contract::set_driven` first.
    fn drive(_stream: &Arc<HeldStream<Self>>, _value: u64, _sleeper: &Waker) {}

    /// Whether the device is lost, and so touches nothing any more, as far as is known now: its streams may not have heard
    /// of it yet. Asked where a mark or a question was refused; `false` will do where none ever is.
    fn is_lost(&self) -> bool {
        false
    }

    /// How many driver calls were made for this stream.
    fn calls(&self) -> u64;

    /// How often somebody slept [until there was room](Self::wait_for_room).
    fn waits_for_room(&self) -> u64 {
        0
    }
}

/// What room is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver knows both; outside the semver promise")]
pub enum Need {
    /// An item that is given to the driver at once.
    Item,
    /// A function of the user's that takes its value as it returns: its mark. An item finds room still, which it may wait for.
    Function,
}

/// One operation of a driver.
#[expect(clippy::exhaustive_enums, reason = "a driver does every one; outside the semver promise")]
pub enum Operation<'a, D: Driver> {
    /// Fill part of a buffer with a byte. The buffers stay alive until the value is reached, unless the driver
    /// [keeps](Driver::KEEPS) them.
    Fill(&'a Fill),
    /// Copy part of a buffer.
    Copy(&'a Copy),
    /// Let time pass, where [`Driver::DELAYS`].
    Delay(Duration),
    /// Wait for a value of another stream of the domain that is signalled already.
    Wait {
        /// The other stream.
        stream: &'a Arc<HeldStream<D>>,
        /// Its value.
        value: u64,
    },
    /// Note the device's time. Signals in every family.
    Stamp(&'a D::Timer),
    /// Nothing but the signal of the value.
    Mark,
    /// Stand before a latch until the host opens it.
    Latch(&'a D::Latch),
    /// Call this, which submits by itself what it submits, if anything. Only of backends that give [`OwnWait`]s; one that
    /// signals each operation may not signal this where the call has submitted nothing.
    Call(&'a mut dyn FnMut() -> Result<()>),
}

/// How a backend's driver waits for what no stream of its domain signals: something of another process, say.
pub trait OwnWait<D: Driver>: fmt::Debug + Send + Sync {
    /// Has the driver hold back what the stream is given later, as `value`, until the point has come that was given with
    /// this. False: it cannot now, and the stream is held on the host. Where the driver may come to it although the point
    /// fails, or never comes to it, seeing to that is the backend's: by [`HeldStream::fail`].
    ///
    /// Called under the order lock, inside [`Driver::submit`].
    ///
    /// # Errors
    /// As [`Driver::submit`].
    fn wait(&self, stream: &Arc<HeldStream<D>>, value: u64) -> Result<bool>;
}

/// Whether the driver will tell when it comes to a wait for another stream.
#[inline]
pub(super) const fn signals_waits<D: Driver>() -> bool {
    const { assert!(D::SIGNALS_EACH || !D::DEFERS_WAITS, "what signals nothing defers nothing") };
    D::SIGNALS_EACH && !D::DEFERS_WAITS
}

impl<D: Driver> Operation<'_, D> {
    /// Whether the driver will tell when it comes to it.
    pub(super) fn signals(&self) -> bool {
        match self {
            Self::Stamp(_) | Self::Mark => true,
            Self::Wait { .. } => signals_waits::<D>(),
            _ => D::SIGNALS_EACH,
        }
    }
}

impl<D: Driver> fmt::Debug for Operation<'_, D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fill(fill) => fill.fmt(formatter),
            Self::Copy(copy) => copy.fmt(formatter),
            Self::Delay(duration) => write!(formatter, "Delay({duration:?})"),
            Self::Wait { stream, value } => {
                write!(formatter, "Wait({value} of {})", stream.timeline())
            }
            Self::Stamp(timer) => write!(formatter, "Stamp({timer:?})"),
            Self::Mark => formatter.write_str("Mark"),
            Self::Latch(latch) => write!(formatter, "Latch({latch:?})"),
            Self::Call(_) => formatter.write_str("Call"),
        }
    }
}
