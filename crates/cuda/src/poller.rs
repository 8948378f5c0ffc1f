//! The poller: a thread for each context that finds out how far the device is, while somebody waits for that.
//!
//! It asks events of each stream that it serves, the oldest first and then in leaps that grow, as long as the answer is
//! *complete*, and then pauses (`pace`). Whatever is new begins that row anew. Of the user's it runs wakers, observers and
//! the drops of what complete work kept, and nothing that it asks breaks a capture. What panics is over alone: a stream or
//! an event that it is asked about fails with those words, and all others are served on.

use std::fmt;
use std::sync::Arc;

use syncpoint_base::{Inside, end_sleeps_in_time};
use syncpoint_core::contract::{Ours, contain, discard};
use syncpoint_core::errands::Errands;
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Error, Gate};

use crate::anchor::Anchor;
use crate::context::{Context, domain};
use crate::event::{self, Native};
use crate::guarded::{Guard, Guarded};
use crate::import;
use crate::marks::Next;
use crate::pace::{Pace, Rhythm};
use crate::paged;
use crate::reaper::Relaxed;
use crate::stream::CudaStream;
use crate::sys::{Event, Meaning};

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
    /// Something is to be looked at when its time comes.
    Guard(Box<dyn Guard>),
    /// What a stream waits for on the device has failed in another process.
    Failed(Arc<import::Watch>),
    /// The same of what a stream stands before a latch for.
    Fallen(Arc<paged::Stands>),
}

/// Polls until nothing is pending for a while.
pub(crate) fn serve(errands: &Errands<Poll>) {
    let ours = Ours::begin();
    // Else a pause of 20 µs is one of 70.
    end_sleeps_in_time();
    let (mut watched, mut guarded) = (Watched::default(), Guarded::default());
    let (mut rhythm, mut home) = (Rhythm::default(), Home::default());
    let mut pace = rhythm.begin();
    loop {
        let sleep = if watched.is_empty() { guarded.sleep() } else { pace.sleep() };
        let Some(given) = errands.take(sleep) else { return };
        if !given.is_empty() {
            // When what is watched already comes is not known from now.
            pace = if watched.is_empty() { rhythm.begin() } else { Pace::new() };
        }
        home.relaxed.ask();
        for poll in given {
            // It may hold the last name of a stream, and with it errors of the user's.
            let _panicked = contain(|| accept(poll, &mut watched, &mut guarded));
            ours.go_on();
        }
        guarded.pass(ours);
        ours.go_on();
        if round(&mut watched, &mut home, ours) {
            rhythm.note(&pace);
            pace = rhythm.begin();
        }
    }
}

/// What is asked about.
#[derive(Default)]
struct Watched {
    streams: Vec<Watch>,
    events: Vec<(Native, Gate)>,
}

struct Watch {
    stream: Arc<HeldStream<CudaStream>>,
    asked: Asked,
}

/// Behind which value the event lies that was asked last.
#[derive(Default)]
struct Asked(Option<u64>);

impl Asked {
    /// The next question. Says whether the stream has come further since the last one: the first is no news.
    fn is_news(&mut self, value: u64) -> bool {
        let before = self.0.replace(value);
        before.is_some_and(|before| before != value)
    }
}

impl Watched {
    fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.events.is_empty()
    }

    /// Whoever waits while it is not on the list gives a stream.
    fn watch(&mut self, stream: Arc<HeldStream<CudaStream>>) {
        let is_new = stream.driver().marks().watch();
        if is_new {
            self.streams.push(Watch { stream, asked: Asked::default() });
        }
    }

    fn context(&self) -> Option<&Arc<Context>> {
        let of_stream = self.streams.first().map(|watch| watch.stream.driver().context());
        of_stream.or_else(|| self.events.first().map(|(native, _)| native.context()))
    }
}

fn accept(poll: Poll, watched: &mut Watched, guarded: &mut Guarded) {
    match poll {
        Poll::Watch(stream) => watched.watch(stream),
        Poll::Event(native, gate) => watched.events.push((native, gate)),
        Poll::Lose(context, error) => {
            let is_its = |stream: &CudaStream| Arc::ptr_eq(stream.context(), &context);
            domain().lose(is_its, &error);
        }
        Poll::Anchor(context) => {
            let _inside = Inside::enter_or_rest();
            // A broken context needs no anchor, and what else is wrong is told to who asks for a time.
            let _failed = context.asking().ask(|| Anchor::refresh(&context));
        }
        Poll::Guard(guard) => guarded.add(guard),
        Poll::Failed(watch) => watch.pass(),
        Poll::Fallen(stands) => stands.fall(),
    }
}

/// Asks for every stream and event. Says whether any had come further.
fn round(watched: &mut Watched, home: &mut Home, ours: Ours) -> bool {
    home.move_in(watched);
    let context = watched.context().cloned();
    // All of it: what is told of one keeps the questions about the others.
    let _at_it = context.as_ref().map(|context| context.asking().begin());
    let mut news = false;
    let over = watched.streams.extract_if(.., |watch| {
        let goes_on = contain(|| look(watch, ours, &mut news));
        let stays = goes_on.unwrap_or_else(|words| give_up(&watch.stream, &words));
        ours.go_on();
        !stays
    });
    // Whoever waited may have found it out first. It may be the last name of a stream, and of errors of the user's.
    let streams_over = over.map(discard).count();
    ours.go_on();
    let over = watched.events.extract_if(.., |(native, gate)| {
        let goes_on = contain(|| event::look(native, gate));
        let stays = goes_on.unwrap_or_else(|words| give_up_event(gate, &words));
        ours.go_on();
        !stays
    });
    news |= streams_over + over.map(discard).count() > 0;
    ours.go_on();
    if watched.is_empty() {
        home.move_out();
    }
    news
}

/// How the driver knows the poller's thread.
#[derive(Default)]
struct Home {
    /// The context that is current on it, while anything is asked.
    context: Option<Arc<Context>>,
    /// Whether nothing that it asks breaks a capture.
    relaxed: Relaxed,
}

impl Home {
    fn move_in(&mut self, watched: &Watched) {
        let Some(context) = watched.context().filter(|_| self.context.is_none()) else { return };
        let _inside = Inside::enter_or_rest();
        // Where it is refused each call sees to its context by itself.
        if context.asking().ask(|| context.primary().move_in()).is_ok() {
            self.context = Some(Arc::clone(context));
        }
    }

    fn move_out(&mut self) {
        let Some(context) = self.context.take() else { return };
        let _inside = Inside::enter_or_rest();
        // The thread has no context of its own to go back to.
        let _left = context.asking().ask(|| context.primary().move_out());
    }
}

/// Asks for one stream, and goes on while the device had come to what was asked. Says whether it is watched on.
fn look(Watch { stream, asked }: &mut Watch, ours: Ours, news: &mut bool) -> bool {
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
                *news |= asked.is_news(value);
                if let Some(stays) = ask(stream, (value, event), ours) {
                    return stays;
                }
            }
        }
    }
}

/// Whether a stream of a broken context is watched on: until it was told so, which is given to the poller too, since nobody
/// else may have it any more. That it failed before says nothing of what was given to the device before that.
fn awaits_the_loss(stream: &HeldStream<CudaStream>) -> bool {
    let awaits = !stream.is_told_lost();
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
    let inside = Inside::enter_or_rest();
    let driver = stream.driver();
    let answer = driver.context().asking().ask(|| driver.leap(oldest));
    drop(inside);
    match answer {
        Ok(true) => None,
        Ok(false) => Some(true),
        Err(refusal) if refusal.meaning() == Meaning::Capturing => Some(true),
        Err(refusal) => {
            stream.driver().context().refused(&refusal);
            if stream.driver().context().check().is_err() {
                return Some(awaits_the_loss(stream));
            }
            // First: whom the failure rouses may wait for the stream again, and put it on the list anew.
            stream.driver().marks().leave();
            CudaStream::was_refused(stream, &refusal);
            ours.go_on();
            Some(false)
        }
    }
}

/// Whether a stream over which the poller panicked is watched on: nobody knows of how far the device is, so it fails.
#[cold]
fn give_up(stream: &HeldStream<CudaStream>, words: &str) -> bool {
    let error = broken_down(stream.timeline(), words);
    let _again = contain(|| CudaStream::was_given_up(stream, &error));
    false
}

/// The same of an event that has no points.
#[cold]
fn give_up_event(gate: &Gate, words: &str) -> bool {
    // Nobody else settles it.
    let _once = contain(|| gate.fail(broken_down("an event of the driver's", words)));
    false
}

#[cold]
fn broken_down(of: impl fmt::Display, words: &str) -> Error {
    let message = format!(
        "the thread that asks how far the device is with {of} panicked: {words}; nobody knows of how far it is, so recover it \
         and do it again"
    );
    Error::failed(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_question_about_a_stream_is_no_news_of_it() {
        let mut asked = Asked::default();
        let news = [3, 3, 5, 5, 5, 6].map(|value| asked.is_news(value));
        assert_eq!(news, [false, false, true, false, false, true]);
    }
}
