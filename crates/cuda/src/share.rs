//! Sharing: the driver's event of an event that is exported, for which streams of other processes wait on their device.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use syncpoint_base::{PerProcess, Process};
use syncpoint_core::contract::{Item, NativeExport, NativeOffer, RawStream, Submit, Task};
use syncpoint_core::hold::{Driver, HeldStream};
use syncpoint_core::{Error, Event, Kind, Mode, Place, Result};

use crate::context::Context;
use crate::reaper::Remains;
use crate::stream::CudaStream;
use crate::sync::{Mutex, lock};
use crate::sys::{Event as DriversEvent, Refusal};

/// Whether streams of other processes can wait *on their device* for an event that this process exports: then they open
/// it with [`open_event`](crate::open_event). Otherwise they wait for it through the host, as for an event of any device.
///
/// # Errors
/// `Unsupported`: the event is no CUDA device's, or the driver shares no events; the message says why.
/// `Misuse(NotInterprocess)`: it was not exported.
pub fn shares_natively(event: &Event) -> Result<()> {
    event.is_shared_natively()
}

/// The driver's event, until importers have closed it.
struct Shared {
    /// There until the drop.
    event: Option<DriversEvent>,
    offer: Option<NativeOffer>,
    process: Process,
    context: Arc<Context>,
}

/// A name of it, for records on their way.
#[derive(Debug)]
struct Sharing(Arc<Shared>);

/// An event of the driver's that was dropped while importers had it open.
#[derive(Debug)]
struct Left {
    event: DriversEvent,
    offer: NativeOffer,
    /// An event lives no longer than its context.
    context: Arc<Context>,
}

/// What importers have not closed yet: looked at whenever an event is shared, or is shared no more. Guards the list.
static LEFT: PerProcess<Mutex<Vec<Left>>> = PerProcess::new(Mutex::default);

/// Makes the driver's event of an event that is exported, and offers it.
///
/// # Errors
/// `Unsupported`: the driver shares none. `DeviceLost`, `Exhausted`.
pub(crate) fn share(context: &Arc<Context>, offer: NativeOffer) -> Result<Arc<dyn NativeExport>> {
    context.check()?;
    end_what_was_left();
    let event = DriversEvent::shared(context.primary());
    let event = event.map_err(|refusal| not_shared(context, &refusal))?;
    let exported = event.export();
    let (context, process) = (Arc::clone(context), Process::current());
    let shared = Shared { event: Some(event), offer: Some(offer), process, context };
    let exported = exported.map_err(|refusal| not_shared(&shared.context, &refusal))?;
    shared.offer().publish(&exported);
    Ok(Arc::new(Sharing(Arc::new(shared))))
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
    fn event(&self) -> &DriversEvent {
        self.event.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
    }

    fn offer(&self) -> &NativeOffer {
        self.offer.as_ref().unwrap_or_else(|| unreachable!("it is taken by the drop alone"))
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
        let record = || self.event().record(driver.handle());
        let recorded = self.offer().record(generation, stream.timeline().id(), record);
        if let Err(refusal) = recorded {
            driver.context().refused(&refusal);
        }
    }
}

impl NativeExport for Sharing {
    fn record_on(&self, stream: &Arc<dyn RawStream>, generation: u64, place: Place) -> Result<()> {
        let Some(held) = held(stream) else { return Ok(()) };
        let shared = Arc::clone(&self.0);
        let submit = Submit::new(move |_| {
            shared.record(generation, &held);
            Ok(())
        });
        stream.put(Item { task: Task::Submit(submit), place }).map(drop)
    }
}

/// The stream as one of ours, if it is.
pub(crate) fn held(stream: &Arc<dyn RawStream>) -> Option<Arc<HeldStream<CudaStream>>> {
    let any: Arc<dyn Any + Send + Sync> = Arc::<dyn RawStream>::clone(stream);
    any.downcast().ok()
}

/// Ends what importers have closed since.
fn end_what_was_left() {
    let closed: Vec<Left> = lock(&LEFT).extract_if(.., |left| left.offer.withdraw()).collect();
    for left in closed.into_iter().filter(|left| left.context.is_usable()) {
        left.context.reap(Remains::Event(left.event));
    }
}

/// Nobody here records it any more, and every record of it has settled. Streams of importers may still stand before it:
/// until they have closed it, it lives on.
impl Drop for Shared {
    fn drop(&mut self) {
        // A child of a fork has a copy, and the page is the parent's.
        if !self.process.is_current() {
            return;
        }
        let (Some(event), Some(offer)) = (self.event.take(), self.offer.take()) else { return };
        lock(&LEFT).push(Left { event, offer, context: Arc::clone(&self.context) });
        end_what_was_left();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Shared({:?})", self.event)
    }
}
