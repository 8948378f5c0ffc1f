//! Pages of memory that processes share, and the lock by which one process sees that another lives.
//!
//! A page lies in a file that only its user may open. Everybody maps it and reads and writes atomics; what another
//! process writes there, garbage included, is a number and nothing worse. A [`Sign`] of life is a file with a *record
//! lock*, which the kernel takes off at once when its process ends in whatever way, also where a child of that process
//! still has the file open.

#[cfg(not(target_os = "linux"))]
mod absent;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub use absent::{Bell, Page, Sign, distinction, is_exhausted, listen, random, refusal};
#[cfg(target_os = "linux")]
pub use linux::{Bell, Page, Sign, distinction, is_exhausted, listen, random, refusal};

/// How many numbers a page has beside its bell: it is 4 KiB, the smallest page that a processor maps.
pub const NUMBERS: usize = 511;

/// How many bells a thread can listen to at once: the kernel's own limit.
pub const BELLS: usize = 128;
