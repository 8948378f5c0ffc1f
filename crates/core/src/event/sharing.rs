//! Events that other processes import, and events that were imported from them.

use std::sync::Arc;

use syncpoint_base::Process;

use super::name::Name;
use super::{Event, ForeignEvent, Holder, tell_of_deletion};
use crate::device::Device;
use crate::error::{Error, Reason, Result};
use crate::event_options::EventOptions;
use crate::ipc::{self, Import, IpcHandle, NativeExport};
use crate::{id, inherited};

/// The name of an event that may be exported. Events that share it are one, with one id.
pub(crate) struct Shared {
    pub(super) id: u64,
    pub(super) options: EventOptions,
    pub(super) name: Name,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.name.is_of_this_process() {
            tell_of_deletion(self.id);
        }
    }
}

impl Event {
    /// The event of a handle, for use with a device: the exported event itself in its own process.
    pub(crate) fn import(device: &Device, handle: &IpcHandle) -> Result<Self> {
        Self::import_with(device, handle, |import| device.maker()?.import(import))
    }

    /// The same, of which a backend makes more than the page gives.
    #[doc(hidden)]
    pub fn import_with(
        device: &Device,
        handle: &IpcHandle,
        open: impl FnOnce(Arc<Import>) -> Result<Arc<dyn ForeignEvent>>,
    ) -> Result<Self> {
        device.check_process()?;
        let options = EventOptions::builder().interprocess().build()?;
        options.check(device.capabilities(), device)?;
        if let Some(shared) = ipc::exported_here(handle) {
            let (id, options, process) = (shared.id, shared.options, Process::current());
            return Ok(Self { id, options, holder: Holder::Shared(shared), process });
        }
        let id = id::next();
        let event = open(Import::find(handle, id, device.clone())?)?;
        Ok(Self::created(id, options, Holder::Foreign(event)))
    }

    /// What streams of other processes may wait for on their device, of this event, which was exported.
    ///
    /// # Errors
    /// Why there is nothing, and they wait through the host.
    #[doc(hidden)]
    pub fn shared(&self) -> Result<&dyn NativeExport> {
        self.name()?.exported().ok_or_else(|| self.not_exported())?.native()
    }

    #[cold]
    fn not_exported(&self) -> Error {
        let message = format!("{self} was not exported; export it first");
        Error::misuse(Reason::NotInterprocess, message)
    }

    /// Lets other processes of this machine import the event, by the handle that it gives; always the same one. The
    /// event belongs to a device and was made for it, with
    /// [`interprocess`](crate::EventOptionsBuilder::interprocess). For as long as it is kept it can be imported. Makes
    /// files; may block for the file system.
    ///
    /// An importer waits for the latest record and for all before it, also those on other streams: there the event is
    /// complete when everything is that was ever recorded under it.
    ///
    /// On CUDA an event of the driver's is made and recorded beside each point from now on, where the driver shares such
    /// (`syncpoint::cuda::shares_natively` says): for importers whose streams wait on their device. What was recorded
    /// before is waited for through the host. An exported event is not recorded on a stream that others capture.
    ///
    /// # Errors
    /// `Misuse(NotInterprocess)`: it was not made so. `Misuse(NotRecorded)`: it belongs to no device yet. `Unsupported`
    /// where the machine cannot, or for an imported event. `Unavailable` or `Exhausted` where no file can be made; the
    /// message names the folder.
    ///
    /// # Examples
    /// One process exports the event, and sends the 64 bytes of the handle to another in any way. That one imports it and waits:
    /// ```no_run
    /// # fn send(_bytes: &[u8]) {}
    /// # fn received() -> [u8; 64] { [0; 64] }
    /// # use syncpoint::{EventOptions, IpcHandle};
    /// # fn exporter() -> syncpoint::Result<()> {
    /// let device = syncpoint::open("host:0")?;
    /// let stream = device.stream()?;
    /// let ready = device.event_with(EventOptions::builder().interprocess().build()?)?;
    /// send(ready.export()?.as_bytes());
    /// stream.enqueue(|| { /* write what both processes share */ })?;
    /// ready.record(&stream)?; // keep `ready` for as long as the other process may import it
    /// # Ok(())
    /// # }
    /// # fn importer() -> syncpoint::Result<()> {
    ///
    /// // In the other process:
    /// let device = syncpoint::open("host:0")?;
    /// let stream = device.stream()?;
    /// let ready = device.import_event(&IpcHandle::from_bytes(&received())?)?;
    /// stream.wait_event(&ready)?;
    /// stream.enqueue(|| { /* read it */ })?;
    /// # Ok(())
    /// # }
    /// ```
    /// In the exporting process, a handle gives the event itself:
    /// ```
    /// # fn main() -> syncpoint::Result<()> {
    /// # use syncpoint::EventOptions;
    /// let device = syncpoint::open("host:0")?;
    /// if device.capabilities().interprocess {
    ///     let event = device.event_with(EventOptions::builder().interprocess().build()?)?;
    ///     let same = device.import_event(&event.export()?)?;
    ///     assert_eq!(event, same);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn export(&self) -> Result<IpcHandle> {
        inherited::check(self.process, self)?;
        match &self.holder {
            Holder::Shared(shared) => ipc::export(self, shared, &shared.name),
            Holder::Foreign(_) => Err(self.not_ours("exported")),
            Holder::Own(_) => {
                let message = format!(
                    "{self} was made for one process; make it with the option interprocess"
                );
                Err(Error::misuse(Reason::NotInterprocess, message))
            }
        }
    }

    #[cold]
    pub(super) fn not_ours(&self, what: &str) -> Error {
        let whose = self.whose();
        let message =
            format!("{self} is {whose} and cannot be {what} here; let whoever made it do that");
        Error::unsupported(message)
    }

    /// Whose it is, in words.
    pub(super) fn whose(&self) -> &'static str {
        match &self.holder {
            _ if !self.process.is_current() => "inherited by a fork",
            Holder::Foreign(event) => event.whose(),
            Holder::Own(_) | Holder::Shared(_) => "ours",
        }
    }

    /// Whether other processes may have a handle of it.
    pub(crate) fn is_exported(&self) -> bool {
        matches!(&self.holder, Holder::Shared(shared) if shared.name.is_exported())
    }
}
