//! Faults: each function of the driver that we call fails once, at its first call and at a later one.
//!
//! Each in a process of its own. Whatever fails is told by its name, harms nothing that comes later, and leaves nothing behind.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod fake;
mod fault;
mod uses;

use std::env;

use syncpoint::{Error, Kind};
use syncpoint_conformance::patience::until;

use fake::Fake;
use fault::{
    ENDS, FAULT, Fault, LATE, LAUNCH_FAILED, MEMORY_POOLS, UNKNOWN, Unended,
    assert_children_end_well, assert_known, assert_lost, assert_well, functions, is_silent,
    is_unasked,
};
use uses::use_everything;

/// Functions that are called once in a process.
const ONCE: &[&str] = &["cuInit", "cuDeviceGetCount"];

/// Functions that are called where another one was refused, and how that comes about.
const BESIDE: &[(&str, &str)] = &[
    ("cuDriverGetVersion", "fail cuInit 1..2 998"),
    ("cuGetErrorName", "fail cuMemsetD8Async 1..2 998"),
];

#[test]
fn what_fails_at_its_first_call_is_told_and_harms_nothing_later() {
    assert_children_end_well(functions().map(|function| format!("fail {function} 1 {UNKNOWN}")));
}

#[test]
fn what_fails_at_a_later_call_is_told_and_harms_nothing_later() {
    assert_children_end_well(functions().map(|function| format!("fail {function} 2 {UNKNOWN}")));
}

#[test]
fn what_breaks_the_context_is_the_first_cause_of_all_that_fails() {
    assert_children_end_well(
        functions().map(|function| format!("break {function} 2 {LAUNCH_FAILED}")),
    );
}

#[test]
fn the_error_of_an_earlier_launch_is_told_and_what_the_call_has_done_is_done() {
    assert_children_end_well(LATE.iter().map(|function| format!("late {function} 2 {UNKNOWN}")));
}

#[test]
fn a_function_that_the_library_lacks_takes_one_capability_and_nothing_else() {
    assert_children_end_well(functions().map(|function| format!("without {function} 0 0")));
}

/// What the children do; nothing where no fault was given.
#[test]
fn under_a_fault() {
    let Ok(fault) = env::var(FAULT) else { return };
    let words: Vec<&str> = fault.split(' ').collect();
    match words[..] {
        ["without", function, _, _] => without(function),
        [how, function, call, code] => {
            let [call, code] = [call, code].map(|number| number.parse().expect("a number"));
            Fault { how, function, call, code }.tried();
        }
        _ => panic!("{fault}: no fault"),
    }
}

impl Fault<'_> {
    /// Uses everything under the fault, and holds against it what was told and what is left.
    fn tried(mut self) {
        let beside = self.beside();
        let (fake, kept) = self.arranged();
        fake.set_current(beside.unwrap_or(0));
        // The second time on a device that is older.
        let programs = [1, 0].map(|pools| {
            fake.script(&format!("attribute {MEMORY_POOLS} {pools}"));
            use_everything()
        });
        fake.set_current(0);
        // Where that broke, the call was about no context of ours, and is made once more in ours.
        let is_of_another = beside.is_some_and(|beside| fake.is_broken(beside));
        if let Some(beside) = beside {
            fake.call("cuCtxDestroy_v2", beside, 0);
        }
        let errors = programs.concat();
        self.assert_told(&errors, is_of_another);
        let unheard = u64::from(ENDS.contains(&self.function));
        match self.how {
            "break" => {
                for errors in &programs {
                    assert_lost(errors);
                }
                assert_known(fake, kept, &Unended::of(fake, self.function));
            }
            "late" => assert_well(fake, &errors, &Unended { unheard, ..Unended::default() }),
            // Here the context functions fail where somebody asked.
            _ if !is_unasked(fake, self.function) && !is_silent(self.function) => {
                assert_well(fake, &errors, &Unended::default());
            }
            _ => assert_well(fake, &errors, &Unended::of(fake, self.function)),
        }
    }

    /// A context of the thread's own that it is to have behind each call, where the fault is not at the first: behind the first
    /// it is to have none.
    fn beside(&self) -> Option<usize> {
        (self.call > 1).then(|| {
            self.library();
            assert_eq!(Fake::used().call("cuInit", 0, 0), 0);
            Fake::used().make_context(0)
        })
    }

    /// Has the driver do it. Gives the context that is kept. From now on `call` counts from the beginning of the process.
    fn arranged(&mut self) -> (&'static Fake, usize) {
        self.library();
        let fake = Fake::used();
        // Or everything would be gone with the last user, whoever ended it.
        let kept = fake.keep(0);
        let call = self.counted_call();
        fake.script(&format!("{} {} {call} {}", self.how, self.function, self.code));
        self.call = fake.count(self.function) + call;
        let beside = BESIDE.iter().find(|(beside, _)| *beside == self.function);
        if let Some((_, beside)) = beside {
            fake.script(beside);
        }
        (fake, kept)
    }

    fn library(&self) {
        // Called where the newer one is not there.
        if self.function == "cuEventElapsedTime" {
            Fake::without("cuEventElapsedTime_v2");
        }
    }

    fn assert_told(&self, errors: &[Error], is_of_another: bool) {
        self.assert_nobody_hung(errors);
        if ONCE.contains(&self.function) && Fake::used().count(self.function) < self.call {
            return;
        }
        until(&format!("the call that is to fail: {self:?}"), || {
            Fake::used().count(self.function) >= self.call
        });
        let is_told = errors.iter().any(|error| self.is_told_by(error));
        assert!(
            is_told || is_silent(self.function) || (is_of_another && errors.is_empty()),
            "{self:?}: nobody was told; heard {errors:#?}"
        );
    }
}

/// The library lacks a function: there is no device, or what needs it is refused by its name.
fn without(function: &str) {
    Fake::without(function);
    for error in use_everything() {
        assert_ne!(error.kind(), Kind::TimedOut, "without {function}: {error}");
        let kinds = [Kind::Unsupported, Kind::Unavailable];
        assert!(kinds.contains(&error.kind()), "without {function}: {error}");
        let tells = error.message().contains(function) || error.message().contains("device_gates");
        let is_of_the_device = error.message().contains("ask capabilities()");
        assert!(tells || is_of_the_device, "without {function}: {error}");
    }
}
