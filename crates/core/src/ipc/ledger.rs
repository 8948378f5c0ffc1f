//! The ledger: what the numbers of a shared page mean.

use syncpoint_base::page::{Bell, NUMBERS, Page};

use crate::sync::process::{AtomicU64, Ordering};

/// The page of one exported event.
///
/// One process writes, under a lock of its own; any number read. What a reader finds may be garbage all the same, and
/// then its answers are wrong and nothing else.
#[derive(Debug)]
pub(super) struct Ledger(Page);

/// What has become of a generation that is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// Its work is complete.
    Complete,
    /// Its work has failed.
    Failed,
    /// So many came after it, failed ones among them, that the page does not tell any more.
    Forgotten,
}

/// Where each number lies. Those that the exporter writes with each record come first.
const NONCE: usize = 0;
const RECORDED: usize = 1;
const SETTLED: usize = 2;
/// The last generation that failed.
const FAILED: usize = 3;
/// The first of the latest failures in a row, and the last failure before that row.
const ROW: usize = 4;
const BEFORE_ROW: usize = 5;
/// From here on a bit for each of the latest generations: whether it failed. The numbers between are those of `native`.
const BITS: usize = 8;

/// The first number that is free.
pub(super) const FREE: usize = BITS + 256;

/// How many generations have a bit.
const REMEMBERED: u64 = 256 * 64;

impl Ledger {
    /// A ledger on a page of zeros.
    pub(super) fn begin(page: Page, nonce: u64) -> Self {
        let ledger = Self(page);
        ledger.number(NONCE).store(nonce, Ordering::Release);
        ledger
    }

    /// The ledger of another process; `None` where the page is not the one that is meant.
    pub(super) fn find(page: Page, nonce: u64) -> Option<Self> {
        let ledger = Self(page);
        (ledger.number(NONCE).load(Ordering::Acquire) == nonce).then_some(ledger)
    }

    pub(super) fn bell(&self) -> &Bell {
        self.0.bell()
    }

    /// The generation recorded last; 0 before the first.
    pub(super) fn recorded(&self) -> u64 {
        // Acquire: pairs with the release in `record`.
        self.number(RECORDED).load(Ordering::Acquire)
    }

    /// All up to this generation are settled.
    pub(super) fn settled(&self) -> u64 {
        // Acquire: pairs with the release in `settle`.
        self.number(SETTLED).load(Ordering::Acquire)
    }

    /// This generation is recorded. By the exporter, under the lock of the event's name. It counts for itself: what lies
    /// on the page may be somebody's garbage.
    pub(super) fn record(&self, generation: u64) {
        // Release: pairs with the acquire in `recorded`.
        self.number(RECORDED).store(generation, Ordering::Release);
    }

    /// All up to the generation before are settled, and so is this one. By the exporter, under the lock of the export.
    pub(super) fn settle(&self, generation: u64, failed: bool) {
        let (bits, bit) = self.bit(generation);
        // Release, all three: a reader that sees a bit sees how far the generations before it were settled, and one that
        // sees a generation settled sees its bit and the last failed one.
        if failed {
            bits.fetch_or(bit, Ordering::Release);
            self.fail(generation);
        } else {
            bits.fetch_and(!bit, Ordering::Release);
        }
        self.number(SETTLED).store(generation, Ordering::Release);
    }

    fn fail(&self, generation: u64) {
        let before = self.number(FAILED).load(Ordering::Relaxed);
        if before.wrapping_add(1) != generation {
            // Release, in this order: pair with the acquires in `lies_between_failures`.
            self.number(BEFORE_ROW).store(before, Ordering::Release);
            self.number(ROW).store(generation, Ordering::Release);
        }
        self.number(FAILED).store(generation, Ordering::Release);
    }

    /// Whether a generation that failed is known to be neither this one nor beside it: it lies before the latest failures
    /// in a row and behind those before.
    fn lies_between_failures(&self, generation: u64) -> bool {
        // Acquire, in this order: a row that is seen is seen with what came before it, or before a later one, which is no
        // smaller than the row.
        let row = self.number(ROW).load(Ordering::Acquire);
        let before = self.number(BEFORE_ROW).load(Ordering::Acquire);
        before < generation && generation < row
    }

    /// What has become of a generation; `None` while it is pending.
    pub(super) fn outcome(&self, generation: u64) -> Option<Settled> {
        // Acquire, all: pair with the releases in `settle`.
        if self.settled() < generation {
            return None;
        }
        let last_failed = self.number(FAILED).load(Ordering::Acquire);
        if last_failed <= generation {
            let failed = last_failed == generation && generation > 0;
            return Some(if failed { Settled::Failed } else { Settled::Complete });
        }
        let (bits, bit) = self.bit(generation);
        let failed = bits.load(Ordering::Acquire) & bit != 0;
        let settled = self.number(SETTLED).load(Ordering::Acquire);
        // The bit may be that of a generation that is about to be settled.
        if settled.saturating_sub(generation) >= REMEMBERED - 1 {
            let complete = self.lies_between_failures(generation);
            return Some(if complete { Settled::Complete } else { Settled::Forgotten });
        }
        Some(if failed { Settled::Failed } else { Settled::Complete })
    }

    fn bit(&self, generation: u64) -> (&AtomicU64, u64) {
        let place = generation % REMEMBERED;
        let word = usize::try_from(place / 64).unwrap_or(0);
        (self.number(BITS + word), 1 << (place % 64))
    }

    pub(super) fn numbers(&self) -> &[AtomicU64; NUMBERS] {
        self.0.numbers()
    }

    pub(super) fn number(&self, index: usize) -> &AtomicU64 {
        &self.0.numbers()[index]
    }
}

#[cfg(all(test, not(syncpoint_loom), target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::fs;
    use std::path::Path;

    use syncpoint_base::page;

    use super::*;

    fn ledger() -> Ledger {
        let name = u128::from_ne_bytes(page::random().unwrap());
        let path = Path::new("/dev/shm").join(format!("test-of-syncpoint-{name:032x}"));
        let page = Page::make(&path).unwrap();
        fs::remove_file(path).unwrap();
        Ledger::begin(page, 1)
    }

    #[test]
    fn what_the_page_still_knows_is_true_and_the_rest_is_forgotten() {
        const LAST: u64 = 3 * REMEMBERED;
        // A row of failures early, one late, and one at the end.
        let failed = |generation: u64| {
            (5..9).contains(&generation) || generation == LAST - 100 || generation == LAST
        };
        let ledger = ledger();
        for generation in 1..=LAST {
            ledger.record(generation);
            assert_eq!(ledger.outcome(generation), None);
            ledger.settle(generation, failed(generation));
        }
        assert_eq!(ledger.recorded(), LAST);
        for generation in 1..=LAST {
            let truth = if failed(generation) { Settled::Failed } else { Settled::Complete };
            let outcome = ledger.outcome(generation);
            let is_recent = generation > LAST + 1 - REMEMBERED;
            assert!(
                outcome == Some(truth) || (!is_recent && outcome == Some(Settled::Forgotten)),
                "{generation}: {outcome:?}"
            );
        }
    }

    #[test]
    fn a_failure_at_the_end_makes_nobody_forget_what_was_complete() {
        let ledger = ledger();
        for generation in 1..=2 * REMEMBERED {
            ledger.settle(generation, generation == 2 * REMEMBERED);
        }
        assert_eq!(ledger.outcome(1), Some(Settled::Complete));
        assert_eq!(ledger.outcome(2 * REMEMBERED), Some(Settled::Failed));
    }
}
