//! The importer's side of an event between processes.

use std::fmt;
use std::sync::Arc;

use syncpoint_base::page::Bell;

use super::handle::IpcHandle;
use super::ledger::{Ledger, Settled};
use super::listener;
use super::native::DriversHandle;
use super::owner::Peer;
use super::words::SharedPage;
use crate::device::Device;
use crate::error::{Error, Reason, Result};
use crate::event::{EventState, ForeignEvent};
use crate::gate::Gate;
use crate::place::Place;
use crate::point::{Point, State};
use crate::sync::process::{Mutex, lock};

/// An event of another process, as this one sees it.
pub struct Import {
    peer: Arc<Peer>,
    ledger: Arc<Ledger>,
    /// The id of the event that names it here.
    id: u64,
    device: Device,
    /// The gate of the latest generation that somebody here waits for, so that all share one. Guards nothing else.
    awaited: Mutex<Option<(u64, Point)>>,
}

impl Import {
    /// Finds the event of a handle.
    pub(crate) fn find(handle: &IpcHandle, id: u64, device: Device) -> Result<Arc<Self>> {
        super::check()?;
        let named = handle.named()?;
        let peer = Peer::find(named.owner)?;
        let page = peer.open_page(named.event)?;
        let ledger = Arc::new(Ledger::find(page, named.nonce).ok_or_else(not_the_page)?);
        Ok(Arc::new(Self { peer, ledger, id, device, awaited: Mutex::default() }))
    }

    pub(super) fn bell(&self) -> &Bell {
        self.ledger.bell()
    }

    /// The pending point that others here wait for already.
    fn known(&self, generation: u64) -> Option<Point> {
        let awaited = lock(&self.awaited);
        let same = awaited.as_ref().filter(|(other, _)| *other == generation);
        same.map(|(_, point)| point.clone()).filter(is_pending)
    }

    /// The latest generation, and a point that settles with it; `None` where there is nothing to wait for. Looks first at
    /// whether the other process lives.
    ///
    /// # Errors
    /// `Exhausted`: the thread that listens cannot be made.
    pub fn pending(self: &Arc<Self>, place: Place) -> Result<Option<(u64, Point)>> {
        let generation = self.ledger.recorded();
        let outcome = self.outcome(generation, true);
        if matches!(outcome, Some(Ok(()))) {
            return Ok(None);
        }
        // Once it is settled the point of others is too, but only as soon as the listener has looked.
        if outcome.is_none()
            && let Some(point) = self.known(generation)
        {
            return Ok(Some((generation, point)));
        }
        let gate = Gate::of_others(&format!("of event {}, imported", self.id), place);
        let point = gate.point();
        match outcome {
            Some(outcome) => settle(&gate, outcome),
            None => listener::add(Arc::clone(self), generation, gate)?,
        }
        let old = lock(&self.awaited).replace((generation, point.clone()));
        drop(old);
        Ok(Some((generation, point)))
    }

    /// What has become of a generation; `None` while it is pending. Before the first it is complete. Looks at whether
    /// the other process lives where it is told to.
    pub(super) fn outcome(&self, generation: u64, look: bool) -> Option<Result<()>> {
        let known = || self.ledger.outcome(generation).filter(|_| generation > 0);
        // In this order: a process may settle the generation and then end.
        let dead = look && known().is_none() && !self.peer.is_alive();
        match known() {
            Some(Settled::Complete) => Some(Ok(())),
            Some(Settled::Failed) => Some(Err(self.failed(generation))),
            Some(Settled::Forgotten) => Some(Err(self.forgotten(generation))),
            None if dead => Some(Err(self.dead())),
            None => (generation == 0).then_some(Ok(())),
        }
    }

    #[cold]
    fn failed(&self, generation: u64) -> Error {
        Error::failed(format!(
            "record {generation} of event {}, which another process exported, failed there; look for the cause in that \
             process",
            self.id
        ))
    }

    #[cold]
    fn forgotten(&self, generation: u64) -> Error {
        Error::failed(format!(
            "so many records came after record {generation} of imported event {} that nobody knows whether it failed; \
             wait more often",
            self.id
        ))
    }

    #[cold]
    fn dead(&self) -> Error {
        Error::failed(format!(
            "the process that exported event {} has ended, or exports nothing any more, and what it recorded last will \
             never be complete; start it anew and import again",
            self.id
        ))
    }
}

/// For backends that open an event of the exporter's driver, which is only used while the exporter lives.
impl Import {
    /// Whether the exporting process lives. Asks the kernel once.
    pub fn is_alive(&self) -> bool {
        self.peer.is_alive()
    }

    /// The handle of the driver's event, counted as open here until [`leave`](Self::leave).
    ///
    /// # Errors
    /// `Failed`: the exporting process has ended, or has ended the event. `Unsupported`: it offers none.
    pub fn enter(&self) -> Result<DriversHandle> {
        if !self.is_alive() {
            return Err(self.dead());
        }
        let handle = self.ledger.offered().ok_or_else(|| self.not_offered())?;
        if self.ledger.enter() { Ok(handle) } else { Err(self.ended()) }
    }

    /// Nothing of it waits on a device any more, and its handle is closed.
    pub fn leave(&self) {
        self.ledger.leave();
    }

    /// Calls `give` while who waits for the driver's event waits for this generation, and for all before it that are
    /// pending: the exporter does not record it meanwhile. `None`: who waited would wait for another one, or is to wait
    /// through the host because the exporter records it at this moment. What `give` does is to be short.
    pub fn while_recorded<T>(&self, generation: u64, give: impl FnOnce() -> T) -> Option<T> {
        self.ledger.give(generation, give)
    }

    /// Whether the exporter's device writes words to the page.
    pub fn has_words(&self) -> bool {
        self.ledger.has_words()
    }

    /// The page, for the device to reach.
    pub fn page(&self) -> SharedPage {
        SharedPage::new(&self.ledger)
    }

    /// Which number of the page the exporter's device raises to this generation as it comes to it, and not before. `None`:
    /// the device has not been given that, or others' records are still pending.
    pub fn word_of(&self, generation: u64) -> Option<usize> {
        self.ledger.word_of(generation)
    }

    /// Lets go whoever's device waits for a word up to a generation that is settled, all before it too, or will never be
    /// because its process has died: the device of one that failed may never write it. What is pending is left as it is.
    pub fn let_go(&self, word: usize, generation: u64) {
        if self.outcome(generation, true).is_some() {
            self.ledger.let_go(word, generation);
        }
    }

    #[cold]
    fn not_offered(&self) -> Error {
        Error::unsupported(format!(
            "event {}, imported, is shared without an event of a driver: it is no device's that has such, or the exporting \
             process's driver shares none; import it with import_event of the device, then streams wait for it through the host",
            self.id
        ))
    }

    #[cold]
    fn ended(&self) -> Error {
        Error::failed(format!(
            "the process that exported event {} has dropped it; keep the event for as long as others may import it",
            self.id
        ))
    }
}

impl ForeignEvent for Import {
    fn device(&self) -> &Device {
        &self.device
    }

    /// What has become of the latest generation. Asks the kernel at most once, and never blocks.
    fn state(&self) -> EventState {
        let generation = self.ledger.recorded();
        match self.outcome(generation, true) {
            Some(Err(error)) => EventState::Failed(error),
            _ if generation == 0 => EventState::NeverRecorded,
            Some(Ok(())) => EventState::Complete,
            None => EventState::Pending,
        }
    }

    /// A point that settles with the latest generation; `None` where there is nothing to wait for.
    fn awaited(self: Arc<Self>, place: Place) -> Result<Option<Point>> {
        Ok(self.pending(place)?.map(|(_, point)| point))
    }

    fn whose(&self) -> &'static str {
        "another process's"
    }
}

fn is_pending(point: &Point) -> bool {
    matches!(point.known(), State::Pending)
}

/// Opens or fails a gate that nobody else has.
pub(super) fn settle(gate: &Gate, outcome: Result<()>) {
    let settled = match outcome {
        Ok(()) => gate.open(),
        Err(error) => gate.fail(error),
    };
    // It is ours alone, so nobody settled it before.
    drop(settled);
}

#[cold]
fn not_the_page() -> Error {
    let message =
        "the handle names another event than the one that lies there; export and import anew";
    Error::misuse(Reason::StaleHandle, message)
}

impl fmt::Debug for Import {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Import(event {})", self.id)
    }
}
