//! Running one case: what it may answer, and what the exceptions of a backend make of that.

use std::env;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use syncpoint::{Error, Kind, Mode};

use crate::backend::{Backend, Exception, Laws};
use crate::bed::TestBed;
use crate::list::{LAWS, Law};
use crate::patience;

/// What a case answers. A broken law is a panic with the story; what the backend refused is a [`Stop`].
pub type Verdict = Result<(), Stop>;

/// Why a case stopped before its end.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a backend's suite handles every one")]
pub enum Stop {
    /// The backend refused a call.
    Refused(Error),
    /// What the law is about does not exist yet; what will bring it.
    NotBuilt(&'static str),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// How a case ended.
enum Ended {
    Passed,
    Unsupported(String),
    Failed,
}

/// What the system of this program has not, whatever the backend.
const NOT_HERE: &[Exception] = if cfg!(target_os = "linux") {
    &[]
} else if cfg!(unix) {
    &OUTSIDE_LINUX
} else {
    &[OUTSIDE_LINUX[0], ON_WINDOWS[0]]
};

/// Every backend, outside Linux.
const OUTSIDE_LINUX: [Exception; 1] = [Exception {
    laws: Laws::These(&[
        "an_exported_event_orders_another_process",
        "a_dead_peer_is_an_error_not_a_hang",
    ]),
    reason: "processes share events on Linux alone",
}];

/// Every backend, on Windows.
const ON_WINDOWS: [Exception; 1] = [Exception {
    laws: Laws::These(&["a_fork_child_is_told_so", "exit_never_hangs"]),
    reason: "their cases fork, and no process can be forked",
}];

/// Runs the case of a law on a backend in one mode, and panics unless it ends as the backend says it does.
pub fn run(backend: &Backend, mode: Mode, law: &str) {
    let law = LAWS.iter().find(|known| known.name == law).expect("the suite is made of the list");
    if let Some(lack) = backend.lack.and_then(|ask| ask()) {
        return skip(&format!("{} on {}: {lack}", law.name, backend.name));
    }
    let bed = TestBed::new(backend, mode);
    let find =
        |list: &[Exception]| list.iter().find(|exception| exception.covers(law.name)).copied();
    let unsupported = find(backend.unsupported).or_else(|| find(NOT_HERE));
    match (unsupported, find(backend.known_failures)) {
        (Some(exception), _) => expect_unsupported(law, &bed, exception),
        (None, Some(exception)) => expect_failure(law, &bed, exception),
        (None, None) => expect_pass(law, &bed),
    }
}

fn expect_pass(law: &Law, bed: &TestBed) {
    match (law.case)(bed) {
        Ok(()) => {}
        Err(Stop::Refused(error)) => panic!("{}: {bed} refused a call: {error}", law.name),
        Err(Stop::NotBuilt(what)) => {
            panic!("{}: {what} is not built yet; list the law as unsupported by {bed}", law.name)
        }
    }
}

fn expect_unsupported(law: &Law, bed: &TestBed, exception: Exception) {
    match attempt(law, bed) {
        Ended::Unsupported(words) => {
            tell(&format!("skipped on {bed}: {}: {} ({words})", law.name, exception.reason));
        }
        Ended::Passed => {
            panic!("{} holds on {bed} now: take it off the list of unsupported laws", law.name)
        }
        Ended::Failed => {
            panic!("{} is not answered with Unsupported on {bed}, but broken", law.name)
        }
    }
}

fn expect_failure(law: &Law, bed: &TestBed, exception: Exception) {
    match patience::shortened(|| attempt(law, bed)) {
        Ended::Failed => {
            tell(&format!("known failure on {bed}: {}: {}", law.name, exception.reason));
        }
        Ended::Passed => panic!("{} holds on {bed} now: take it off the known failures", law.name),
        Ended::Unsupported(words) => {
            panic!("{} is answered with Unsupported on {bed} ({words}): list it so", law.name)
        }
    }
}

fn attempt(law: &Law, bed: &TestBed) -> Ended {
    match catch_unwind(AssertUnwindSafe(|| (law.case)(bed))) {
        Ok(Ok(())) => Ended::Passed,
        Ok(Err(Stop::NotBuilt(what))) => Ended::Unsupported(format!("{what} is not built yet")),
        Ok(Err(Stop::Refused(error))) if error.kind() == Kind::Unsupported => {
            Ended::Unsupported(error.to_string())
        }
        Ok(Err(Stop::Refused(_))) | Err(_) => Ended::Failed,
    }
}

/// Says that a test does nothing here, and why. Panics on the machine on which nothing may be left out: the checks say so
/// in `SYNCPOINT_CI`.
#[track_caller]
pub fn skip(reason: &str) {
    assert!(env::var_os("SYNCPOINT_CI").is_none(), "nothing may be skipped here: {reason}");
    tell(&format!("SKIPPED: {reason}"));
}

/// Goes past the test harness, which hides what a passing test prints: a skip is loud.
pub fn tell(line: &str) {
    // Without a place to print there is nobody to hear.
    let _unheard = writeln!(io::stderr(), "conformance: {line}");
}

/// Panics unless the exceptions of a backend name laws, each law is excepted once, and each exception has a reason.
pub fn check_exceptions(backend: &Backend) {
    let all: Vec<_> = backend.unsupported.iter().chain(backend.known_failures).collect();
    for exception in &all {
        assert!(!exception.reason.is_empty(), "{:?}: say why", exception.laws);
        for law in exception.laws.names() {
            assert!(LAWS.iter().any(|known| known.name == *law), "{law}: there is no such law");
        }
    }
    for law in LAWS {
        let times = all.iter().filter(|exception| exception.covers(law.name)).count();
        assert!(times < 2, "{}: one exception is enough", law.name);
    }
}

#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "a case and a backend have their shapes")]
mod tests {
    use syncpoint::Result;

    use super::*;

    fn nothing() -> Result<Vec<syncpoint::Device>> {
        Ok(Vec::new())
    }

    fn bed() -> TestBed {
        TestBed::new(&Backend::new("nothing", nothing), Mode::Managed)
    }

    fn law(case: fn(&TestBed) -> Verdict) -> Law {
        Law { group: "test", name: "a_law", case }
    }

    fn holds(_bed: &TestBed) -> Verdict {
        Ok(())
    }

    fn breaks(_bed: &TestBed) -> Verdict {
        panic!("on purpose")
    }

    fn is_refused(_bed: &TestBed) -> Verdict {
        Err(Error::unsupported("this device has no clock; do without").into())
    }

    const WHY: Exception = Exception { laws: Laws::These(&["a_law"]), reason: "for this test" };

    #[track_caller]
    fn assert_panics(code: impl FnOnce()) {
        assert!(catch_unwind(AssertUnwindSafe(code)).is_err());
    }

    #[test]
    fn a_known_failure_that_passes_fails_the_run() {
        expect_failure(&law(breaks), &bed(), WHY);
        assert_panics(|| expect_failure(&law(holds), &bed(), WHY));
        assert_panics(|| expect_failure(&law(is_refused), &bed(), WHY));
    }

    #[test]
    fn an_unsupported_law_must_be_answered_with_unsupported() {
        expect_unsupported(&law(is_refused), &bed(), WHY);
        expect_unsupported(&law(|_| Err(Stop::NotBuilt("a pool"))), &bed(), WHY);
        assert_panics(|| expect_unsupported(&law(holds), &bed(), WHY));
        assert_panics(|| expect_unsupported(&law(breaks), &bed(), WHY));
    }

    #[test]
    fn a_law_without_exception_must_hold() {
        expect_pass(&law(holds), &bed());
        assert_panics(|| expect_pass(&law(breaks), &bed()));
        assert_panics(|| expect_pass(&law(is_refused), &bed()));
        assert_panics(|| expect_pass(&law(|_| Err(Stop::NotBuilt("a pool"))), &bed()));
    }

    #[test]
    fn an_exception_that_names_no_law_is_refused() {
        assert_panics(|| {
            check_exceptions(&Backend::new("nothing", nothing).known_failures(&[WHY]));
        });
    }
}
