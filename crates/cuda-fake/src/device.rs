//! Devices: what they say of themselves, and the primary context of each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::code::{Code, Result};
use crate::context::{Context, Origin};
use crate::driver::Driver;
use crate::pretence;
use crate::sync::lock;
use crate::table::{Handle, next_handle};

/// One device.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) ordinal: i32,
    /// The memory pool that it has by itself.
    pub(crate) pool: Handle,
    /// What a program wants that pool to hold back. It is told again, and changes nothing.
    release_threshold: AtomicU64,
    primary: Mutex<Primary>,
}

/// The context that a process shares on a device, made with its first user and ended with its last.
#[derive(Debug)]
struct Primary {
    /// Stays the same when the context is made anew.
    handle: Handle,
    users: u32,
    flags: u32,
}

/// The name of every device, unless a script has another.
const NAME: &str = "syncpoint simulated CUDA device";

impl Device {
    pub(crate) fn new(ordinal: i32) -> Self {
        let primary = Primary { handle: next_handle(), users: 0, flags: 0 };
        let release_threshold = AtomicU64::new(0);
        Self { ordinal, pool: next_handle(), release_threshold, primary: Mutex::new(primary) }
    }

    pub(crate) fn release_threshold(&self) -> u64 {
        // Relaxed: a number, ordered with nothing.
        self.release_threshold.load(Ordering::Relaxed)
    }

    pub(crate) fn set_release_threshold(&self, bytes: u64) {
        // Relaxed: as above.
        self.release_threshold.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn name() -> String {
        let name = pretence::setting(|settings| settings.name.clone());
        if name.is_empty() { NAME.to_owned() } else { name }
    }

    /// Sixteen bytes that no hardware has, the last of which counts.
    pub(crate) fn uuid(&self) -> [u8; 16] {
        let mut bytes = *b"syncpoint fake \0";
        bytes[15] = u8::try_from(self.ordinal).unwrap_or(u8::MAX);
        bytes
    }

    /// Where the device would sit: each on a bus of its own.
    pub(crate) fn bus_id(&self) -> String {
        format!("0000:{:02X}:00.0", self.ordinal + 1)
    }

    pub(crate) fn memory() -> u64 {
        pretence::setting(|settings| settings.memory)
    }

    /// An attribute, of which a script may have its own opinion. Those that are not known are zero.
    pub(crate) fn attribute(&self, number: i32) -> Result<i32> {
        if !(1..=LAST_ATTRIBUTE).contains(&number) {
            return Err(Code::INVALID_VALUE);
        }
        if let Some(value) = pretence::setting(|settings| settings.attributes.get(&number).copied())
        {
            return Ok(value);
        }
        if number == PCI_BUS_ID {
            return Ok(self.ordinal + 1);
        }
        let known = ATTRIBUTES.iter().find(|(known, _)| *known == number);
        Ok(known.map_or(0, |(_, value)| *value))
    }

    /// Takes the primary context, made now if nobody has it.
    pub(crate) fn retain(&self, driver: &Driver) -> Result<Handle> {
        let mut primary = lock(&self.primary);
        if primary.users == 0 {
            drop(self.make(driver, &primary)?);
        }
        primary.users += 1;
        Ok(primary.handle)
    }

    /// Gives the primary context back; the last to do so ends it.
    pub(crate) fn release(&self, driver: &Driver) -> Result {
        let mut primary = lock(&self.primary);
        primary.users = primary.users.checked_sub(1).ok_or(Code::INVALID_CONTEXT)?;
        if primary.users > 0 {
            return Ok(());
        }
        driver.destroy_context(primary.handle)
    }

    /// Ends what was made in the primary context; its users go on with it, empty and whole.
    pub(crate) fn reset(&self, driver: &Driver) -> Result {
        let primary = lock(&self.primary);
        if primary.users == 0 {
            return Ok(());
        }
        driver.destroy_context(primary.handle)?;
        self.make(driver, &primary).map(drop)
    }

    fn make(&self, driver: &Driver, primary: &Primary) -> Result<Arc<Context>> {
        driver.make_context(self.ordinal, primary.flags, Origin::Primary(primary.handle))
    }

    pub(crate) fn set_flags(&self, driver: &Driver, flags: u32) {
        let mut primary = lock(&self.primary);
        primary.flags = flags;
        if let Ok(context) = driver.context(primary.handle) {
            context.set_flags(flags);
        }
    }

    /// The flags of the primary context, and whether somebody has it.
    pub(crate) fn state(&self) -> (u32, bool) {
        let primary = lock(&self.primary);
        (primary.flags, primary.users > 0)
    }
}

/// The last attribute of the version that the settings begin with.
const LAST_ATTRIBUTE: i32 = 143;

const PCI_BUS_ID: i32 = 33;

/// What the device is said to be: one that orders, times and copies well, of an architecture that programs know.
const ATTRIBUTES: &[(i32, i32)] = &[
    // Threads in a block, blocks in a grid, shared memory, registers.
    (1, 1024),
    (2, 1024),
    (3, 1024),
    (4, 64),
    (5, i32::MAX),
    (6, 65_535),
    (7, 65_535),
    (8, 49_152),
    (9, 65_536),
    // Threads in a warp, pitch, registers, clock in kHz, alignment.
    (10, 32),
    (11, i32::MAX),
    (12, 65_536),
    (13, 1_000_000),
    (14, 512),
    // Copies beside kernels, multiprocessors, mapped host memory.
    (15, 1),
    (16, 16),
    (19, 1),
    // Kernels at once, memory clock in kHz, bus width, second cache, threads of a multiprocessor.
    (31, 1),
    (36, 1_000_000),
    (37, 64),
    (38, 1 << 20),
    (39, 1024),
    // Two copy engines, one address space, compute capability 8.0, stream priorities.
    (40, 2),
    (41, 1),
    (51, 32),
    (75, 8),
    (76, 0),
    (78, 1),
    (81, 65_536),
    (82, 65_536),
    // Operations of streams on memory, the first interface and the second.
    (92, 1),
    (93, 1),
    (97, 49_152),
    // Memory of programs can be registered.
    (99, 1),
    (106, 16),
    (115, 1),
    (122, 1),
    (123, 1),
    (125, 1),
];
