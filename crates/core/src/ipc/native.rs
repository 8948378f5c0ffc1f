//! What a page says of an event of the exporter's driver, for which streams of importers wait on the device.
//!
//! The driver's event knows nothing of generations: whoever waits for it waits for what it was recorded as last. So the
//! page says as which generation that was, and it stays so while an importer gives its driver a wait (`recorded`). As
//! several streams may record one event, it also says where the latest *run* began: the generations that one stream
//! recorded one after another, so that the last of them has come only after all. An importer that wants generation *g* may
//! have its device wait for the driver's event if
//!
//! 1. it was recorded last as *g*, and not held back on the host;
//! 2. everything before the run is settled, because the event says nothing of other streams.
//!
//! Otherwise it waits through the host, as for an event of any other device. A driver leaves undefined what it does with
//! an event that the exporter has ended. So the importers that have it open are counted, and the exporter ends it only
//! when there are none, from when on nobody can open it.

use std::fmt;
use std::sync::Arc;

use super::ledger::{FREE, Ledger};
use super::owner::Owner;
use super::recorded::Recorded;
use super::words::{SharedPage, Words};
use crate::contract::RawStream;
use crate::error::Result;
use crate::place::Place;
use crate::sync::process::{AtomicU64, Mutex, Ordering, try_lock};

/// The handle of an event of a driver's, as the driver passes it from process to process.
pub type DriversHandle = [u8; 64];

/// Where each number lies: the first generation of the latest run, and the generation of the latest record.
pub(super) const RUN: usize = 6;
pub(super) const LATEST: usize = 7;
/// Whether there is an event of the driver's, how many importers have it open, and then its handle.
const OFFERED: usize = FREE;
const USERS: usize = FREE + 1;
const HANDLE: usize = FREE + 2;
/// Whose turn the driver's event is, and as which generation it was recorded last. The numbers between are of `words`.
const TURN: usize = FREE + 12;
const EVENT: usize = FREE + 13;

/// Among the users: the exporter has ended it.
const WITHDRAWN: u64 = 1 << 63;

/// What a backend shares of an exported event beside its page: an event of its driver's.
pub trait NativeExport: fmt::Debug + Send + Sync {
    /// Whether importers may open the driver's event.
    ///
    /// # Errors
    /// Why they may not.
    fn check_handle(&self) -> Result<()>;

    /// Whether the device writes words to the page.
    ///
    /// # Errors
    /// Why it does not.
    fn check_words(&self) -> Result<()>;

    /// Records the driver's event at the end of a stream, as this generation.
    ///
    /// # Errors
    /// As [`RawStream::put`]. Importers wait through the host for what it was not recorded as.
    fn record_on(&self, stream: &Arc<dyn RawStream>, generation: u64, place: Place) -> Result<()>;
}

/// The part of a page that tells of the driver's event, on the exporter's side.
pub struct NativeOffer {
    ledger: Arc<Ledger>,
    /// As long as importers may have it open they see that this process lives.
    _owner: Arc<Owner>,
    /// What the driver's event was recorded as last. Guards that order, and so is held while the driver is given one
    /// record. Nobody waits for it: a driver whose queue is full keeps whoever records.
    last: Mutex<Last>,
}

/// What the driver is to be given for a record.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ToRecord {
    /// Which number of the page the device raises to the generation, where the stream has one.
    pub word: Option<usize>,
    /// Whether the driver's event is recorded: not while an importer has its device wait for it.
    pub event: bool,
}

#[derive(Debug, Default)]
struct Last {
    generation: u64,
    /// The id of the timeline.
    stream: u64,
    words: Words,
}

impl NativeOffer {
    pub(super) fn new(ledger: Arc<Ledger>, owner: Arc<Owner>) -> Self {
        Self { ledger, _owner: owner, last: Mutex::default() }
    }

    /// Offers the driver's event to importers.
    pub fn publish(&self, handle: &DriversHandle) {
        for (index, bytes) in handle.as_chunks().0.iter().enumerate() {
            // Relaxed: the next store publishes it.
            self.number(HANDLE + index).store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
        // Release: pairs with the acquire in `offered`.
        self.number(OFFERED).store(1, Ordering::Release);
    }

    /// Says that the device writes the words that [`record`](Self::record) names.
    pub fn publish_words(&self) {
        self.ledger.offer_words();
    }

    /// The page, for the device to reach.
    pub fn page(&self) -> SharedPage {
        SharedPage::new(&self.ledger)
    }

    /// Has a generation of a stream recorded, which is given by the id of its timeline. What `record` gives to the driver is
    /// at the end of the stream, and it is told what that is to be. Nothing where a later one was recorded already, or is
    /// being recorded: importers wait through the host for what was not recorded.
    ///
    /// # Errors
    /// Those of `record`.
    pub fn record<E>(
        &self,
        generation: u64,
        stream: u64,
        record: impl FnOnce(ToRecord) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(mut last) = try_lock(&self.last).filter(|last| last.generation < generation)
        else {
            return Ok(());
        };
        let recorded = self.ledger.recorded_natively();
        let word = last.words.of(stream);
        if last.stream != stream || last.generation + 1 != generation {
            recorded.begin_run(generation);
            self.ledger.name_word(word);
        }
        let recording = recorded.begin();
        record(ToRecord { word, event: recording.is_some() })?;
        if let Some(recording) = recording {
            recording.is(generation);
        }
        (last.generation, last.stream) = (generation, stream);
        // Release, after the driver has it: pairs with the acquire in `word_of`.
        self.number(LATEST).store(generation, Ordering::Release);
        Ok(())
    }

    /// Nobody can open the driver's event any more: it may be ended. False while an importer has it open. One that was
    /// killed has it for ever.
    pub fn withdraw(&self) -> bool {
        // Acquire: pairs with the release in `leave`. Release: whoever finds it withdrawn opens nothing.
        let users = self.number(USERS);
        let ended = users.compare_exchange(0, WITHDRAWN, Ordering::AcqRel, Ordering::Relaxed);
        ended.is_ok_and(|_none| true)
    }

    fn number(&self, index: usize) -> &AtomicU64 {
        self.ledger.number(index)
    }
}

impl fmt::Debug for NativeOffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NativeOffer")
    }
}

/// What an importer reads of the driver's event. Garbage on the page gives wrong answers.
impl Ledger {
    /// The handle of the driver's event, where there is one.
    pub(super) fn offered(&self) -> Option<DriversHandle> {
        // Acquire: pairs with the release in `publish`.
        if self.number(OFFERED).load(Ordering::Acquire) != 1 {
            return None;
        }
        let mut handle = [0; 64];
        for (index, bytes) in handle.chunks_exact_mut(8).enumerate() {
            // Relaxed: published by what was read first.
            let number = self.number(HANDLE + index).load(Ordering::Relaxed);
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        Some(handle)
    }

    /// Counts another importer that has the driver's event open. False: the exporter has ended it.
    pub(super) fn enter(&self) -> bool {
        let one_more = |users| (users < WITHDRAWN - 1).then(|| users + 1);
        let users = self.number(USERS);
        // Acquire and release: pair with the exchange in `withdraw`.
        users.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more).is_ok()
    }

    /// Counts one less: nothing of it on a device waits for the driver's event.
    pub(super) fn leave(&self) {
        // Release: pairs with the acquire in `withdraw`.
        self.number(USERS).fetch_sub(1, Ordering::Release);
    }

    /// Calls `give` while the driver's event is recorded as this generation, and whatever it says nothing of is settled.
    pub(super) fn give<T>(&self, generation: u64, give: impl FnOnce() -> T) -> Option<T> {
        self.recorded_natively().give(generation, || self.settled(), give)
    }

    fn recorded_natively(&self) -> Recorded<'_, AtomicU64> {
        let [turn, run, event] = [TURN, RUN, EVENT].map(|index| self.number(index));
        Recorded { turn, run, event }
    }
}

#[cfg(all(test, not(syncpoint_loom), target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::convert::Infallible;
    use std::fs;
    use std::path::Path;
    use std::thread;
    use std::time::{Duration, Instant};

    use syncpoint_base::page::{self, Page};

    use super::*;

    /// Two streams.
    const ONE: u64 = 1;
    const OTHER: u64 = 2;

    /// Long beyond any machine's hiccup.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn offer() -> (NativeOffer, Arc<Ledger>) {
        let name = u128::from_ne_bytes(page::random().unwrap());
        let path = Path::new("/dev/shm").join(format!("test-of-syncpoint-{name:032x}"));
        let page = Page::make(&path).unwrap();
        fs::remove_file(path).unwrap();
        let ledger = Arc::new(Ledger::begin(page, 1));
        (NativeOffer::new(Arc::clone(&ledger), Owner::here().unwrap()), ledger)
    }

    fn covers(ledger: &Ledger, generation: u64) -> bool {
        ledger.give(generation, || ()).is_some()
    }

    fn record(offer: &NativeOffer, generation: u64, stream: u64) {
        let recorded: Result<(), Infallible> = offer.record(generation, stream, |_| Ok(()));
        recorded.unwrap();
    }

    #[test]
    fn only_the_latest_record_is_covered() {
        let (offer, ledger) = offer();
        assert!(!covers(&ledger, 0) && !covers(&ledger, 1), "nothing is recorded");
        record(&offer, 1, ONE);
        assert!(covers(&ledger, 1) && !covers(&ledger, 2));
        record(&offer, 2, ONE);
        assert!(covers(&ledger, 2) && !covers(&ledger, 1));
    }

    #[test]
    fn a_record_that_the_driver_refuses_is_not_covered() {
        let (offer, ledger) = offer();
        record(&offer, 1, ONE);
        assert_eq!(offer.record(2, ONE, |_| Err("refused")), Err("refused"));
        assert!(!covers(&ledger, 2));
        record(&offer, 3, ONE);
        assert!(!covers(&ledger, 3), "nobody knows what became of the second");
        ledger.settle(1, false);
        ledger.settle(2, true);
        assert!(covers(&ledger, 3));
    }

    #[test]
    fn what_other_streams_recorded_before_has_to_be_settled() {
        let (offer, ledger) = offer();
        record(&offer, 1, ONE);
        record(&offer, 2, OTHER);
        record(&offer, 3, OTHER);
        assert!(!covers(&ledger, 3));
        ledger.settle(1, false);
        assert!(covers(&ledger, 3), "the second is of the same stream");
    }

    #[test]
    fn an_older_record_does_not_come_after_a_later_one() {
        let (offer, ledger) = offer();
        record(&offer, 2, OTHER);
        let late = offer.record(1, ONE, |_| Err("given to the driver"));
        assert_eq!(late, Ok(()));
        ledger.settle(1, false);
        assert!(covers(&ledger, 2));
    }

    #[test]
    fn a_record_beside_another_that_the_driver_keeps_is_left_out_and_waits_for_nobody() {
        let (offer, ledger) = offer();
        let offer = Arc::new(offer);
        let beside = Arc::clone(&offer);
        let while_it_is_kept = |_: ToRecord| {
            let second = thread::spawn(move || beside.record(2, OTHER, |_| Err("given")));
            let deadline = Instant::now() + PATIENCE;
            while !second.is_finished() {
                assert!(Instant::now() < deadline, "it waits for the first");
                thread::yield_now();
            }
            assert_eq!(second.join().unwrap(), Ok(()), "it is left out");
            Ok::<(), Infallible>(())
        };
        offer.record(1, ONE, while_it_is_kept).unwrap();
        assert!(covers(&ledger, 1) && !covers(&ledger, 2));
        record(&offer, 3, ONE);
        assert!(!covers(&ledger, 3), "nobody knows what became of the second");
        ledger.settle(1, false);
        ledger.settle(2, false);
        assert!(covers(&ledger, 3));
    }

    #[test]
    fn the_drivers_event_is_not_recorded_while_a_device_is_given_a_wait_for_it() {
        let (offer, ledger) = offer();
        record(&offer, 1, ONE);
        let given = ledger.give(1, || {
            let mut given = None;
            let recorded = offer.record(2, OTHER, |to_record| {
                given = Some(to_record);
                Ok::<(), Infallible>(())
            });
            recorded.unwrap();
            given.unwrap()
        });
        assert!(!given.unwrap().event && given.unwrap().word.is_some(), "words harm nobody");
        ledger.settle(1, false);
        assert!(!covers(&ledger, 2) && ledger.word_of(2).is_some());
        record(&offer, 3, OTHER);
        assert!(covers(&ledger, 3), "the second is of the same stream");
    }

    #[test]
    fn no_device_is_given_a_wait_while_the_drivers_event_is_recorded() {
        let (offer, ledger) = offer();
        record(&offer, 1, ONE);
        let during = |to_record: ToRecord| {
            assert!(to_record.event && !covers(&ledger, 1) && !covers(&ledger, 2));
            Ok::<(), Infallible>(())
        };
        offer.record(2, ONE, during).unwrap();
        assert!(covers(&ledger, 2));
    }

    #[test]
    fn each_stream_has_a_word_that_tells_of_its_own_records() {
        let (offer, ledger) = offer();
        let mut words = Vec::new();
        for (generation, stream) in [(1, ONE), (2, OTHER), (3, OTHER), (4, ONE)] {
            let given = offer.record(generation, stream, |to_record| {
                words.push(to_record.word.unwrap());
                Ok::<(), Infallible>(())
            });
            given.unwrap();
        }
        assert_eq!(words[0], words[3]);
        assert_eq!(words[1], words[2]);
        assert_ne!(words[0], words[1]);
        assert_eq!(ledger.word_of(4), None, "the other stream's are pending");
        ledger.settle(3, false);
        assert_eq!(ledger.word_of(4), Some(words[0]));
        assert_eq!(ledger.word_of(3), None, "of a run before");
        assert_eq!(ledger.word_of(5), None, "not given to the device yet");
        record(&offer, 5, ONE);
        assert_eq!(ledger.word_of(4), Some(words[0]), "a word tells of earlier records too");
    }

    #[test]
    fn more_streams_than_there_are_words_have_none() {
        let (offer, ledger) = offer();
        for stream in 1..=100 {
            record(&offer, stream, stream);
            assert_eq!(ledger.word_of(stream).is_some(), stream <= 64, "{stream}");
            ledger.settle(stream, false);
        }
    }

    #[test]
    fn the_handle_is_found_as_it_was_offered() {
        let (offer, ledger) = offer();
        assert_eq!(ledger.offered(), None);
        let handle = std::array::from_fn(|place| u8::try_from(place * 3).unwrap());
        offer.publish(&handle);
        assert_eq!(ledger.offered(), Some(handle));
    }

    #[test]
    fn an_event_that_importers_have_open_is_not_withdrawn() {
        let (offer, ledger) = offer();
        assert!(ledger.enter() && ledger.enter());
        ledger.leave();
        assert!(!offer.withdraw(), "one has it open");
        ledger.leave();
        assert!(offer.withdraw());
        assert!(!ledger.enter(), "nobody opens it any more");
        assert!(!offer.withdraw(), "it is ended once");
    }
}
