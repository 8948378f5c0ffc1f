//! The driver: its devices, and the tables of everything that was made with it.

use std::sync::{Arc, PoisonError, RwLock};

use syncpoint_base::Process;

use crate::capture::Captures;
use crate::code::{Code, Result};
use crate::context::{Context, Origin};
use crate::device::Device;
use crate::event::Event;
use crate::graph::{Executable, Graph};
use crate::lane::Lane;
use crate::memory::Memory;
use crate::module::{Kernel, Module};
use crate::pretence;
use crate::table::{Handle, Table, next_handle};

/// What `cuInit` makes. One for the process, until it is forgotten.
#[derive(Debug)]
pub(crate) struct Driver {
    /// The host device whose streams do the work.
    pub(crate) host: syncpoint_core::Device,
    pub(crate) devices: Vec<Device>,
    pub(crate) contexts: Table<Context>,
    /// The context of each green one.
    pub(crate) greens: Table<Context>,
    pub(crate) streams: Table<Lane>,
    pub(crate) events: Table<Event>,
    pub(crate) graphs: Table<Graph>,
    pub(crate) executables: Table<Executable>,
    pub(crate) captures: Captures,
    pub(crate) modules: Table<Module>,
    pub(crate) kernels: Table<Kernel>,
    pub(crate) memory: Memory,
    process: Process,
}

static DRIVER: RwLock<Option<Arc<Driver>>> = RwLock::new(None);

/// The driver, once it is initialised: by this process, for a child has to go without.
pub(crate) fn driver() -> Result<Arc<Driver>> {
    let driver = DRIVER.read().unwrap_or_else(PoisonError::into_inner);
    driver
        .as_ref()
        .filter(|driver| driver.process.is_current())
        .cloned()
        .ok_or(Code::NOT_INITIALIZED)
}

/// Makes the driver, unless there is one.
pub(crate) fn initialize() -> Result {
    let mut driver = DRIVER.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(driver) = driver.as_ref() {
        return if driver.process.is_current() { Ok(()) } else { Err(Code::NOT_INITIALIZED) };
    }
    let count = pretence::setting(|settings| settings.devices);
    if count <= 0 {
        return Err(Code::NO_DEVICE);
    }
    syncpoint_base::watch_exit();
    *driver = Some(Arc::new(Driver::new(count)));
    Ok(())
}

/// Forgets the driver and everything that was made with it.
pub(crate) fn forget() {
    let driver = DRIVER.write().unwrap_or_else(PoisonError::into_inner).take();
    for context in driver.iter().flat_map(|driver| driver.contexts.all()) {
        context.end();
    }
}

impl Driver {
    fn new(count: i32) -> Self {
        Self {
            host: syncpoint_host::open("cuda-fake"),
            devices: (0..count).map(Device::new).collect(),
            contexts: Table::default(),
            greens: Table::default(),
            streams: Table::default(),
            events: Table::default(),
            graphs: Table::default(),
            executables: Table::default(),
            captures: Captures::default(),
            modules: Table::default(),
            kernels: Table::default(),
            memory: Memory::default(),
            process: Process::current(),
        }
    }

    /// The device of a number that a program gave.
    pub(crate) fn device(&self, ordinal: i32) -> Result<&Device> {
        let index = usize::try_from(ordinal).map_err(|_| Code::INVALID_DEVICE)?;
        self.devices.get(index).ok_or(Code::INVALID_DEVICE)
    }

    pub(crate) fn context(&self, handle: Handle) -> Result<Arc<Context>> {
        self.contexts.get(handle).ok_or(Code::INVALID_CONTEXT)
    }

    pub(crate) fn event(&self, handle: Handle) -> Result<Arc<Event>> {
        self.events.get(handle).ok_or(Code::INVALID_HANDLE)
    }

    /// Makes a context and gives it a handle.
    pub(crate) fn make_context(
        &self,
        device: i32,
        flags: u32,
        origin: Origin,
    ) -> Result<Arc<Context>> {
        let context = Context::new(self, device, flags, origin)?;
        self.contexts.insert_at(context.handle, Arc::clone(&context));
        Ok(context)
    }

    /// Makes a green context, which has the primary one of its device until it is destroyed.
    pub(crate) fn make_green(&self, device: &Device) -> Result<Handle> {
        let (green, primary) = (next_handle(), device.retain(self)?);
        let context = self.make_context(device.ordinal, 0, Origin::Green { green, primary });
        let context = context.inspect_err(|_| {
            // It was retained above, so it can be released.
            let _released = device.release(self);
        })?;
        self.greens.insert_at(green, context);
        Ok(green)
    }

    /// Ends a context and everything that was made in it.
    pub(crate) fn destroy_context(&self, handle: Handle) -> Result {
        let context = self.contexts.remove(handle).ok_or(Code::INVALID_CONTEXT)?;
        context.end();
        self.captures.forget(handle);
        drop(self.graphs.remove_where(|graph| graph.context == handle));
        drop(self.executables.remove_where(|executable| executable.graph.context == handle));
        drop(self.streams.remove_where(|lane| lane.context == handle));
        drop(self.events.remove_where(|event| event.context == handle));
        drop(self.modules.remove_where(|module| module.context == handle));
        drop(self.kernels.remove_where(|kernel| kernel.context == handle));
        self.memory.forget(handle);
        Ok(())
    }

    /// Lets every stream that stalls go on.
    pub(crate) fn release_stalled(&self) {
        for lane in self.streams.all() {
            lane.release();
        }
    }

    /// How many objects of a kind live, the kind in the plural as in the README.
    pub(crate) fn alive(&self, kind: &str) -> Option<usize> {
        let counts = [
            ("contexts", self.contexts.len()),
            ("streams", self.streams.len()),
            ("events", self.events.len()),
            ("graphs", self.graphs.len() + self.executables.len()),
            ("modules", self.modules.len()),
            ("memory", self.memory.len()),
        ];
        if kind == "blocking events" {
            return Some(self.events.count(Event::is_blocking));
        }
        if kind == "timed events" {
            return Some(self.events.count(Event::is_timed));
        }
        if kind == "all" {
            return Some(counts.iter().map(|(_, count)| count).sum());
        }
        counts.iter().find(|(known, _)| *known == kind).map(|(_, count)| *count)
    }
}
