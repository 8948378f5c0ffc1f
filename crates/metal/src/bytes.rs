//! Fills and copies: blits where they lie on four bytes, as Metal wants them on macOS, and kernels of ours elsewhere.

use std::ops::Range;

use crate::calls::{Bytewise, Calls, Kernel, Piece, Refusal};
use crate::context::Context;
use crate::own::Own;
use crate::sync::OnceLock;

/// The kernels of a device, compiled with its first buffer.
#[derive(Debug)]
pub(crate) struct Kernels<C: Calls> {
    fill: Pipeline<C>,
    copy: Pipeline<C>,
    /// Whether they were asked for with a buffer: a compiler that refuses is not asked again with each.
    prepared: OnceLock<()>,
}

type Pipeline<C> = OnceLock<Own<C, <C as Calls>::Pipeline>>;

impl<C: Calls> Kernels<C> {
    pub(crate) fn new() -> Self {
        Self { fill: OnceLock::new(), copy: OnceLock::new(), prepared: OnceLock::new() }
    }
}

impl<C: Calls> Context<C> {
    /// Compiles what fills and copies need, the first time. Under no lock: the first fill comes under a stream's. What cannot
    /// be compiled now is asked for again by who needs it, and told then.
    pub(crate) fn prepare(&self) {
        // Who comes second waits until they are there: otherwise its first fill would compile them.
        self.kernels().prepared.get_or_init(|| {
            let _asked_again = self.pipeline(&self.kernels().fill, Kernel::Fill);
            let _asked_again = self.pipeline(&self.kernels().copy, Kernel::Copy);
        });
    }

    /// Fills bytes of a buffer, which lie inside, at any offset and of any number.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) fn fill(
        &self,
        commands: &mut C::Commands,
        memory: &C::Memory,
        part: Range<u64>,
        byte: u8,
    ) -> Result<(), Refusal> {
        if part.is_empty() {
            return Ok(());
        }
        if are_even(&[part.start, part.end]) {
            return pieces(part.end - part.start).try_for_each(|piece| {
                let piece = part.start + piece.start..part.start + piece.end;
                self.calls().fill(commands, memory, piece, byte)
            });
        }
        let pipeline = self.pipeline(&self.kernels().fill, Kernel::Fill)?;
        let bytewise = Bytewise { pipeline, bytes: part.end - part.start };
        self.calls().fill_bytes(commands, bytewise, (memory, part.start), byte)
    }

    /// Copies bytes, which lie inside and do not overlap, at any offsets and of any number.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) fn copy(
        &self,
        commands: &mut C::Commands,
        source: (&C::Memory, u64),
        target: (&C::Memory, u64),
        bytes: u64,
    ) -> Result<(), Refusal> {
        if bytes == 0 {
            return Ok(());
        }
        if are_even(&[source.1, target.1, bytes]) {
            return pieces(bytes).try_for_each(|piece| {
                let (from, to) = (source.1 + piece.start, target.1 + piece.start);
                let (source, target) = ((source.0, from), (target.0, to));
                self.calls().copy(commands, source, target, piece.end - piece.start)
            });
        }
        let pipeline = self.pipeline(&self.kernels().copy, Kernel::Copy)?;
        self.calls().copy_bytes(commands, Bytewise { pipeline, bytes }, source, target)
    }

    /// A kernel. Metal compiles for as long as it takes; only success is remembered, since a compiler may fail once.
    fn pipeline<'a>(
        &self,
        made: &'a Pipeline<C>,
        kernel: Kernel,
    ) -> Result<&'a C::Pipeline, Refusal> {
        if let Some(pipeline) = made.get() {
            return Ok(pipeline);
        }
        let pipeline = self.calls().pipeline(kernel)?;
        Ok(made.get_or_init(|| Own::new(pipeline)))
    }
}

/// Whether a blit may have these bounds.
fn are_even(bounds: &[u64]) -> bool {
    bounds.iter().all(|bound| bound.is_multiple_of(BLIT))
}

/// What the bounds of a blit are multiples of, on macOS (Apple's manual, *documented*).
const BLIT: u64 = 4;

/// Threads of a group: no device has fewer than this at a time.
const GROUP: u64 = 32;

/// So many bytes of one dispatch or blit: positions in a grid have 32 bits, and a blit of 4 GiB or more leaves bytes out
/// without a word (others have found so; Apple's manual names no limit). A multiple of [`BLIT`].
const PIECE: u64 = 1 << 30;

/// So many bytes, piece by piece: all of them, each once.
fn pieces(whole: u64) -> impl Iterator<Item = Range<u64>> {
    let starts = (0..whole.div_ceil(PIECE)).map(|index| index * PIECE);
    starts.map(move |start| start..whole.min(start.saturating_add(PIECE)))
}

impl<P> Bytewise<'_, P> {
    /// What is dispatched, one piece after the other: all bytes, each once.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> + use<P> {
        pieces(self.bytes).map(|piece| {
            let bytes = piece.end - piece.start;
            Piece { start: piece.start, bytes, groups: bytes.div_ceil(GROUP), threads: GROUP }
        })
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_blit_of_any_length_is_cut_into_pieces_that_metal_takes_whole() {
        assert_eq!(pieces(0).count(), 0);
        for whole in [4, PIECE, PIECE + 4, 4 * PIECE, 5 * PIECE + 8, 1 << 40] {
            let mut end = 0;
            for piece in pieces(whole) {
                assert_eq!(piece.start, end, "of {whole}");
                assert!(piece.start < piece.end && piece.end - piece.start <= 1 << 30, "{piece:?}");
                assert!(are_even(&[piece.start, piece.end]), "{piece:?} of {whole}");
                end = piece.end;
            }
            assert_eq!(end, whole);
        }
    }

    #[test]
    fn pieces_are_all_bytes_once_and_have_threads_for_each_that_a_grid_can_number() {
        for whole in [1, 31, 32, 33, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7] {
            let mut end = 0;
            for piece in (Bytewise { pipeline: &(), bytes: whole }).pieces() {
                let threads = piece.groups * piece.threads;
                assert_eq!(piece.start, end, "of {whole}");
                assert!(piece.bytes > 0 && threads >= piece.bytes, "{piece:?} of {whole}");
                assert!(threads - piece.bytes < piece.threads, "{piece:?} has groups in vain");
                assert!(threads <= 1 << 32, "{piece:?} numbers threads beyond 32 bits");
                end += piece.bytes;
            }
            assert_eq!(end, whole);
        }
    }
}
