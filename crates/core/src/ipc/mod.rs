//! Events between processes: what an event has recorded, and what has become of it, on a page that processes share.
//!
//! Each record of an exported event is a *generation*, counted from 1. The exporter writes which was recorded last and
//! up to which all are settled; an importer reads that, and a thread of its own listens to the pages of all waits that
//! are pending. An importer has no points of the exporter's: what it waits for is a gate, which the listener opens.
//!
//! ```text
//! exporter                                importer
//! record: generation += 1                 wait: generation = recorded; settled already? else a gate,
//! its point settles: failed bit;                and the listener is given (page, generation, gate)
//!   settled = generation; ring the bell   listener: bells; for each: settled? open or fail the gate
//! dies: the kernel takes its lock off       every 50 ms: lock free and not settled? fail the gate
//! ```
//!
//! Who may do what: the files are readable and writable by their user alone. Another process of that user which writes
//! garbage on a page makes events seem complete, pending or failed, and does no other harm, except that cutting the
//! file short ends whoever reads the page by a signal.

mod export;
mod handle;
mod import;
mod ledger;
mod listener;
mod native;
mod owner;
mod recorded;
mod sweep;
mod words;

pub use handle::IpcHandle;
pub use import::Import;
pub use native::{DriversHandle, NativeExport, NativeOffer, ToRecord};
pub use words::SharedPage;

pub(crate) use export::{Export, export, exported_here};

use syncpoint_base::page;

use crate::error::{Error, Result};

/// Refuses where the machine cannot do it.
pub(crate) fn check() -> Result<()> {
    match page::refusal() {
        None => Ok(()),
        Some(reason) => Err(Error::unsupported(format!(
            "events cannot be shared between processes here: {reason}; order the processes by other means"
        ))),
    }
}
