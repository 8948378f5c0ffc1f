//! The driver's events: made, recorded, asked and destroyed, each in the context that made it.

use std::ffi::c_uint;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint_core::EventOptions;

use super::code::Refusal;
use super::context::Primary;
use super::stream::Stream;
use super::types::{
    EVENT_BLOCKING, EVENT_INTERPROCESS, EVENT_TIMED, EVENT_UNTIMED, EventHandle, Exported,
    RECORD_EXTERNAL,
};

/// Whether an event notes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// It notes its time.
    Timed,
    /// It does not, and costs less.
    Untimed,
}

impl Timing {
    fn flags(self) -> c_uint {
        match self {
            Self::Timed => EVENT_TIMED,
            Self::Untimed => EVENT_UNTIMED,
        }
    }
}

/// An event of the driver's. Dropping it leaks it: a drop calls no driver. [`destroy`](Self::destroy) ends it.
#[derive(Debug)]
pub(crate) struct Event {
    primary: Primary,
    handle: EventHandle,
    timing: Timing,
}

impl Event {
    /// A new one.
    pub(crate) fn create(primary: &Primary, timing: Timing) -> Result<Self, Refusal> {
        Self::with_flags(primary, timing, 0)
    }

    /// A new one whose handle others will have, made for these options.
    pub(crate) fn for_others(primary: &Primary, options: EventOptions) -> Result<Self, Refusal> {
        let timing = if options.timing() { Timing::Timed } else { Timing::Untimed };
        let blocking = if options.blocking() { EVENT_BLOCKING } else { 0 };
        let interprocess = if options.interprocess() { EVENT_INTERPROCESS } else { 0 };
        Self::with_flags(primary, timing, blocking | interprocess)
    }

    /// A new one that other processes may open.
    pub(crate) fn shared(primary: &Primary) -> Result<Self, Refusal> {
        Self::with_flags(primary, Timing::Untimed, EVENT_INTERPROCESS)
    }

    /// As what other processes open one that was made for that.
    pub(crate) fn export(&self) -> Result<[u8; 64], Refusal> {
        let mut exported = Exported([0; 64]);
        let room = &raw mut exported;
        self.primary.within(|| {
            // SAFETY: the pointer is to an exported event, and the handle lives.
            unsafe { self.primary.library().table().export_event(room, self.handle) }
        })?;
        Ok(exported.0)
    }

    /// One of another process. It is to be destroyed here as one of our own.
    ///
    /// # Safety
    /// - The other process gave these bytes, and has not ended, nor destroyed the event, whenever this is used: the
    ///   driver leaves undefined what happens then (*documented*).
    pub(super) unsafe fn open(primary: &Primary, exported: [u8; 64]) -> Result<Self, Refusal> {
        let make = || {
            let (table, mut handle) = (primary.library().table(), EventHandle::NULL);
            // SAFETY: the pointer is to an event, and the bytes are what the driver gave, by the caller's duty.
            unsafe { table.open_event(&raw mut handle, Exported(exported)) }?;
            Ok(Self { primary: primary.clone(), handle, timing: Timing::Untimed })
        };
        primary.making(make, Self::destroy)
    }

    /// One that others made and destroy: it is not to be destroyed here.
    ///
    /// # Safety
    /// - The handle is an event of this context, for as long as the value is used.
    pub(super) unsafe fn of_others(primary: &Primary, handle: EventHandle) -> Self {
        Self { primary: primary.clone(), handle, timing: Timing::Untimed }
    }

    fn with_flags(primary: &Primary, timing: Timing, others: c_uint) -> Result<Self, Refusal> {
        let make = || {
            let (flags, mut handle) = (timing.flags() | others, EventHandle::NULL);
            // SAFETY: the pointer is to an event.
            unsafe { primary.library().table().create_event(&raw mut handle, flags) }?;
            Ok(Self { primary: primary.clone(), handle, timing })
        };
        primary.making(make, Self::destroy)
    }

    /// Whether it notes its time, where we made it.
    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }

    pub(super) fn handle(&self) -> EventHandle {
        self.handle
    }

    /// The address by which others know it.
    pub(crate) fn address(&self) -> usize {
        self.handle.0.expose_provenance()
    }

    /// Puts it into a capture as a record at every launch of the graph.
    pub(crate) fn record_at_launch(&self, stream: &Stream) -> Result<(), Refusal> {
        self.primary.near(|| {
            let table = self.primary.library().table();
            // SAFETY: both handles live: each is destroyed only with its owner, which is borrowed here.
            unsafe { table.record_with_flags(self.handle, stream.handle(), RECORD_EXTERNAL) }
        })
    }

    /// Puts it behind everything that the stream was given so far. Both are of one context.
    #[inline]
    pub(crate) fn record(&self, stream: &Stream) -> Result<(), Refusal> {
        stream.call(|| {
            // SAFETY: both handles live: each is destroyed only with its owner, which is borrowed here.
            unsafe { self.primary.library().table().record(self.handle, stream.handle()) }
        })
    }

    /// Whether the device has come to it.
    #[inline]
    pub(crate) fn query(&self) -> Result<bool, Refusal> {
        let asked = self.primary.near(|| {
            // SAFETY: the handle lives: it is destroyed only with its owner, which is borrowed here.
            unsafe { self.primary.library().table().query(self.handle) }
        });
        match asked {
            Ok(()) => Ok(true),
            Err(refusal) if refusal.is_not_ready() => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// The same where the caller's user did not ask: nothing that is captured beside it is disturbed.
    #[cold]
    pub(crate) fn query_unnoticed(&self) -> Result<bool, Refusal> {
        self.primary.unnoticed(|| self.query())
    }

    /// The milliseconds from `start` to this. The device has come to both, and both note their time.
    pub(crate) fn milliseconds_since(&self, start: &Self) -> Result<f32, Refusal> {
        let table = self.primary.library().table();
        let mut milliseconds = 0.0;
        let room = &raw mut milliseconds;
        let asked = self.primary.near(|| {
            // SAFETY: the pointer is to a float, and both handles live.
            unsafe { table.elapsed_only(room, start.handle, self.handle) }
        });
        match asked {
            Err(refusal) if refusal.is_missing() => self.primary.near(|| {
                // SAFETY: as above.
                unsafe { table.elapsed(room, start.handle, self.handle) }
            })?,
            outcome => outcome?,
        }
        Ok(milliseconds)
    }

    /// Waits on this thread until the device has come to it.
    pub(crate) fn settle(&self) -> Result<(), Refusal> {
        self.primary.unnoticed(|| settle(|| self.query()))
    }

    /// The same for at most so long. Says whether the device has come to it.
    pub(crate) fn settle_within(&self, longest: Duration) -> Result<bool, Refusal> {
        let begin = Instant::now();
        self.primary.unnoticed(|| {
            settle(|| Ok(self.query()? || begin.elapsed() > longest))?;
            self.query()
        })
    }

    /// Ends it. Where the device has not come to it yet the driver sees to it later (*documented*).
    pub(crate) fn destroy(self) -> Result<(), Refusal> {
        self.primary.end_near(|| {
            // SAFETY: the handle lives, and nobody has it any more.
            unsafe { self.primary.library().table().destroy_event(self.handle) }
        })
    }
}

/// Asks until the answer is yes. Sleeps between looks: no call of the driver's blocks.
pub(super) fn settle(ask: impl Fn() -> Result<bool, Refusal>) -> Result<(), Refusal> {
    let (begin, mut pause) = (Instant::now(), FIRST_PAUSE);
    while !ask()? {
        if begin.elapsed() < SPIN {
            std::hint::spin_loop();
            continue;
        }
        thread::park_timeout(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

/// How long one asks without a pause: about what the shortest pause takes with its two switches of threads, so that to ask
/// through costs at most twice what to pause at once would have.
pub(crate) const SPIN: Duration = Duration::from_micros(50);

/// The pause after that; each is twice the one before.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_micros(20);

/// The longest pause where nothing is expected: with what a timer and a wake take, a wait comes a millisecond late at most
/// when work has run for long. The poller pauses longer while nothing is expected yet (`pace`). A pause costs a
/// thread 25 µs of a core in a virtual machine (docs/costs.md).
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_micros(800);
