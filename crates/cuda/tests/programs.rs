//! Random programs on two devices of the stand-in driver, held against the reference model of the laws.

mod fake;

use syncpoint_conformance::model::{Trial, hold};

use fake::Fake;

#[test]
fn random_programs_on_two_devices_end_as_the_reference_says() {
    let trial = Trial { seeds: 20, programs: 25, repeats: 2, runs_on: true, races: true };
    // Counted as the driver begins, and the same ever after.
    Fake::used_as("devices=2");
    hold(trial, |_seed| (0..2).map(syncpoint::cuda::open).collect());
}

/// The order that a program asks for is also that of the accesses to memory: where the thread sanitizer runs this, it tells
/// of each that is not.
#[test]
fn random_programs_without_races_have_none() {
    let trial = Trial { seeds: 20, programs: 25, repeats: 2, runs_on: true, races: false };
    Fake::used_as("devices=2");
    hold(trial, |_seed| (0..2).map(syncpoint::cuda::open).collect());
}
