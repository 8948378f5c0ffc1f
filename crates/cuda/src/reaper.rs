//! The reaper: a thread for each context that ends what nobody has any more, because a drop calls no driver.

use std::sync::Arc;

use syncpoint_base::Inside;
use syncpoint_core::contract::{Import, Ours, Owner, contain};
use syncpoint_core::errands::{Errands, Sleep};

use crate::driver;
use crate::import;
use crate::staging::Staging;
use crate::sys::{
    Delay, Event, HostMemory, Memory, Primary, Refusal, SharedPage, Stream, Word, Words,
};
use crate::unheard;

/// What is left of something that was dropped.
#[derive(Debug)]
pub(crate) enum Remains {
    Event(Event),
    /// One of another process.
    Imported(Event, Arc<Import>),
    Stream(Stream),
    /// Memory, and the stream in whose order it is freed.
    Memory(Memory, Arc<Stream>),
    HostMemory(HostMemory),
    Staging(Staging),
    /// A page for which no device waits, and to which none writes.
    Page(SharedPage),
    /// Words for which no stream waits any more.
    Words(Vec<Word>),
    Delay(Delay),
    /// What kept something of others alive: its end is theirs.
    Owner(Owner),
    /// A name of a context that is broken.
    Name(Primary),
    /// A context that is broken, which has no user any more.
    Retention(Primary),
    /// The last of a context: its own stream, and its name.
    Context(Arc<Stream>, Primary),
}

/// Ends what is given until nothing comes any more.
pub(crate) fn serve(errands: &Errands<Remains>) {
    let (ours, mut relaxed) = (Ours::begin(), Relaxed::default());
    while let Some(given) = errands.take(Sleep::UntilGiven) {
        relaxed.ask();
        for remains in given {
            let inside = Inside::enter_or_rest();
            // What panics keeps nothing else from its end.
            if let Ok(Err(refusal)) = contain(|| remains.end()) {
                unheard::note(&refusal);
            }
            drop(inside);
            // What is others' may fork as it ends.
            ours.go_on();
        }
    }
}

/// Whether nothing that a thread of ours asks of the driver breaks anybody's capture.
#[derive(Default)]
pub(crate) struct Relaxed {
    is_so: bool,
    refusals: u32,
}

impl Relaxed {
    /// So often a driver is asked that refuses: for the length of some rounds of the poller, which a capture of another thread
    /// may have in its way. One that refuses longer knows of no such mode.
    const TRIES: u32 = 16;

    /// Sees to it: once, and again where the driver has refused it.
    pub(crate) fn ask(&mut self) {
        if self.is_so || self.refusals == Self::TRIES {
            return;
        }
        let Ok(driver) = driver::found() else { return };
        let _inside = Inside::enter_or_rest();
        self.is_so = driver.library().never_break_a_capture();
        self.refusals += u32::from(!self.is_so);
    }
}

impl Remains {
    fn end(self) -> Result<(), Refusal> {
        match self {
            Self::Event(event) => event.destroy(),
            Self::Imported(event, import) => import::close(event, &import),
            Self::Stream(stream) => stream.destroy(),
            Self::Memory(memory, stream) => memory.free(&stream),
            Self::HostMemory(memory) => memory.free(),
            Self::Staging(staging) => staging.end(),
            Self::Page(page) => page.end(),
            Self::Words(words) => Words::free(words),
            Self::Delay(delay) => delay.unload(),
            Self::Owner(owner) => {
                owner.end();
                Ok(())
            }
            Self::Name(primary) => primary.release(),
            Self::Retention(primary) => primary.release_broken(),
            Self::Context(transfers, primary) => {
                let destroyed = Arc::into_inner(transfers).map_or(Ok(()), Stream::destroy);
                let released = primary.release();
                destroyed.and(released)
            }
        }
    }
}
