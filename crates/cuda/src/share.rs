//! Sharing: the driver's event of an event that is exported, for which streams of other processes wait on their device.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{
    Item, NativeExport, NativeOffer, RawStream, Task, ToRecord, retire_in_drop,
};
use syncpoint_core::errands::Errands;
use syncpoint_core::hold::{Driver, Ground, HeldStream};
use syncpoint_core::{Error, Event, Kind, Mode, Place, Result};

use crate::context::Context;
use crate::event::Act;
use crate::guarded::{Guard, Looks};
use crate::latest::Latest;
use crate::poller::Poll;
use crate::reaper::{self, Remains};
use crate::stream::CudaStream;
use crate::sys::{Event as DriversEvent, Refusal, SharedPage, Stream};

/// Whether streams of other processes can wait *on their device* for an event that this process exports: then they open
/// it with [`open_event`](crate::open_event). Otherwise they wait for it through the host, as for an event of any device.
///
/// # Errors
/// `Unsupported`: the event is no CUDA device's, or the driver shares no events; the message says why.
/// `Misuse(NotInterprocess)`: it was not exported.
pub fn shares_natively(event: &Event) -> Result<()> {
    event.shared()?.check_handle()
}

/// Whether the device writes words with each record of an event that this process exports: then streams of other processes
/// that import it on a device with [`device_gates`](crate::Builder::device_gates) wait for those on their device.
///
/// The first 64 streams that record the event have a word, for its life: for records of others importers wait through the
/// host, and nobody is told.
///
/// # Errors
/// `Unsupported`: the event is no CUDA device's, or that was opened without gates, or the driver refuses; the message says
/// why. `Misuse(NotInterprocess)`: it was not exported.
pub fn shares_words(event: &Event) -> Result<()> {
    event.shared()?.check_words()
}

/// What importers' streams wait for on their device, until importers have let go of it.
struct Shared {
    /// There until the drop.
    parts: Option<Parts>,
    /// The latest record on each stream that has not come.
    records: Latest,
    context: Arc<Context>,
}

#[derive(Debug)]
struct Parts {
    /// The driver's event, or why there is none.
    event: Result<DriversEvent>,
    /// The page to which the device writes words, or why it does not.
    page: Result<SharedPage>,
    offer: NativeOffer,
}

/// A name of it, for records on their way.
#[derive(Debug)]
struct Sharing(Arc<Shared>);

/// An event of the driver's that was dropped while importers had it open, until they have closed it. It keeps its context,
/// for ever where an importer was killed.
#[derive(Debug)]
struct Left {
    /// There until it is ended.
    event: Option<DriversEvent>,
    offer: NativeOffer,
    /// An event lives no longer than its context.
    context: Arc<Context>,
    looks: Looks,
}

/// How often it is looked whether importers have closed an event, at first and at last: nobody waits for that, the event and
/// its context stay so long, and one that was killed never does.
const LOOK: Duration = Duration::from_millis(10);
const RARELY: Duration = Duration::from_secs(60);

/// A page to which the device may still write. Where nobody can find out until when, it is left to the device for ever: so it
/// holds nothing else of the context.
struct Written {
    page: Option<SharedPage>,
    ground: Arc<Ground>,
    reaper: Arc<Errands<Remains>>,
}

/// Makes what importers' streams wait for on their device, and offers it: an event of the driver's, and, where the device
/// was opened with gates, words that it writes to the page.
///
/// # Errors
/// `Unsupported`: the driver has neither. `DeviceLost`, `Exhausted`.
pub(crate) fn share(context: &Arc<Context>, offer: NativeOffer) -> Result<Arc<dyn NativeExport>> {
    context.check()?;
    let event = shared_event(context, &offer);
    let page = written_page(context, &offer);
    if page.is_err() {
        event.as_ref().map_err(Error::clone)?;
    }
    let parts = Some(Parts { event, page, offer });
    let shared = Shared { parts, records: Latest::default(), context: Arc::clone(context) };
    Ok(Arc::new(Sharing(Arc::new(shared))))
}

fn shared_event(context: &Arc<Context>, offer: &NativeOffer) -> Result<DriversEvent> {
    let refused = |refusal: Refusal| not_shared(context, &refusal);
    let event = DriversEvent::shared(context.primary()).map_err(refused)?;
    match event.export() {
        Ok(exported) => {
            offer.publish(&exported);
            Ok(event)
        }
        Err(refusal) => {
            context.reap(Remains::Event(event));
            Err(not_shared(context, &refusal))
        }
    }
}

fn written_page(context: &Arc<Context>, offer: &NativeOffer) -> Result<SharedPage> {
    let (primary, function) = (context.primary(), "cuStreamWriteValue64_v2");
    if context.gates().is_none() || !primary.library().has(function) {
        let message = format!(
            "{} writes no words for other processes: it needs device_gates, and {function} of the driver; they wait \
             through the host",
            context.name()
        );
        return Err(Error::unsupported(message));
    }
    let page = SharedPage::register(primary, offer.page());
    let page = page.map_err(|refusal| not_shared(context, &refusal))?;
    offer.publish_words();
    Ok(page)
}

#[cold]
fn not_shared(context: &Arc<Context>, refusal: &Refusal) -> Error {
    let cause = context.refused(refusal);
    if matches!(cause.kind(), Kind::DeviceLost | Kind::Exhausted) {
        return cause;
    }
    let message = format!(
        "streams of other processes cannot wait on their device for events of {}: {cause}; they wait through the host",
        context.name()
    );
    let error = Error::unsupported(message);
    match cause.code() {
        Some((code, name)) => error.with_code(code, name),
        None => error,
    }
}

impl Shared {
    fn parts(&self) -> &Parts {
        self.parts.as_ref().unwrap_or_else(|| unreachable!("they are taken by the drop alone"))
    }

    /// Records it at the end of a stream. Where the driver refuses, importers wait through the host; a refusal that breaks
    /// the context is noted.
    fn record(&self, generation: u64, stream: &HeldStream<CudaStream>) {
        let driver = stream.driver();
        // In a capture it would be a node of a graph, and recorded again by each launch.
        let is_plain = stream.mode() == Mode::Managed || matches!(driver.is_capturing(), Ok(false));
        if !is_plain || driver.context().check().is_err() {
            return;
        }
        let record = |to_record| self.parts().record(to_record, generation, driver.handle());
        let recorded = self.parts().offer.record(generation, stream.timeline().id(), record);
        if let Err(refusal) = recorded {
            driver.context().refused(&refusal);
        }
    }
}

impl Parts {
    fn record(&self, to_record: ToRecord, generation: u64, stream: &Stream) -> Result<(), Refusal> {
        if let (Ok(event), true) = (&self.event, to_record.event) {
            event.record(stream)?;
        }
        match (&self.page, to_record.word) {
            (Ok(page), Some(word)) => stream.write_number(page, word, generation),
            _ => Ok(()),
        }
    }
}

impl NativeExport for Sharing {
    fn check_handle(&self) -> Result<()> {
        self.0.parts().event.as_ref().map(drop).map_err(Error::clone)
    }

    fn check_words(&self) -> Result<()> {
        self.0.parts().page.as_ref().map(drop).map_err(Error::clone)
    }

    fn record_on(&self, stream: &Arc<dyn RawStream>, generation: u64, place: Place) -> Result<()> {
        let Some(held) = held(stream) else { return Ok(()) };
        let (shared, timeline) = (Arc::clone(&self.0), held.timeline().clone());
        let act = Act::new(move |_| {
            shared.record(generation, &held);
            Ok(())
        });
        let placed = stream.put(Item { task: Task::Native(Box::new(act)), place })?;
        self.0.records.note(timeline.point(placed.value));
        Ok(())
    }
}

/// The stream as one of ours, if it is.
pub(crate) fn held(stream: &Arc<dyn RawStream>) -> Option<Arc<HeldStream<CudaStream>>> {
    let any: Arc<dyn Any + Send + Sync> = Arc::<dyn RawStream>::clone(stream);
    any.downcast().ok()
}

impl Guard for Left {
    fn at(&self) -> Instant {
        self.looks.at()
    }

    fn is_pending(&self) -> bool {
        self.event.is_some()
    }

    fn pass(&mut self) -> bool {
        self.stays()
    }
}

impl Left {
    /// Ends the event if no importer has it open. Says whether it has to be looked at again.
    fn stays(&mut self) -> bool {
        if !self.context.is_usable() {
            return false;
        }
        if !self.offer.withdraw() {
            self.looks.pause();
            return true;
        }
        if let Some(event) = self.event.take() {
            self.context.reap(Remains::Event(event));
        }
        false
    }
}

/// Nobody here records it any more, and every record of it has settled. Streams of importers may still stand before the
/// event: until they have closed it, it lives on. Of records that have failed the device may still write the words.
impl Drop for Shared {
    fn drop(&mut self) {
        // A child of a fork has a copy, and the page is the parent's.
        if self.context.is_inherited() {
            return;
        }
        let Some(Parts { event, page, offer }) = self.parts.take() else { return };
        let (context, looks) = (Arc::clone(&self.context), Looks::begin(LOOK, RARELY));
        let mut left = Left { event: event.ok(), offer, context, looks };
        if left.stays() {
            self.context.poll(Poll::Guard(Box::new(left)));
        }
        let Ok(page) = page else { return };
        let records = self.records.take_pending();
        let (ground, reaper) =
            (Arc::clone(self.context.ground()), Arc::clone(self.context.reaper()));
        let written = Written { page: Some(page), ground, reaper };
        // Where nobody can be made to wait for that, it stays mapped.
        retire_in_drop(written, records);
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let Some(page) = self.page.take().filter(|_| !self.ground.is_inherited()) else { return };
        // Of a broken context nothing can be ended.
        let remains = match self.ground.check() {
            Ok(()) => Remains::Page(page),
            Err(_cause) => Remains::Name(page.leave()),
        };
        self.reaper.give(remains, reaper::serve);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Shared({:?})", self.parts)
    }
}
