//! Bytes of memory that a device may write or read at the same moment.
//!
//! They are copied word by word with atomic operations, so that nothing is taken for granted of what others write meanwhile: a
//! byte is as it was before or after, and no compiler makes more of it than that.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const WORD: usize = size_of::<usize>();

/// Copies bytes out of memory, as they are now.
///
/// # Safety
/// So many bytes at `from` can be read as long as this takes, and no thread of this process writes them meanwhile.
#[expect(unsafe_code, reason = "the memory is known by its address")]
#[expect(clippy::cast_ptr_alignment, reason = "words begin where they are aligned")]
pub unsafe fn read_bytes(from: *const u8, into: &mut [u8]) {
    let (head, rest) = into.split_at_mut(before_words(from, into.len()));
    let (words, tail) = rest.as_chunks_mut::<WORD>();
    let (first, behind) = (from.wrapping_add(head.len()), head.len() + words.len() * WORD);
    // SAFETY: the caller's; these are the first of the bytes.
    unsafe { read_each(from, head) };
    for (index, word) in words.iter_mut().enumerate() {
        let at = first.cast::<usize>().wrapping_add(index).cast_mut();
        // SAFETY: the caller's; a word is aligned here.
        *word = unsafe { AtomicUsize::from_ptr(at) }.load(Ordering::Relaxed).to_ne_bytes();
    }
    // SAFETY: the caller's; these are the last of the bytes.
    unsafe { read_each(from.wrapping_add(behind), tail) };
}

/// Copies bytes into memory, now.
///
/// # Safety
/// As many bytes at `to` can be written as long as this takes, and no other thread of this process reads or writes them
/// meanwhile.
#[expect(unsafe_code, reason = "the memory is known by its address")]
#[expect(clippy::cast_ptr_alignment, reason = "words begin where they are aligned")]
pub unsafe fn write_bytes(to: *mut u8, from: &[u8]) {
    let (head, rest) = from.split_at(before_words(to, from.len()));
    let (words, tail) = rest.as_chunks::<WORD>();
    let (first, behind) = (to.wrapping_add(head.len()), head.len() + words.len() * WORD);
    // SAFETY: the caller's; these are the first of the bytes.
    unsafe { write_each(to, head) };
    for (index, word) in words.iter().enumerate() {
        let at = first.cast::<usize>().wrapping_add(index);
        // SAFETY: the caller's; a word is aligned here.
        unsafe { AtomicUsize::from_ptr(at) }.store(usize::from_ne_bytes(*word), Ordering::Relaxed);
    }
    // SAFETY: the caller's; these are the last of the bytes.
    unsafe { write_each(to.wrapping_add(behind), tail) };
}

/// How many of so many bytes lie before the first aligned word.
fn before_words(start: *const u8, bytes: usize) -> usize {
    start.align_offset(align_of::<usize>()).min(bytes)
}

#[expect(unsafe_code, reason = "as in `read_bytes`")]
unsafe fn read_each(from: *const u8, into: &mut [u8]) {
    for (index, byte) in into.iter_mut().enumerate() {
        // SAFETY: the caller's; a byte is aligned anywhere.
        *byte = unsafe { AtomicU8::from_ptr(from.wrapping_add(index).cast_mut()) }
            .load(Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "as in `write_bytes`")]
unsafe fn write_each(to: *mut u8, from: &[u8]) {
    for (index, byte) in from.iter().enumerate() {
        // SAFETY: the caller's; a byte is aligned anywhere.
        unsafe { AtomicU8::from_ptr(to.wrapping_add(index)) }.store(*byte, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte another than its neighbours.
    fn counted() -> [u8; 4 * WORD] {
        std::array::from_fn(|index| u8::try_from(index + 1).unwrap())
    }

    /// Each part of a few words, whichever way it lies to them.
    fn parts() -> impl Iterator<Item = std::ops::Range<usize>> {
        (0..=4 * WORD).flat_map(|begin| (begin..=4 * WORD).map(move |end| begin..end))
    }

    #[test]
    #[expect(unsafe_code, reason = "the functions on trial")]
    fn each_part_is_read_whole() {
        let memory = counted();
        for part in parts() {
            let mut read = vec![0; part.len()];
            // SAFETY: the part lies inside the memory.
            unsafe { read_bytes(memory[part.clone()].as_ptr(), &mut read) };
            assert_eq!(read, memory[part]);
        }
    }

    #[test]
    #[expect(unsafe_code, reason = "the functions on trial")]
    fn each_part_is_written_whole_and_nothing_beside_it() {
        for part in parts() {
            let (mut memory, from) = ([0; 4 * WORD], counted());
            // SAFETY: the part lies inside the memory.
            unsafe { write_bytes(memory[part.clone()].as_mut_ptr(), &from[part.clone()]) };
            let mut expected = [0; 4 * WORD];
            expected[part.clone()].copy_from_slice(&from[part]);
            assert_eq!(memory, expected);
        }
    }
}
