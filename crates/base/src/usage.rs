//! What the operating system did to this process meanwhile, so that a late measurement can be explained.

/// Counts of the whole process since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a pair of counts")]
pub struct Usage {
    /// How often a thread of the process was taken off its core although it had work.
    pub preemptions: u64,
    /// How often a thread had to wait for the system to find it a page of memory.
    pub page_faults: u64,
}

impl Usage {
    /// The counts now; `None` where the system does not tell.
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "a call of C")]
    pub fn now() -> Option<Self> {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
        // SAFETY: there is room for the answer.
        if unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: the call has filled it in.
        let usage = unsafe { usage.assume_init() };
        let count = |count: libc::c_long| u64::try_from(count).unwrap_or(0);
        let page_faults = count(usage.ru_minflt) + count(usage.ru_majflt);
        Some(Self { preemptions: count(usage.ru_nivcsw), page_faults })
    }

    /// The counts now; `None` where the system does not tell.
    #[cfg(not(unix))]
    pub fn now() -> Option<Self> {
        None
    }

    /// What was counted since.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            preemptions: self.preemptions.saturating_sub(before.preemptions),
            page_faults: self.page_faults.saturating_sub(before.page_faults),
        }
    }
}
