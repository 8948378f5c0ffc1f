//! What later parts build is built while earlier ones run, in the time that nobody else has a use for.
//!
//! Tests wait for the clock and for one another much of the time. A build at the lowest priority takes what they leave, and
//! gives way at once. It is for machines that build, which run all parts in a row: what it comes to, good or bad, the part
//! itself finds.

use std::collections::VecDeque;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::package::{self, Package};
use crate::part::Part;
use crate::workshop::Workshop;

/// The builds that are to come, and the one on its way. Where it ends, they do.
#[derive(Debug)]
pub(crate) struct Ahead(Arc<Builds>);

/// A build, whose part it is for, and what it needs.
#[derive(Debug)]
struct Build {
    part: &'static str,
    needs: &'static [Package],
    command: Command,
}

#[derive(Debug, Default)]
struct Builds {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    to_come: VecDeque<Build>,
    on_its_way: Option<OnItsWay>,
}

#[derive(Clone, Copy, Debug)]
struct OnItsWay {
    part: &'static str,
    /// The leader of its group of processes; none while what it needs is seen to.
    leader: Option<u32>,
}

impl Ahead {
    /// Begins with what the parts behind the first may build ahead, in their order.
    pub(crate) fn of(parts: &[&'static Part], workshop: &Workshop) -> Self {
        let builds = |part: &&'static Part| {
            let (name, needs) = (part.name, part.ahead?);
            let builds = part.builds(workshop).into_iter();
            Some(builds.map(move |command| Build { part: name, needs, command }))
        };
        Self::begin(parts.iter().skip(1).filter_map(builds).flatten().collect())
    }

    fn begin(to_come: VecDeque<Build>) -> Self {
        let state = Mutex::new(State { to_come, on_its_way: None });
        let builds = Arc::new(Builds { state, ended: Condvar::new() });
        let worker = Arc::clone(&builds);
        thread::spawn(move || while worker.build_one() {});
        Self(builds)
    }

    /// A part begins, and builds what is left itself: what is on its way for it ends, and keeps what it has come to.
    pub(crate) fn leave(&self, part: &str) {
        self.end(|of| of == part);
    }

    fn end(&self, is_meant: impl Fn(&str) -> bool) {
        let mut state = self.0.lock();
        state.to_come.retain(|build| !is_meant(build.part));
        while let Some(OnItsWay { leader, .. }) = state.on_its_way.filter(|it| is_meant(it.part)) {
            let Some(leader) = leader else {
                state.on_its_way = None;
                return;
            };
            // One that has ended by itself is gone from the state a moment later.
            let kill = format!("kill -s TERM -- -{leader}");
            Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status().ok();
            state = self.0.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.end(|_| true);
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

    /// The next that can be begun: one that lacks something is not, and where there is no `setpriv`, none is.
    fn begin_one(&self) -> Option<Child> {
        loop {
            let Build { part, needs, mut command } = self.take_one()?;
            let lacks = package::provide(needs).is_some();
            let mut state = self.lock();
            let is_left = state.on_its_way.take().is_none();
            if lacks || is_left {
                continue;
            }
            if let Ok(child) = command.spawn() {
                state.on_its_way = Some(OnItsWay { part, leader: Some(child.id()) });
                return Some(child);
            }
        }
    }

    fn take_one(&self) -> Option<Build> {
        let mut state = self.lock();
        let build = state.to_come.pop_front()?;
        state.on_its_way = Some(OnItsWay { part: build.part, leader: None });
        Some(build)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, File};
    use std::io::Read;
    use std::os::unix::process::CommandExt;
    use std::time::{Duration, Instant};
    use std::{env, process};

    use super::*;

    #[test]
    fn a_part_that_begins_ends_what_is_built_for_it_and_nothing_else() {
        let ahead =
            of(&[("it", FOR_EVER), ("it", FOR_EVER), ("other", FOR_EVER), ("third", FOR_EVER)]);
        until(|| is_on_its_way(&ahead.0, "it"));
        ahead.leave("it");
        until(|| is_on_its_way(&ahead.0, "other"));
        ahead.leave("it");
        assert!(is_on_its_way(&ahead.0, "other") && ahead.0.lock().to_come.len() == 1);
    }

    #[test]
    fn what_has_ended_makes_room_for_the_next() {
        let ahead = of(&[("it", "true"), ("it", "false"), ("other", FOR_EVER)]);
        until(|| is_on_its_way(&ahead.0, "other"));
    }

    /// Cargo's compilers are children of cargo.
    #[test]
    fn where_it_ends_no_build_goes_on_and_no_child_of_one() {
        let pipe = env::temp_dir().join(format!("xtask-ahead-{}", process::id()));
        let name = pipe.display();
        assert!(sh(&format!("mkfifo {name}")).status().unwrap().success());
        let ahead = of(&[("it", &format!("sleep 1000 > {name} & wait")), ("it", FOR_EVER)]);
        // Opened once the child has opened it.
        let mut held = File::open(&pipe).unwrap();
        let builds = Arc::clone(&ahead.0);
        drop(ahead);
        assert!(builds.lock().to_come.is_empty() && builds.lock().on_its_way.is_none());
        // It ends where nobody holds the other end any more.
        assert_eq!(held.read_to_end(&mut Vec::new()).unwrap(), 0);
        fs::remove_file(&pipe).unwrap();
    }

    #[test]
    fn what_cannot_be_begun_is_passed_over() {
        let gone = Build { part: "it", needs: &[], command: Command::new("/no/such/program") };
        let ahead = Ahead::begin([gone, build("other", FOR_EVER)].into());
        until(|| is_on_its_way(&ahead.0, "other"));
    }

    const FOR_EVER: &str = "exec sleep 1000";

    fn of(builds: &[(&'static str, &str)]) -> Ahead {
        Ahead::begin(builds.iter().map(|(part, line)| build(part, line)).collect())
    }

    fn build(part: &'static str, line: &str) -> Build {
        let mut command = sh(line);
        command.process_group(0);
        Build { part, needs: &[], command }
    }

    fn sh(line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        command
    }

    fn is_on_its_way(builds: &Builds, part: &str) -> bool {
        builds.lock().on_its_way.is_some_and(|it| it.part == part && it.leader.is_some())
    }

    fn until(mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not come");
            thread::yield_now();
        }
    }
}
