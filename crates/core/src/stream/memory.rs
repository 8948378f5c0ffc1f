//! Filling and copying buffers in the order of a stream.

use std::ops::Range;

use syncpoint_trace::{Access, Operation, Work as WorkKind};

use crate::buffer::{Buffer, Span};
use crate::contract::{Copy, Fill, Placed, Task};
use crate::error::{Error, Reason, Result};
use crate::observe;
use crate::place::Place;
use crate::stream::Stream;

impl Stream {
    /// Fills part of a buffer with a byte.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`; `Misuse(WrongDevice)`: the buffer is another device's; as [`enqueue`](Self::enqueue).
    #[track_caller]
    pub fn fill(&self, target: &Buffer, range: Range<u64>, value: u8) -> Result<()> {
        let target = self.own_span(target, range)?;
        let written = Part::of(&target);
        let (fill, place) = (Fill::new(target, value), Place::caller());
        if let Some(handed) = self.hand(Handed::Fill(&fill), place) {
            return handed;
        }
        let placed = self.put(Task::Fill(Box::new(fill)), WorkKind::Fill, place)?;
        self.tell_access(placed, written, Access::Write);
        Ok(())
    }

    /// Copies part of a buffer to an equally long part of another, or of itself where the two do not overlap.
    ///
    /// # Errors
    /// `Misuse(OutOfRange)`: outside a buffer, of different lengths, or overlapping; `Misuse(WrongDevice)`; as
    /// [`enqueue`](Self::enqueue).
    #[track_caller]
    pub fn copy(
        &self,
        source: &Buffer,
        from: Range<u64>,
        target: &Buffer,
        to: Range<u64>,
    ) -> Result<()> {
        let (source, target) = (self.own_span(source, from)?, self.own_span(target, to)?);
        check_copy(&source, &target)?;
        let (read, written) = (Part::of(&source), Part::of(&target));
        let (copy, place) = (Copy::new(source, target), Place::caller());
        if let Some(handed) = self.hand(Handed::Copy(&copy), place) {
            return handed;
        }
        let placed = self.put(Task::Copy(Box::new(copy)), WorkKind::Copy, place)?;
        self.tell_access(placed, read, Access::Read);
        self.tell_access(placed, written, Access::Write);
        Ok(())
    }

    /// By a shorter way, where nobody observes and there is one.
    #[inline]
    fn hand(&self, handed: Handed<'_>, place: Place) -> Option<Result<()>> {
        if !self.timeline.is_undisturbed() {
            return None;
        }
        self.raw.hand_unobserved(handed, place).map(|placed| placed.map(drop))
    }

    fn own_span(&self, buffer: &Buffer, range: Range<u64>) -> Result<Span> {
        if *buffer.device() == self.device {
            return buffer.span(range);
        }
        let message = format!(
            "{buffer} is not memory of {}, the device of {}; use a buffer of the stream's own device",
            self.device, self.timeline
        );
        Err(Error::misuse(Reason::WrongDevice, message))
    }

    #[inline]
    fn tell_access(&self, placed: Placed, part: Part, access: Access) {
        observe::tell(|| Operation::BufferAccessed {
            stream: self.id(),
            value: placed.value,
            buffer: part.buffer,
            offset: part.offset,
            bytes: part.bytes,
            access,
        });
    }
}

/// A fill or a copy that is still its caller's.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Handed<'a> {
    /// A fill.
    Fill(&'a Fill),
    /// A copy.
    Copy(&'a Copy),
}

/// Which bytes of which buffer: what observers are told of a span that was given away.
#[derive(Clone, Copy)]
struct Part {
    buffer: u64,
    offset: u64,
    bytes: u64,
}

impl Part {
    fn of(span: &Span) -> Self {
        Self { buffer: span.buffer_id(), offset: span.offset(), bytes: span.len() }
    }
}

fn check_copy(source: &Span, target: &Span) -> Result<()> {
    let trouble = if source.len() != target.len() {
        "are of different lengths; make them equal"
    } else if source.overlaps(target) {
        "overlap; copy through another buffer"
    } else {
        return Ok(());
    };
    let message = format!(
        "{} bytes at {} of {source} and {} bytes at {} of {target} {trouble}",
        source.len(),
        source.offset(),
        target.len(),
        target.offset()
    );
    Err(Error::misuse(Reason::OutOfRange, message))
}
