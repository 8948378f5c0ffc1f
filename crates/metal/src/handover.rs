//! The hand-over: what handlers of Metal's are told on its threads becomes news on one of ours.
//!
//! A handler notes what it was told and gives the stream to this thread. Of the user's it runs nothing, and it drops
//! nothing that may be the last of its kind. This thread tells the timelines, in the order of their values: so of the
//! user's it runs wakers, observers and the drops of what complete work kept.

use std::sync::Arc;

use syncpoint_core::contract::Ours;
use syncpoint_core::errands::Errands;
use syncpoint_core::hold::HeldStream;

use crate::calls::{Calls, End, Ended, Killed};
use crate::event::SharedEvent;
use crate::owed::Owed;
use crate::row::Row;
use crate::stream::{MetalStream, pooled};
use crate::telling::{self, Told};
use crate::time::Timed;

/// What the thread is given: a stream whose row may have news, and a time that nobody else may have.
#[derive(Debug)]
pub(crate) struct Heard<C: Calls>(Arc<HeldStream<MetalStream<C>>>, Option<Arc<Timed>>);

/// What hears of the end of the command buffer of `value`. It keeps the stream: one whose owner is gone still finishes its
/// work.
pub(crate) fn ended<C: Calls>(
    stream: &Arc<HeldStream<MetalStream<C>>>,
    value: u64,
    timed: Option<&Arc<Timed>>,
) -> Ended {
    let (stream, timed) = (Arc::clone(stream), timed.cloned());
    Box::new(move |end: End| {
        // Before the row hears of it: who sees the point complete finds its time.
        if let Some(timed) = &timed {
            timed.note(end.seconds);
        }
        stream.driver().row().end(value, end.killed);
        // Not the context, which may end with the stream on the thread that is given it.
        let heard = Arc::clone(stream.driver().context().heard());
        heard.give(Heard(stream, timed), serve);
    })
}

/// Tells what was heard, until nothing is for a while.
pub(crate) fn serve<C: Calls>(errands: &Errands<Heard<C>>) {
    // What wakers and drops leave to the pool ends with each; where one forked, the pool is the parent's.
    errands.serve_each(|Heard(stream, timed), ours| {
        pooled::<C, _>(|| {
            tell_all(&stream, ours);
            drop((stream, timed));
            ours.go_on();
        });
    });
}

fn tell_all<C: Calls>(stream: &Arc<HeldStream<MetalStream<C>>>, ours: Ours) {
    // Before wakers of the user's: the device has less and less to do.
    if stream.driver().row().room().has_come() {
        stream.go_on_in_room();
    }
    telling::tell_all(&Telling { stream, ours });
}

/// A stream, and this thread's word that it is in the process which it began in: wakers may fork.
struct Telling<'a, C: Calls> {
    stream: &'a Arc<HeldStream<MetalStream<C>>>,
    ours: Ours,
}

impl<C: Calls> Told for Telling<'_, C> {
    type Event = SharedEvent<C>;

    fn row(&self) -> &Row {
        self.stream.driver().row()
    }

    fn owed(&self) -> &Owed<SharedEvent<C>> {
        self.stream.driver().owed()
    }

    fn complete(&self, value: u64) {
        self.stream.complete(value);
        self.ours.go_on();
    }

    fn fail(&self, value: u64, killed: &Killed, let_through: impl FnOnce()) {
        let error = self.stream.driver().context().killed(killed, self.ours);
        // Metal kills what is behind a failure too, and tells of each, maybe behind a recovery.
        if !self.stream.fail_pending_then(value, &error, let_through) {
            self.stream.count_later_failure(value, &error);
        }
        self.ours.go_on();
    }

    fn let_through(&self, value: u64) {
        self.stream.driver().let_through(value);
    }
}
