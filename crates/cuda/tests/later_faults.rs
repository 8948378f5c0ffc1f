//! Faults in the middle: each function of the driver fails at calls that come after the device was opened.
//!
//! At the first call of a program that uses everything, at some in the middle and at the last.
//! Each in a process of its own. How often a function is called is counted before, in a process without faults.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "a child tells its counts to the test")]

mod fake;
mod fault;
mod uses;

use std::collections::BTreeMap;
use std::env;

use syncpoint::Error;
use syncpoint_conformance::patience::until;

use fake::Fake;
use fault::{
    BY_USES, ENDS, FAULT, Fault, LATE, LAUNCH_FAILED, MEMORY_POOLS, UNKNOWN, Unended,
    assert_children_end_well, assert_known, assert_lost, assert_well, child, functions, is_ours,
    is_silent, is_unasked,
};
use uses::{open_with_gates, use_device, use_everything};

/// Functions that are called as a device is opened, or where another one was refused: `faults.rs` has theirs.
const AT_FIRST: &[&str] = &[
    "cuInit",
    "cuDeviceGetCount",
    "cuDriverGetVersion",
    "cuGetErrorName",
    "cuDeviceGet",
    "cuDevicePrimaryCtxRetain",
];

/// Functions that are called where newer ones are not there, and how such a driver is had.
const OLDER: &[(&str, Older)] = &[
    ("cuEventElapsedTime", Older::Lacks("cuEventElapsedTime_v2")),
    ("cuMemAlloc_v2", Older::HasNoPools),
    ("cuMemFree_v2", Older::HasNoPools),
];

/// What an older driver is.
#[derive(Clone, Copy, Debug)]
enum Older {
    Lacks(&'static str),
    HasNoPools,
}

/// How often each function is called while a device is used, by a driver that calls it.
fn counted() -> BTreeMap<&'static str, u64> {
    let new = counted_for("cuEventRecord");
    let of = |function: &'static str| {
        let is_older = OLDER.iter().any(|(older, _)| *older == function);
        let calls = if is_older { counted_for(function)[function] } else { new[function] };
        (function, calls)
    };
    functions().filter(|function| !AT_FIRST.contains(function)).map(of).collect()
}

/// The same by the driver for one function, which may have no use for others.
fn counted_for(function: &str) -> BTreeMap<String, u64> {
    let told = child(&format!("count {function} 0 0")).expect("nothing is refused");
    let calls = told.lines().find_map(|line| line.strip_prefix("calls: "));
    let calls = calls.expect("a child that counts tells").split(' ');
    let pairs = calls.filter_map(|word| word.split_once('='));
    pairs.map(|(name, calls)| (name.to_owned(), calls.parse().expect("a number"))).collect()
}

/// The first call, some in the middle and the last. The uses come in two rounds, so that half of the calls is one of an end.
fn calls(count: u64) -> impl Iterator<Item = u64> {
    let mut calls = vec![1, count.div_ceil(4), count.div_ceil(2), count];
    calls.dedup();
    calls.into_iter()
}

/// Faults at each of the calls of each function that is called while a device is used.
fn faults(how: &'static str, code: u32) -> impl Iterator<Item = String> {
    counted().into_iter().flat_map(move |(function, count)| {
        assert!(count > 0, "{function} is never called after the device was opened");
        calls(count).map(move |call| format!("{how} {function} {call} {code}"))
    })
}

#[test]
fn what_fails_in_the_middle_of_a_program_is_told_and_harms_nothing_later() {
    assert_children_end_well(faults("fail", UNKNOWN));
}

#[test]
fn what_breaks_the_context_of_a_program_is_the_first_cause_of_all_that_fails() {
    assert_children_end_well(faults("break", LAUNCH_FAILED));
}

#[test]
fn the_error_of_an_earlier_launch_in_the_middle_of_a_program_is_told() {
    let is_late = |fault: &String| LATE.iter().any(|late| fault.contains(&format!(" {late} ")));
    assert_children_end_well(faults("late", UNKNOWN).filter(is_late));
}

/// What the children do; nothing where no fault was given.
#[test]
fn under_a_fault() {
    let Ok(fault) = env::var(FAULT) else { return };
    let words: Vec<&str> = fault.split(' ').collect();
    let [how, function, call, code] = words[..] else { panic!("{fault}: no fault") };
    let [call, code] = [call, code].map(|number| number.parse().expect("a number"));
    let (fake, kept) = driver_for(function);
    match how {
        "count" => tell_counts(fake),
        _ => Fault { how, function, call, code }.tried(fake, kept),
    }
}

/// The driver that calls a function. Its context is kept, or everything would be gone with the last user.
fn driver_for(function: &str) -> (&'static Fake, usize) {
    let older = OLDER.iter().find(|(older, _)| *older == function).map(|(_, how)| *how);
    if let Some(Older::Lacks(newer)) = older {
        Fake::without(newer);
    }
    let fake = Fake::used();
    if let Some(Older::HasNoPools) = older {
        fake.script(&format!("attribute {MEMORY_POOLS} 0"));
    }
    (fake, fake.keep(0))
}

/// Opens the device, and waits for the end of what it was tried with.
fn opened(fake: &Fake) -> syncpoint::Device {
    let device = open_with_gates().expect("nothing is refused yet");
    until("the end of the trial", || fake.alive("events") == 0 && fake.alive("streams") == 1);
    device
}

/// Waits until nothing is left but the context that is kept, and the backend has given that back.
fn end(fake: &Fake) {
    until("the end of everything", || {
        fake.alive("all") == 1 && fake.count("cuDevicePrimaryCtxRelease_v2") > 0
    });
}

fn tell_counts(fake: &Fake) {
    let device = opened(fake);
    let before: Vec<_> = functions().map(|function| fake.count(function)).collect();
    assert!(use_device(&device).is_empty(), "nothing is refused");
    drop(device);
    end(fake);
    let counts = functions().zip(before).map(|(function, before)| {
        let calls = fake.count(function) - before;
        format!("{function}={}", if function == BY_USES { calls / 2 } else { calls })
    });
    println!("\ncalls: {}", counts.collect::<Vec<_>>().join(" "));
}

impl Fault<'_> {
    /// Uses everything under the fault, and holds against it what was told and what is left.
    fn tried(&self, fake: &'static Fake, kept: usize) {
        let programs = self.programs(fake);
        let errors = programs.concat();
        self.assert_nobody_hung(&errors);
        let is_told = errors.iter().any(|error| self.is_told_by(error));
        let is_lost_last = self.how == "break" && is_ours(fake);
        let is_unasked = is_unasked(fake, self.function) || is_lost_last;
        assert!(
            is_told || is_unasked || is_silent(self.function),
            "{self:?}: nobody was told; heard {errors:#?}"
        );
        let left = if is_told { Unended::default() } else { Unended::of(fake, self.function) };
        let unheard = u64::from(ENDS.contains(&self.function));
        let late = Unended { unheard, ..Unended::default() };
        match self.how {
            "break" => {
                for errors in &programs {
                    assert_lost(errors);
                }
                assert_known(fake, kept, &left);
            }
            "late" => assert_well(fake, &errors, &late),
            _ => assert_well(fake, &errors, &left),
        }
    }

    /// What was refused to programs that use everything, until the call has come that is to fail. How often the driver is
    /// asked depends on how fast the device is, so it may be in the program after the first.
    fn programs(&self, fake: &'static Fake) -> Vec<Vec<Error>> {
        let device = opened(fake);
        let call = self.counted_call();
        let last = fake.count(self.function) + call;
        fake.script(&format!("{} {} {call} {}", self.how, self.function, self.code));
        // A call is counted as it begins, and refused a little later.
        let has_come = || fake.count(self.function) >= last && fake.struck("*") > 0;
        let mut programs = vec![use_device(&device)];
        drop(device);
        until("the call or the end", || has_come() || fake.alive("all") == 1);
        while !has_come() && programs.len() < 10 {
            programs.push(use_everything());
            until("the call or the end", || has_come() || fake.alive("all") == 1);
        }
        assert!(has_come(), "{self:?}: the call has not come");
        programs
    }
}
