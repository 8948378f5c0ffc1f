//! The poller: a thread for each context that finds out how far the device is, while somebody waits for that.
//!
//! It asks events of each stream that it serves, the oldest first and then in leaps that grow, as long as the answer is
//! *complete*, and then pauses: not at all for 50 µs, then for 20 µs, and twice as long each time, up to 800 µs. Whatever
//! is new begins that row anew. Of the user's it runs wakers, observers and the drops of what complete work kept, and
//! nothing that it asks breaks a capture.

use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_base::Inside;
use syncpoint_core::contract::Ours;
use syncpoint_core::errands::{Errands, Sleep};
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Error, Gate};

use crate::anchor::Anchor;
use crate::context::{Context, domain};
use crate::driver;
use crate::event::{self, Native};
use crate::import;
use crate::latch::Deadline;
use crate::marks::Next;
use crate::paged;
use crate::reaper::rest;
use crate::stream::CudaStream;
use crate::sys::{Event, FIRST_PAUSE, LONGEST_PAUSE, Meaning, SPIN};

/// What the poller is given.
#[derive(Debug)]
pub(crate) enum Poll {
    /// Somebody waits for a value of a stream.
    Watch(Arc<HeldStream<CudaStream>>),
    /// Somebody waits for an event that has no points: the gate is to be settled with it.
    Event(Native, Gate),
    /// The context is broken for good.
    Lose(Arc<Context>, Error),
    /// The anchor of absolute times has become old.
    Anchor(Arc<Context>),
    /// A stream stands before a latch, and not for ever.
    Guard(Deadline),
    /// What a stream waits for on the device has failed in another process.
    Failed(Arc<import::Watch>),
    /// The same of what a stream stands before a latch for.
    Fallen(Arc<paged::Stands>),
}

/// Polls until nothing is pending for a while.
pub(crate) fn serve(errands: &Errands<Poll>) {
    let ours = Ours::begin();
    if let Ok(driver) = driver::found() {
        driver.library().never_break_a_capture();
    }
    let (mut watched, mut guarded, mut pace) =
        (Watched::default(), Guarded::default(), Pace::new());
    let mut home = Home::default();
    loop {
        let sleep = if watched.is_empty() { guarded.sleep() } else { pace.sleep() };
        let Some(given) = errands.take(sleep) else { return };
        if !given.is_empty() {
            pace = Pace::new();
        }
        for poll in given {
            accept(poll, &mut watched, &mut guarded);
        }
        guarded.pass(ours);
        ours.go_on();
        if round(&mut watched, &mut home, ours) {
            pace = Pace::new();
        }
    }
}

/// What is asked about.
#[derive(Default)]
struct Watched {
    streams: Vec<Arc<HeldStream<CudaStream>>>,
    events: Vec<(Native, Gate)>,
}

impl Watched {
    fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.events.is_empty()
    }

    fn context(&self) -> Option<&Arc<Context>> {
        let of_stream = self.streams.first().map(|stream| stream.driver().context());
        of_stream.or_else(|| self.events.first().map(|(native, _)| native.context()))
    }
}

fn accept(poll: Poll, watched: &mut Watched, guarded: &mut Guarded) {
    match poll {
        Poll::Watch(stream) => watched.streams.push(stream),
        Poll::Event(native, gate) => watched.events.push((native, gate)),
        Poll::Lose(context, error) => {
            let is_its = |stream: &CudaStream| Arc::ptr_eq(stream.context(), &context);
            domain().lose(is_its, &error);
        }
        Poll::Anchor(context) => {
            let _inside = Inside::enter().unwrap_or_else(|| rest());
            // A broken context needs no anchor, and what else is wrong is told to who asks for a time.
            let _failed = Anchor::refresh(&context);
        }
        Poll::Guard(deadline) => guarded.add(deadline),
        Poll::Failed(watch) => watch.pass(),
        Poll::Fallen(stands) => stands.fall(),
    }
}

/// The latches that streams stand before.
#[derive(Default)]
struct Guarded(Vec<Deadline>);

/// So many that are open already are kept at least before they are looked through.
const SHORT: usize = 64;

impl Guarded {
    fn add(&mut self, deadline: Deadline) {
        if self.0.len() >= SHORT && self.0.len().is_power_of_two() {
            self.0.retain(Deadline::is_pending);
        }
        self.0.push(deadline);
    }

    /// Until the next deadline, where there is one.
    fn sleep(&mut self) -> Sleep {
        self.0.retain(Deadline::is_pending);
        let next = self.0.iter().map(|deadline| deadline.at).min();
        next.map_or(Sleep::UntilGiven, |at| {
            Sleep::For(at.saturating_duration_since(Instant::now()))
        })
    }

    /// Opens what has stood for too long.
    fn pass(&mut self, ours: Ours) {
        let now = Instant::now();
        self.0.retain_mut(|deadline| {
            let stays = deadline.at > now || deadline.pass();
            ours.go_on();
            stays
        });
    }
}

/// Asks for every stream and event. Says whether any had come further.
fn round(watched: &mut Watched, home: &mut Home, ours: Ours) -> bool {
    home.move_in(watched);
    let mut news = false;
    watched.streams.retain(|stream| look(stream, ours, &mut news));
    watched.events.retain(|(native, gate)| {
        let goes_on = event::look(native, gate);
        ours.go_on();
        news |= !goes_on;
        goes_on
    });
    if watched.is_empty() {
        home.move_out();
    }
    news
}

/// The context that is current on the poller's thread, while anything is asked.
#[derive(Default)]
struct Home(Option<Arc<Context>>);

impl Home {
    fn move_in(&mut self, watched: &Watched) {
        let Some(context) = watched.context().filter(|_| self.0.is_none()) else { return };
        let _inside = Inside::enter().unwrap_or_else(|| rest());
        // Where it is refused each call sees to its context by itself.
        if context.primary().move_in().is_ok() {
            self.0 = Some(Arc::clone(context));
        }
    }

    fn move_out(&mut self) {
        let Some(context) = self.0.take() else { return };
        let _inside = Inside::enter().unwrap_or_else(|| rest());
        // The thread has no context of its own to go back to.
        let _left = context.primary().move_out();
    }
}

/// Asks for one stream, and goes on while the device had come to what was asked. Says whether it is watched on.
fn look(stream: &Arc<HeldStream<CudaStream>>, ours: Ours, news: &mut bool) -> bool {
    loop {
        if stream.driver().context().check().is_err() {
            return awaits_the_loss(stream);
        }
        let next = stream.driver().marks().next();
        match next {
            Next::Leave => return false,
            Next::Tell(value) => {
                *news = true;
                stream.complete(value);
                ours.go_on();
            }
            Next::Ask(value, event) => {
                if let Some(stays) = ask(stream, (value, event), ours) {
                    return stays;
                }
            }
        }
    }
}

/// Whether a stream of a broken context is watched on: until it has failed, which is given to the poller too, since nobody
/// else may have it any more.
fn awaits_the_loss(stream: &HeldStream<CudaStream>) -> bool {
    let awaits = !stream.timeline().has_failed();
    if !awaits {
        stream.driver().marks().leave();
    }
    awaits
}

/// Asks the oldest event of a stream. Says whether the stream is watched on; `None`: the device has come further, which is
/// to be told.
fn ask(
    stream: &Arc<HeldStream<CudaStream>>,
    oldest: (u64, Arc<Event>),
    ours: Ours,
) -> Option<bool> {
    let inside = Inside::enter().unwrap_or_else(|| rest());
    let answer = stream.driver().leap(oldest);
    drop(inside);
    match answer {
        Ok(true) => None,
        Ok(false) => Some(true),
        Err(refusal) if refusal.meaning() == Meaning::Capturing => Some(true),
        Err(refusal) => {
            // First: whom the failure rouses may wait for the stream again, and put it on the list anew.
            stream.driver().marks().leave();
            CudaStream::was_refused(stream, &refusal);
            ours.go_on();
            Some(false)
        }
    }
}

/// How long the pauses are.
struct Pace {
    begun: Instant,
    pause: Duration,
}

impl Pace {
    fn new() -> Self {
        Self { begun: Instant::now(), pause: FIRST_PAUSE }
    }

    /// The next pause.
    fn sleep(&mut self) -> Sleep {
        if self.begun.elapsed() < SPIN {
            return Sleep::None;
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        Sleep::For(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let begun = Instant::now().checked_sub(SPIN).unwrap_or_else(Instant::now);
        let mut pace = Pace { begun, pause: FIRST_PAUSE };
        let pauses: Vec<_> = std::iter::repeat_with(|| pace.sleep())
            .filter(|sleep| *sleep != Sleep::None)
            .take(8)
            .collect();
        let micros = [20, 40, 80, 160, 320, 640, 800, 800];
        assert_eq!(pauses, micros.map(|micros| Sleep::For(Duration::from_micros(micros))));
    }
}
