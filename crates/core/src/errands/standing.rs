//! Standing: whether a thread has on its list what several may want to have there.

#[cfg(all(test, syncpoint_loom))]
mod model;

/// Whether a thread has something on its list. Kept under the lock under which the thread looks whether it may take that
/// off again.
///
/// Whoever wants it there gives it, unless the thread is known to have it or it is known to lie where the next thread
/// finds it: that another is about to give it is no reason to leave it, because no thread may be to be had for that other.
#[derive(Debug, Default)]
pub struct Standing {
    stand: Stand,
    /// How often the thread has taken it off the list.
    round: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stand {
    /// Nobody wants it there.
    #[default]
    Off,
    /// It was given once or several times, or is about to be.
    Given,
    /// It was given, and no thread could be made: it lies there for the next that can be.
    Left,
    /// The thread has it.
    On,
}

/// The duty to give the thread something.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "nobody else gives it"]
pub struct Want {
    round: u64,
}

impl Standing {
    /// Somebody wants it on the list, and has to give it. `None`: it was given; a thread is to be made for it where none
    /// could be.
    #[inline]
    pub fn want(&mut self) -> Option<Want> {
        if matches!(self.stand, Stand::On | Stand::Left) {
            return None;
        }
        self.stand = Stand::Given;
        Some(Want { round: self.round })
    }

    /// The same for who does not wait for what the thread does: that another is about to give it is enough for them.
    #[inline]
    pub fn want_first(&mut self) -> Option<Want> {
        if self.stand == Stand::Off { self.want() } else { None }
    }

    /// It was given, and no thread could be made. What comes late, when a thread has had it meanwhile, is no news.
    #[cold]
    pub fn leave_given(&mut self, Want { round }: Want) {
        if self.stand == Stand::Given && self.round == round {
            self.stand = Stand::Left;
        }
    }

    /// The thread was given it. Says whether it goes on the list, where it may be already, or not be wanted any more.
    #[must_use = "it is on the list once"]
    pub fn take(&mut self) -> bool {
        let is_wanted = matches!(self.stand, Stand::Given | Stand::Left);
        if is_wanted {
            self.stand = Stand::On;
        }
        is_wanted
    }

    /// The thread has taken it off the list.
    #[inline]
    pub fn leave(&mut self) {
        self.stand = Stand::Off;
        self.round += 1;
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_until_the_thread_has_it_and_on_the_list_once() {
        let mut standing = Standing::default();
        assert!(standing.want().is_some() && standing.want().is_some());
        assert!(standing.want_first().is_none(), "who does not wait leaves it to them");
        assert!(standing.take() && !standing.take(), "of two that gave it one is enough");
        assert!(standing.want().is_none());
        standing.leave();
        assert!(!standing.take(), "what comes late is not wanted any more");
        assert!(standing.want_first().is_some() && standing.take());
    }

    #[test]
    fn what_lies_there_for_want_of_a_thread_is_not_given_again() {
        let mut standing = Standing::default();
        let want = standing.want().unwrap();
        standing.leave_given(want);
        assert!((0..1000).all(|_| standing.want().is_none()), "the list grows");
        assert!(standing.take(), "the thread that could be made has it");
    }

    #[test]
    fn that_no_thread_could_be_made_for_a_round_before_is_no_news() {
        let mut standing = Standing::default();
        let late = standing.want().unwrap();
        assert!(standing.take());
        standing.leave();
        let _given = standing.want();
        standing.leave_given(late);
        assert!(standing.want().is_some(), "who is about to give it may be refused");
    }
}
