//! What later parts build is built while earlier ones run, in the time that nobody else has a use for.
//!
//! Tests wait for the clock and for one another much of the time. A build at the lowest priority takes what they leave, and
//! gives way at once. It is for machines that build, which run all parts in a row: what it comes to, good or bad, the part
//! itself finds.

use std::collections::VecDeque;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::part::Part;
use crate::workshop::Workshop;

/// The builds that are to come, and the one on its way. Where it ends, they do.
#[derive(Debug)]
pub(crate) struct Ahead(Arc<Builds>);

#[derive(Debug, Default)]
struct Builds {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    to_come: VecDeque<(&'static str, Command)>,
    /// Whose it is, and its process.
    on_its_way: Option<(&'static str, u32)>,
}

impl Ahead {
    /// Begins with what the parts build in folders of their own, in their order.
    pub(crate) fn of(parts: &[&'static Part], workshop: &Workshop) -> Self {
        let of_part = |part: &&'static Part| {
            let builds = part.builds(workshop).into_iter();
            let name = part.name;
            builds.map(move |build| (name, build))
        };
        Self::begin(parts.iter().flat_map(of_part).collect())
    }

    fn begin(to_come: VecDeque<(&'static str, Command)>) -> Self {
        let state = Mutex::new(State { to_come, on_its_way: None });
        let builds = Arc::new(Builds { state, ended: Condvar::new() });
        let worker = Arc::clone(&builds);
        thread::spawn(move || while worker.build_one() {});
        Self(builds)
    }

    /// A part begins: nothing more is built for it, and what is on its way for it ends first.
    pub(crate) fn leave(&self, part: &str) {
        let mut state = self.0.lock();
        state.to_come.retain(|(name, _)| *name != part);
        while state.on_its_way.is_some_and(|(name, _)| name == part) {
            state = self.0.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.to_come.clear();
        if let Some((_, process)) = state.on_its_way {
            Command::new("kill").arg(process.to_string()).status().ok();
        }
    }
}

impl Builds {
    /// Whether there was one to build.
    fn build_one(&self) -> bool {
        let Some(mut child) = self.begin_one() else { return false };
        child.wait().ok();
        self.lock().on_its_way = None;
        self.ended.notify_all();
        true
    }

    /// The next that can be begun: where there is no `chrt`, none is.
    fn begin_one(&self) -> Option<Child> {
        let mut state = self.lock();
        loop {
            let (name, mut command) = state.to_come.pop_front()?;
            if let Ok(child) = command.spawn() {
                state.on_its_way = Some((name, child.id()));
                return Some(child);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_part_that_begins_finds_what_was_on_its_way_and_the_rest_is_left_to_it() {
        let builds = [("it", sh("sleep 0.2")), ("it", sh("exec sleep 60"))];
        let ahead = Ahead::begin(builds.into());
        until(|| ahead.0.lock().on_its_way.is_some());
        ahead.leave("it");
        assert!(ahead.0.lock().on_its_way.is_none());
        assert!(ahead.0.lock().to_come.is_empty());
    }

    #[test]
    fn a_part_that_begins_leaves_the_builds_of_others_alone() {
        let ahead = Ahead::begin([("other", sh("exec sleep 60")), ("third", sh("true"))].into());
        until(|| ahead.0.lock().on_its_way.is_some());
        ahead.leave("it");
        assert_eq!(ahead.0.lock().to_come.len(), 1);
    }

    #[test]
    fn where_it_ends_no_build_goes_on() {
        let ahead =
            Ahead::begin([("other", sh("exec sleep 60")), ("third", sh("exec sleep 60"))].into());
        let builds = Arc::clone(&ahead.0);
        until(|| builds.lock().on_its_way.is_some());
        drop(ahead);
        until(|| builds.lock().on_its_way.is_none());
        assert!(builds.lock().to_come.is_empty());
    }

    #[test]
    fn what_cannot_be_begun_is_passed_over() {
        let gone = Command::new("/no/such/program");
        let ahead = Ahead::begin([("it", gone), ("other", sh("exec sleep 60"))].into());
        until(|| ahead.0.lock().on_its_way.is_some_and(|(name, _)| name == "other"));
    }

    fn sh(line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        command
    }

    fn until(mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not come");
            thread::yield_now();
        }
    }
}
