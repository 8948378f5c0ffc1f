//! Memory of the double, and the kernels that write it.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread;

use syncpoint_metal::protocol::{Bytewise, Kernel};

use super::{Alive, Faults};

/// Bytes that threads of the double and the host share, until the last name of them is let go of.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(super) bytes: Arc<Mutex<Vec<u8>>>,
    _last: Arc<Last>,
    _alive: Alive,
}

impl Memory {
    pub(super) fn new(bytes: usize, faults: &Arc<Faults>, alive: Alive) -> Self {
        let bytes = Arc::new(Mutex::new(vec![0; bytes]));
        Self { bytes, _last: Arc::new(Last(Arc::clone(faults))), _alive: alive }
    }
}

/// Tells on which thread memory ends.
struct Last(Arc<Faults>);

impl Drop for Last {
    fn drop(&mut self) {
        let name = thread::current().name().unwrap_or("").to_owned();
        if let Some(told) = self.0.ends.lock().unwrap().as_ref() {
            told.send(name).unwrap_or(());
        }
    }
}

impl fmt::Debug for Last {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Last")
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        super::end_children();
    }
}

/// A place in memory.
pub(super) fn place(offset: u64, len: usize) -> Range<usize> {
    let start = usize::try_from(offset).unwrap();
    start..start + len
}

/// A kernel.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline(pub(super) Kernel, pub(super) Alive);

impl Pipeline {
    /// Calls `run` for the byte of each thread that has one, as the kernels do.
    pub(super) fn dispatch(
        bytewise: &Bytewise<'_, Self>,
        kernel: Kernel,
        mut run: impl FnMut(usize),
    ) {
        assert_eq!(bytewise.pipeline.0, kernel, "each has a kernel of its own");
        for piece in bytewise.pieces() {
            let has_one = |at: &u64| *at < piece.bytes;
            let threads = (0..piece.groups * piece.threads).filter(has_one);
            threads.for_each(|at| run(usize::try_from(piece.start + at).unwrap()));
        }
    }
}

/// A blit has them all at multiples of four.
#[track_caller]
pub(super) fn assert_even(bounds: &[u64]) {
    assert!(bounds.iter().all(|bound| bound.is_multiple_of(4)), "a blit with {bounds:?}");
}
