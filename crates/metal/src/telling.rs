//! Telling: what a row has heard becomes completions, failures, and signals of the host's where the device has given none.

use std::sync::Arc;

use crate::calls::{Calls, Killed};
use crate::owed::Owed;
use crate::own::Own;
use crate::row::{News, Row};

/// A stream that is told of its ends.
pub(crate) trait Told {
    /// A shared event that the stream signals for others.
    type Event: Signal;

    fn row(&self) -> &Row;

    fn owed(&self) -> &Owed<Self::Event>;

    /// Everything up to this value is over, and complete where it has not failed.
    fn complete(&self, value: u64);

    /// The command buffer of this value was killed: it fails, unless it has failed with what was before it. Calls
    /// `let_through` once nobody finds the value complete any more, and before any waker.
    fn fail(&self, value: u64, killed: &Killed, let_through: impl FnOnce());

    /// [Lets through](let_through), unless the process exits.
    fn let_through(&self, value: u64);
}

/// A shared event, as whoever takes the device's place sees it.
pub(crate) trait Signal {
    /// How far it is.
    fn signaled(&self) -> u64;

    /// Has the host signal it.
    fn raise(&self, value: u64);
}

/// Tells all news of a stream, in the order of its values. By one thread at a time.
pub(crate) fn tell_all(stream: &impl Told) {
    loop {
        let news = stream.row().take();
        if news.is_empty() {
            return;
        }
        for news in &news {
            tell(stream, news);
        }
    }
}

fn tell(stream: &impl Told, news: &News) {
    match news {
        News::Came(value) => {
            stream.owed().forget(*value);
            stream.row().note_told(*value);
            stream.complete(*value);
        }
        News::Killed(value, killed) => {
            // Behind the failure and before wakers: whoever waits for the value on the device is let through at once, as one
            // that has failed.
            stream.fail(*value, killed, || stream.let_through(*value));
            stream.complete(*value);
        }
    }
}

/// Lets go whoever waits on a device for `value` of a stream, which has failed, or for what others were to be signalled up
/// to it.
pub(crate) fn let_through(
    (row, owed): (&Row, &Owed<impl Signal>),
    event: &impl Signal,
    value: u64,
) {
    // First: what the stream's own event lets through may signal others further.
    owed.pay(value);
    row.mend(value, || event.signaled(), |value| event.raise(value));
}

/// Signals for the device what it leaves where it is. Nobody else signals it meanwhile.
pub(crate) fn lift(event: &impl Signal, value: u64) {
    if event.signaled() < value {
        event.raise(value);
    }
}

impl<C: Calls> Signal for Own<C, C::Event> {
    fn signaled(&self) -> u64 {
        C::signaled(self)
    }

    fn raise(&self, value: u64) {
        C::raise(self, value);
    }
}

impl<E: Signal> Signal for Arc<E> {
    fn signaled(&self) -> u64 {
        (**self).signaled()
    }

    fn raise(&self, value: u64) {
        (**self).raise(value);
    }
}
