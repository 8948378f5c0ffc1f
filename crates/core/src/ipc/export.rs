//! The exporter's side of an event between processes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use syncpoint_base::{PerProcess, Process};

use super::handle::{IpcHandle, Named};
use super::ledger::Ledger;
use super::native::{NativeExport, NativeOffer};
use super::owner::{Owner, cannot_share, random, wide_random};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::event::{Event, Name, Shared};
use crate::graph;
use crate::place::Place;
use crate::point::{Point, State};
use crate::stream::Stream;
use crate::sync::process::{Mutex, lock};

/// What an exported event says to other processes.
///
/// It lives as long as its event, and as long as one of its generations is pending: also a dropped event tells who
/// imported it before what has become of its last record.
pub(crate) struct Export {
    owner: Arc<Owner>,
    named: Named,
    handle: IpcHandle,
    ledger: Arc<Ledger>,
    /// The event of the device's driver that importers may wait for, or why there is none.
    native: Result<Arc<dyn NativeExport>>,
    process: Process,
    /// Guards the order in which generations are settled on the page. A leaf.
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// The generation recorded last.
    recorded: u64,
    /// All up to this generation are settled.
    settled: u64,
    /// Later ones that are settled already, and whether they failed.
    ahead: BTreeMap<u64, bool>,
}

impl Export {
    /// Says that there is an event of this device; of what it names nothing yet.
    pub(crate) fn new(device: &Device) -> Result<Arc<Self>> {
        super::check()?;
        let owner = Owner::here()?;
        let refused = |error| cannot_share("the kernel".as_ref(), error);
        let (event, nonce) = (wide_random().map_err(refused)?, random().map_err(refused)?);
        let named = Named { owner: owner.name, event, nonce };
        let handle = IpcHandle::new(&named)?;
        let ledger = Arc::new(Ledger::begin(owner.make_page(event)?, nonce));
        let offer = NativeOffer::new(Arc::clone(&ledger), Arc::clone(&owner));
        let native = device.maker().and_then(|maker| maker.share(offer));
        let (process, progress) = (Process::current(), Mutex::default());
        Ok(Arc::new(Self { owner, named, handle, ledger, native, process, progress }))
    }

    /// What importers' streams may wait for on their device.
    ///
    /// # Errors
    /// Why there is nothing.
    pub(crate) fn native(&self) -> Result<&dyn NativeExport> {
        self.native.as_deref().map_err(Error::clone)
    }

    pub(crate) fn handle(&self) -> IpcHandle {
        self.handle
    }

    /// The event names another point from now on. Gives its generation, to be followed once no lock is held. Called
    /// under the lock of the event's name, so that generations are in the order of names.
    pub(crate) fn record(&self) -> u64 {
        let mut progress = lock(&self.progress);
        progress.recorded += 1;
        self.ledger.record(progress.recorded);
        progress.recorded
    }

    /// Writes down what becomes of the point of a generation.
    pub(crate) fn follow(self: &Arc<Self>, generation: u64, point: Point) {
        let followed = Arc::new(Followed { export: Arc::clone(self), generation, point });
        let point = &followed.point;
        let waker = Waker::from(Arc::clone(&followed));
        if point.outcome().is_some() || point.timeline().register(point.value(), waker).is_none() {
            followed.wake();
        } else {
            graph::expect(point);
        }
    }

    /// Records the driver's event too, where there is one, as a generation whose point is on a stream. Under no lock.
    pub(crate) fn record_natively(&self, generation: u64, stream: &Stream, place: Place) {
        if let Ok(native) = &self.native {
            // Importers wait through the host for what it was not recorded as, so a refusal harms nobody; what is wrong
            // with the stream is told to who records on it next.
            let _through_the_host = native.record_on(stream.raw(), generation, place);
        }
    }

    fn settle(&self, generation: u64, failed: bool) {
        let mut progress = lock(&self.progress);
        progress.ahead.insert(generation, failed);
        while let Some(failed) = progress.next() {
            self.ledger.settle(progress.settled, failed);
        }
        drop(progress);
        self.ledger.bell().ring();
    }
}

impl Progress {
    /// Whether the next generation failed, where it is settled.
    fn next(&mut self) -> Option<bool> {
        let failed = self.ahead.remove(&(self.settled + 1))?;
        self.settled += 1;
        Some(failed)
    }
}

/// The page stays with those who have it; nobody finds it any more.
impl Drop for Export {
    fn drop(&mut self) {
        if self.process.is_current() {
            lock(&EXPORTED).remove(&self.named.event);
            self.owner.remove_page(self.named.event);
        }
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Export({:?})", self.named)
    }
}

/// A generation on its way, as the waker of its point.
struct Followed {
    export: Arc<Export>,
    generation: u64,
    point: Point,
}

impl Wake for Followed {
    fn wake(self: Arc<Self>) {
        let failed = matches!(self.point.known(), State::Failed(_));
        self.export.settle(self.generation, failed);
    }
}

/// The events that this process exports: importing one here gives the event itself. Guards the table.
static EXPORTED: PerProcess<Mutex<BTreeMap<u128, Weak<Shared>>>> = PerProcess::new(Mutex::default);

/// Exports an event.
pub(crate) fn export(event: &Event, shared: &Arc<Shared>, name: &Name) -> Result<IpcHandle> {
    name.export(event, |device| {
        let export = Export::new(device)?;
        // Before anybody can have its handle.
        lock(&EXPORTED).insert(export.named.event, Arc::downgrade(shared));
        Ok(export)
    })
}

/// The event of a handle, if this process exports it.
pub(crate) fn exported_here(handle: &IpcHandle) -> Option<Arc<Shared>> {
    let event = handle.named().ok()?.event;
    lock(&EXPORTED).get(&event)?.upgrade()
}
