//! The room of a stream: how many of its command buffers are on their way, and who waits for one to end.
//!
//! It is counted because a queue without room would stop whoever asks it for a command buffer, for ever where the device
//! stands still. A stream that we hold asks before each item, and keeps the item meanwhile. On a stream of others who puts
//! an item takes all places that it may use as it begins, or sleeps, and leaves the rest behind it; of those of a function
//! that others launch in, one is kept for its mark until it returns. So whatever becomes of an item finds its places,
//! whatever other streams over the same queue take in between.

mod line;
#[cfg(all(test, not(syncpoint_loom)))]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use syncpoint_core::contract::{Line, SLICE};
use syncpoint_core::hold::Need;

use crate::sync::{
    AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, lock, wait_at_most,
};
use line::{Place, Standings};

/// Room for so many command buffers that have not ended.
#[derive(Debug)]
pub(crate) struct Room {
    out: Arc<Out>,
    most: usize,
    /// Places that the item of now has taken and not used. Changed under the order lock alone.
    in_hand: AtomicUsize,
    /// How often somebody slept.
    sleeps: AtomicU64,
}

/// What is on its way on one queue: of one stream, or of all that were made over a queue of others.
#[derive(Debug, Default)]
pub(crate) struct Out {
    /// A leaf: nothing is called under it.
    state: Mutex<State>,
    /// Rings as a command buffer ends and somebody sleeps.
    rings: Condvar,
}

impl Out {
    fn ring(&self, state: &State) {
        if state.sleepers > 0 {
            // All: one that loses patience as it is called would leave the others asleep.
            self.rings.notify_all();
        }
    }
}

#[derive(Debug, Default)]
struct State {
    /// How many places are taken: by command buffers that have not ended, by items, and by functions at work.
    out: usize,
    /// How many of these are for the marks behind functions at work.
    kept: usize,
    /// How many command buffers have ended.
    ends: u64,
    sleepers: usize,
    line: Standings,
    /// Whether the stream keeps an item until there is room.
    is_awaited: bool,
}

impl State {
    /// Whether nothing is on its way, and functions are at work: they may wait for an item that is put meanwhile, which so
    /// comes before whoever stands in line, maybe for such a function to return.
    fn is_awaited_by_functions(&self) -> bool {
        self.kept > 0 && self.out == self.kept
    }
}

/// How long somebody sleeps for room.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    /// At most this long after the last end.
    pub(crate) longest: Duration,
    /// And not beyond this.
    pub(crate) deadline: Option<Instant>,
    /// Whether nobody needs the room any more: what is on its way may never end then. Asked under no lock of the room's.
    pub(crate) is_over: &'a dyn Fn() -> bool,
}

impl fmt::Debug for Patience<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.longest.fmt(formatter)
    }
}

/// That no command buffer ends where somebody sleeps for room.
#[derive(Clone, Copy, Debug)]
struct Quiet {
    since: Instant,
    /// How many had ended by then.
    ends: u64,
}

impl Quiet {
    /// Since when, where so many have ended.
    fn since(quiet: &mut Option<Self>, ends: u64) -> Instant {
        let of_now = quiet.filter(|quiet| quiet.ends == ends);
        quiet.insert(of_now.unwrap_or_else(|| Self { since: Instant::now(), ends })).since
    }
}

impl Patience<'_> {
    /// For how long, where the last end was then.
    fn left(&self, last: Instant) -> Duration {
        let left = self.longest.saturating_sub(last.elapsed());
        let until = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        self.deadline.map_or(left, |deadline| left.min(until(deadline)))
    }
}

/// What one item of the user's takes at most: a mark, what the item is, and a mark behind it; one to spare.
pub(crate) const ITEM: usize = 4;

/// What it takes on a queue of others: a timed record is two command buffers, and so are a latch and the mark before it.
const LEAST: usize = 2;

/// The smallest room on a queue of others: the mark of a function at work, and the item that it may wait for.
pub(crate) const SMALLEST: usize = 1 + LEAST;

impl Room {
    pub(crate) fn new(most: usize) -> Self {
        Self::on(Arc::default(), most)
    }

    /// The same on a queue on which others of ours count too.
    pub(crate) fn on(out: Arc<Out>, most: usize) -> Self {
        Self { out, most, in_hand: AtomicUsize::new(0), sleeps: AtomicU64::new(0) }
    }

    /// What is on its way on the queue.
    pub(crate) fn out(&self) -> &Arc<Out> {
        &self.out
    }

    /// How many command buffers there is room for.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How many places are taken on the queue.
    pub(crate) fn on_their_way(&self) -> usize {
        lock(&self.out.state).out
    }

    /// Whether there is room for what one item takes.
    pub(crate) fn is_there(&self) -> bool {
        !self.is_crowded(&lock(&self.out.state))
    }

    /// Whether there is room after all. False: [`has_come`](Self::has_come) will say so, once.
    pub(crate) fn is_there_or_awaited(&self) -> bool {
        let mut state = lock(&self.out.state);
        state.is_awaited = self.is_crowded(&state);
        !state.is_awaited
    }

    /// Whether the room has come that was awaited. Not for each command buffer that ends: a quarter of the room is free
    /// then, so that who is called for it has something to do.
    pub(crate) fn has_come(&self) -> bool {
        let mut state = lock(&self.out.state);
        let has_come = state.is_awaited && state.out <= self.limit() - self.limit() / 4;
        state.is_awaited &= !has_come;
        has_come
    }

    /// Sleeps until there is room for this and nobody is before it. Until the line is dropped, who comes later is behind it
    /// while command buffers end.
    /// False: nothing has ended for so long, or it is over.
    pub(crate) fn wait(&self, need: Need, patience: Patience<'_>, line: &mut Line) -> bool {
        let place = line.stand(|| Place::take(&self.out));
        let is_full = |state: &mut State| !self.may_begin(need, state);
        self.sleep_while(patience, &mut place.quiet, is_full).is_some()
    }

    /// Whether there is room for this, whoever is before it.
    pub(crate) fn is_there_for(&self, need: Need) -> bool {
        !self.is_short(need, &lock(&self.out.state))
    }

    /// Takes in hand what this takes, under the order lock. False: there is no room, or somebody sleeps for it who came
    /// before.
    pub(crate) fn take_for(&self, need: Need) -> bool {
        let mut state = lock(&self.out.state);
        if !self.may_begin(need, &mut state) {
            return false;
        }
        let places = match need {
            Need::Item => ITEM.min(self.most.saturating_sub(state.out)),
            Need::Function => 1,
        };
        state.out += places;
        drop(state);
        self.add_in_hand(places);
        true
    }

    /// Leaves what the item has not used, before the order lock is released.
    pub(crate) fn leave_rest(&self) {
        // Relaxed: the order lock orders it.
        if self.in_hand.load(Ordering::Relaxed) > 0 {
            let rest = self.in_hand.swap(0, Ordering::Relaxed);
            self.give_back(rest);
        }
    }

    /// Keeps the place in hand, of a function, for the mark that comes as it returns.
    pub(crate) fn keep_place(&self) {
        let kept = self.use_in_hand(1);
        let mut state = lock(&self.out.state);
        state.kept += kept;
        // With nothing else on its way an item may begin now that could not before.
        self.out.ring(&state);
    }

    /// The mark comes next, if at all, for which a place was kept.
    pub(crate) fn take_kept(&self) {
        lock(&self.out.state).kept -= 1;
        self.add_in_hand(1);
    }

    fn add_in_hand(&self, places: usize) {
        // Relaxed: the order lock orders it.
        self.in_hand.fetch_add(places, Ordering::Relaxed);
    }

    /// So many of the places in hand, or all: these are no longer in hand.
    fn use_in_hand(&self, places: usize) -> usize {
        // Relaxed: the order lock orders it.
        let used = places.min(self.in_hand.load(Ordering::Relaxed));
        self.in_hand.fetch_sub(used, Ordering::Relaxed);
        used
    }

    /// Takes room for so many command buffers: the places in hand, and others, for which it sleeps. False: there are none.
    pub(crate) fn take(&self, parts: usize, patience: Patience<'_>) -> bool {
        let in_hand = self.use_in_hand(parts);
        let more = parts - in_hand;
        if more == 0 {
            return true;
        }
        if let Some(mut state) =
            self.sleep_while(patience, &mut None, |state| state.out + more > self.most)
        {
            state.out += more;
            return true;
        }
        self.add_in_hand(in_hand);
        false
    }

    /// A command buffer has ended.
    pub(crate) fn end(&self) {
        let mut state = lock(&self.out.state);
        state.ends += 1;
        state.line.note_end();
        state.out -= 1;
        self.out.ring(&state);
    }

    /// So many places were not used after all.
    pub(crate) fn give_back(&self, places: usize) {
        let mut state = lock(&self.out.state);
        state.out -= places;
        self.out.ring(&state);
    }

    /// How often somebody slept for room.
    pub(crate) fn sleeps(&self) -> u64 {
        // Relaxed: a count, ordered with nothing.
        self.sleeps.load(Ordering::Relaxed)
    }

    fn may_begin(&self, need: Need, state: &mut State) -> bool {
        let comes_before = need == Need::Item && state.is_awaited_by_functions();
        !self.is_short(need, state) && (comes_before || state.line.may_pass())
    }

    fn is_short(&self, need: Need, state: &State) -> bool {
        match need {
            Need::Item => self.is_crowded(state),
            // Its own place, and the least for an item, which it may wait for.
            Need::Function => state.out > self.limit() || state.out + 1 + LEAST > self.most,
        }
    }

    /// Whether there is no room for what one item takes. Where nothing is on its way and functions are at work, the least
    /// does.
    fn is_crowded(&self, state: &State) -> bool {
        let does_the_least = state.is_awaited_by_functions() && state.out + LEAST <= self.most;
        state.out > self.limit() && !does_the_least
    }

    /// Up to how many command buffers there is room for what one item takes. Where there is less room than that, an item
    /// begins when nothing is on its way.
    fn limit(&self) -> usize {
        self.most.saturating_sub(ITEM)
    }

    /// `None`: it stays so, and no command buffer has ended for so long, or it is over. `quiet` is of a sleep before this one,
    /// where it goes on.
    fn sleep_while(
        &self,
        patience: Patience<'_>,
        quiet: &mut Option<Quiet>,
        is_full: impl Fn(&mut State) -> bool,
    ) -> Option<MutexGuard<'_, State>> {
        let mut state = lock(&self.out.state);
        if is_full(&mut state) {
            // Relaxed: as in `sleeps`.
            self.sleeps.fetch_add(1, Ordering::Relaxed);
        }
        while is_full(&mut state) {
            let left = patience.left(Quiet::since(quiet, state.ends));
            if left.is_zero() {
                return None;
            }
            // Nobody tells a sleeper that it is over.
            state = self.sleep(state, left.min(SLICE));
            if is_full(&mut state) {
                drop(state);
                if (patience.is_over)() {
                    return None;
                }
                state = lock(&self.out.state);
            }
        }
        Some(state)
    }

    fn sleep<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        longest: Duration,
    ) -> MutexGuard<'a, State> {
        state.sleepers += 1;
        let mut state = wait_at_most(&self.out.rings, state, longest);
        state.sleepers -= 1;
        state
    }
}
