//! Busy streams: work that blocks, in a way that no backend can see, until the test lets it go.

use std::sync::mpsc::{Receiver, Sender, channel};

use syncpoint::{Result, Stream};

use crate::patience::{heard, say};

/// Work that runs until this is dropped.
#[derive(Debug)]
pub struct Busy {
    let_go: Sender<()>,
}

impl Busy {
    /// Keeps a stream busy; returns once the work has begun.
    #[track_caller]
    pub fn on(stream: &Stream) -> Result<Self> {
        let (begun, wait_for_begin) = channel();
        let (let_go, wait_for_end) = channel();
        stream.enqueue(move || work_until(&begun, &wait_for_end))?;
        heard(&wait_for_begin, "the beginning of the work that keeps the stream busy");
        Ok(Self { let_go })
    }

    /// Lets the work end.
    pub fn let_go(self) {
        drop(self.let_go);
    }
}

fn work_until(begun: &Sender<()>, end: &Receiver<()>) {
    say(begun, ());
    // It ends when nobody is left who could let it go.
    let _let_go = end.recv();
}
