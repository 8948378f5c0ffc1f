//! Handles: the name of an exported event, as bytes that any channel carries to another process.

use std::fmt;
use std::fs;
use std::io;
use std::str::FromStr;

use super::owner::cannot_share;
use crate::error::{Error, Reason, Result};
use crate::sync::process::{AtomicU64, Ordering};

/// The name of an exported event. 64 bytes, to be sent to another process on the same machine by whatever means: a
/// pipe, a file, an argument (as text, by `Display` and `FromStr`).
///
/// It says where the event is, and gives no rights: who may not open the exporter's files cannot import it.
///
/// # Examples
/// To text and back:
/// ```
/// # fn main() -> syncpoint::Result<()> {
/// use syncpoint::{EventOptions, IpcHandle};
///
/// let device = syncpoint::open("host:0")?;
/// if !device.capabilities().interprocess {
///     return Ok(());
/// }
/// let event = device.event_with(EventOptions::builder().interprocess().build()?)?;
/// let handle = event.export()?;
/// assert_eq!(handle.to_string().parse::<IpcHandle>()?, handle);
/// assert_eq!(IpcHandle::from_bytes(handle.as_bytes())?, handle);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IpcHandle([u8; LENGTH]);

const LENGTH: usize = 64;

/// How a handle begins: what it is, and the version of everything behind it.
const BEGIN: [u8; 8] = *b"SPEVENT1";

/// What a handle says. The numbers name a file; none is a length or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Named {
    /// The exporting process.
    pub(super) owner: OwnerName,
    /// The event.
    pub(super) event: u128,
    /// What the page of the event begins with, so that another file of its name is told apart.
    pub(super) nonce: u64,
}

/// The name of a process that exports. Its number and what tells it from others of its number are there to recognise the
/// own process, whose sign of life must not be opened, and say nothing to an importer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct OwnerName {
    pub(super) process: u32,
    pub(super) distinction: u32,
    pub(super) random: u64,
}

impl IpcHandle {
    /// # Errors
    /// The system's, where it does not say when the machine was started.
    pub(super) fn new(named: &Named) -> Result<Self> {
        let fields = [
            BEGIN,
            (u64::from(named.owner.process) << 32 | u64::from(named.owner.distinction))
                .to_le_bytes(),
            named.owner.random.to_le_bytes(),
            half(named.event, 0).to_le_bytes(),
            half(named.event, 64).to_le_bytes(),
            named.nonce.to_le_bytes(),
            boot()?.to_le_bytes(),
        ];
        let mut bytes = [0; LENGTH];
        for (place, field) in bytes.chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field);
        }
        let sum = sum(&bytes[..LENGTH - 8]);
        bytes[LENGTH - 8..].copy_from_slice(&sum.to_le_bytes());
        Ok(Self(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// A handle of bytes that came from another process. Looks at the bytes alone.
    ///
    /// # Errors
    /// `Misuse(StaleHandle)`: these bytes are no handle, or one of another version; the message says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Ok(bytes) = <[u8; LENGTH]>::try_from(bytes) else {
            return Err(bad(&format!("it has {} bytes instead of {LENGTH}", bytes.len())));
        };
        let handle = Self(bytes);
        if handle.0[..7] != BEGIN[..7] {
            return Err(bad("it does not begin as one"));
        }
        if handle.0[7] != BEGIN[7] {
            return Err(bad("it is of another version; use one version on both sides"));
        }
        if handle.field(7) != sum(&bytes[..LENGTH - 8]) {
            return Err(bad("its checksum is wrong"));
        }
        Ok(handle)
    }

    /// What the handle says.
    ///
    /// # Errors
    /// `Misuse(StaleHandle)`: it was made before the machine was started. The system's, as in `new`.
    pub(super) fn named(&self) -> Result<Named> {
        if self.field(6) != boot()? {
            return Err(bad("it was made on another machine, or before this one was started"));
        }
        let process = self.field(1);
        let owner = OwnerName {
            process: u32::try_from(process >> 32).unwrap_or(0),
            distinction: u32::try_from(process & u64::from(u32::MAX)).unwrap_or(0),
            random: self.field(2),
        };
        let event = u128::from(self.field(3)) | u128::from(self.field(4)) << 64;
        Ok(Named { owner, event, nonce: self.field(5) })
    }

    fn field(&self, index: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[index * 8..][..8]);
        u64::from_le_bytes(bytes)
    }
}

fn half(number: u128, shift: u32) -> u64 {
    u64::try_from(number >> shift & u128::from(u64::MAX)).unwrap_or(0)
}

#[cold]
fn bad(why: &str) -> Error {
    let message = format!(
        "this is no handle of an event: {why}; pass on what the exporting process gave, unchanged"
    );
    Error::misuse(Reason::StaleHandle, message)
}

/// A number for the time since the machine was started: what was exported before is gone. Without the file that tells it
/// 1, on both sides.
fn boot() -> Result<u64> {
    /// 0 until it was read. No lock: a fork may come in between.
    static BOOT: AtomicU64 = AtomicU64::new(0);
    const FILE: &str = "/proc/sys/kernel/random/boot_id";
    // Relaxed: who comes beside it reads again.
    let known = BOOT.load(Ordering::Relaxed);
    if known != 0 {
        return Ok(known);
    }
    let boot = match fs::read(FILE) {
        // Odd, so that it is not 0.
        Ok(id) => sum(&id) | 1,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 1,
        Err(error) => return Err(cannot_share(FILE.as_ref(), error)),
    };
    BOOT.store(boot, Ordering::Relaxed);
    Ok(boot)
}

/// FNV-1a: against bytes that were cut or changed by accident, not by intent.
fn sum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

impl fmt::Display for IpcHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl FromStr for IpcHandle {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digit =
            |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).take(LENGTH + 1).map(pair).collect();
        Self::from_bytes(&bytes.ok_or_else(|| bad("it has other signs than the digits 0 to f"))?)
    }
}

impl fmt::Debug for IpcHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "IpcHandle({self})")
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
#[expect(clippy::expect_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn handle() -> (Named, IpcHandle) {
        let owner = OwnerName { process: 7, distinction: 4_026_531_836, random: 11 };
        let named = Named { owner, event: u128::MAX - 5, nonce: 13 };
        (named, IpcHandle::new(&named).expect("the machine says when it was started"))
    }

    #[test]
    fn a_handle_says_what_was_put_in() {
        let (named, handle) = handle();
        assert_eq!(handle.named().ok(), Some(named));
        assert_eq!(IpcHandle::from_bytes(handle.as_bytes()).ok(), Some(handle));
        assert_eq!(handle.to_string().parse::<IpcHandle>().ok(), Some(handle));
    }

    #[test]
    fn every_changed_byte_and_every_other_length_is_refused() {
        let (_, handle) = handle();
        for place in 0..LENGTH {
            let mut bytes = *handle.as_bytes();
            bytes[place] ^= 1;
            assert!(IpcHandle::from_bytes(&bytes).is_err(), "byte {place}");
        }
        for length in (0..200).filter(|length| *length != LENGTH) {
            let bytes: Vec<u8> = handle.as_bytes().iter().copied().cycle().take(length).collect();
            assert!(IpcHandle::from_bytes(&bytes).is_err(), "{length} bytes");
        }
        for text in ["", "0", "zz", "spevent", &"é".repeat(64), &"0".repeat(4096)] {
            assert!(text.parse::<IpcHandle>().is_err(), "{text:?}");
        }
    }
}
