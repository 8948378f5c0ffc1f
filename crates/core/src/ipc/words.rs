//! Words on a page, each written by the device for one stream of the exporter, for which devices of importers wait.
//!
//! The generations that one stream records only grow, and it comes to them in order. So a word that says to which of them
//! the device has come tells of all before too, and who waits for it waits for one record, whatever is recorded later and
//! by whom. Nothing of a driver's is behind it but memory, which is there for as long as somebody has mapped it: the death
//! of the exporter leaves nothing undefined.

use std::fmt;
use std::sync::Arc;

use syncpoint_base::page::NUMBERS;

use super::ledger::{FREE, Ledger};
use super::native::{LATEST, RUN};
use crate::sync::process::{AtomicU64, Ordering};

/// Whether words are written, where that of the latest run lies, and the first of all.
const WRITTEN: usize = FREE + 10;
const WORD: usize = FREE + 11;
const FIRST: usize = FREE + 16;

/// So many streams of an exporter have a word. For records of others importers wait through the host.
const STREAMS: usize = 64;

/// The streams that have a word, in the order of their words.
#[derive(Debug, Default)]
pub(super) struct Words(Vec<u64>);

impl Words {
    /// Where the word of a stream lies, given the id of its timeline.
    pub(super) fn of(&mut self, stream: u64) -> Option<usize> {
        let known = self.0.iter().position(|other| *other == stream);
        let index = known.or_else(|| {
            let has_room = self.0.len() < STREAMS;
            has_room.then(|| self.0.push(stream))?;
            Some(self.0.len() - 1)
        })?;
        Some(FIRST + index)
    }
}

impl Ledger {
    /// The device writes words from now on.
    pub(super) fn offer_words(&self) {
        // Release: pairs with the acquire in `has_words`.
        self.number(WRITTEN).store(1, Ordering::Release);
    }

    pub(super) fn has_words(&self) -> bool {
        // Acquire: pairs with the release in `offer_words`.
        self.number(WRITTEN).load(Ordering::Acquire) == 1
    }

    /// The word of the run that begins; what was known of runs before is not to be read as of this one.
    pub(super) fn name_word(&self, word: Option<usize>) {
        let word = word.and_then(|word| u64::try_from(word).ok());
        // Release: whoever reads it finds the run that it is of, which was stored before.
        self.number(WORD).store(word.unwrap_or(0), Ordering::Release);
    }

    /// The word that the device raises to a generation as it comes to it, where the device has been given that and
    /// everything before the run is settled.
    pub(super) fn word_of(&self, generation: u64) -> Option<usize> {
        // Acquire, all and in this order. The latest record is of the run that is read behind it, or else that run begins
        // behind the generation; and if the run is the same once more, the word is that of it.
        let latest = self.number(LATEST).load(Ordering::Acquire);
        let run = self.number(RUN).load(Ordering::Acquire);
        let word = self.number(WORD).load(Ordering::Acquire);
        let is_known = (1..=generation).contains(&run)
            && latest >= generation
            && self.number(RUN).load(Ordering::Acquire) == run
            && self.settled() >= run - 1;
        let word = usize::try_from(word).ok().filter(|_| is_known)?;
        (FIRST..FIRST + STREAMS).contains(&word).then_some(word)
    }

    /// Everything up to the generation is settled, or the exporter has died: whoever's device waits for this word so far is
    /// let go.
    pub(super) fn let_go(&self, word: usize, generation: u64) {
        // Release: as the device's own write.
        self.number(word).fetch_max(generation, Ordering::Release);
    }
}

/// A page that an exporter and its importers share, for devices to reach. It stays mapped as long as this is there.
pub struct SharedPage(Arc<Ledger>);

impl SharedPage {
    pub(super) fn new(ledger: &Arc<Ledger>) -> Self {
        Self(Arc::clone(ledger))
    }

    /// The numbers of the page, with which it begins. It is 4 KiB.
    pub fn numbers(&self) -> &[AtomicU64; NUMBERS] {
        self.0.numbers()
    }
}

impl fmt::Debug for SharedPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SharedPage")
    }
}
