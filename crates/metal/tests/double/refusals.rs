//! Refusals of the double: which of its calls gives nil, and when.

use std::ops::Range;
use std::sync::Mutex;

/// A call that Metal may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Queue,
    Event,
    Memory,
    Commands,
    Pipeline,
    Fill,
    Copy,
    FillBytes,
    CopyBytes,
}

impl Call {
    /// All that there are.
    pub(crate) const ALL: [Self; 9] = [
        Self::Queue,
        Self::Event,
        Self::Memory,
        Self::Commands,
        Self::Pipeline,
        Self::Fill,
        Self::Copy,
        Self::FillBytes,
        Self::CopyBytes,
    ];
}

/// Which calls are refused.
#[derive(Default)]
pub(super) struct Refusals(Mutex<State>);

#[derive(Default)]
struct State {
    /// So many of whatever kind, from now on.
    next: u64,
    /// Which calls of one kind, counted over all of it.
    of_kind: Option<(Call, Range<u64>)>,
    /// How often each was called.
    calls: [u64; Call::ALL.len()],
    /// How many were refused.
    refused: u64,
}

impl Refusals {
    /// Refuses so many calls from now on.
    pub(super) fn refuse(&self, so_many: u64) {
        self.0.lock().unwrap().next = so_many;
    }

    /// Refuses some calls of one kind, counted from now on.
    pub(super) fn refuse_of(&self, call: Call, which: Range<u64>) {
        let mut state = self.0.lock().unwrap();
        let before = state.calls[call as usize];
        state.of_kind = Some((call, before + which.start..before + which.end));
    }

    /// How often it was called.
    pub(super) fn calls(&self, call: Call) -> u64 {
        self.0.lock().unwrap().calls[call as usize]
    }

    /// How many calls were refused.
    pub(super) fn refused(&self) -> u64 {
        self.0.lock().unwrap().refused
    }

    /// Whether this call is granted.
    pub(super) fn grant(&self, call: Call) -> bool {
        let mut state = self.0.lock().unwrap();
        let is_refused = state.is_next() || state.is_of_kind(call);
        state.calls[call as usize] += 1;
        state.refused += u64::from(is_refused);
        !is_refused
    }
}

impl State {
    fn is_next(&mut self) -> bool {
        let left = self.next.checked_sub(1);
        self.next = left.unwrap_or(0);
        left.is_some()
    }

    fn is_of_kind(&self, call: Call) -> bool {
        let index = self.calls[call as usize];
        self.of_kind.as_ref().is_some_and(|(kind, which)| *kind == call && which.contains(&index))
    }
}
