//! Random programs on simulated devices, held against the reference model of the laws.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use syncpoint::sim::{Builder, Fault, Sim};
use syncpoint::{Device, Result};
use syncpoint_conformance::model::{Trial, hold};

fn devices(builder: Builder) -> Result<Vec<Device>> {
    let sim = builder.devices(2).build();
    Ok(vec![sim.device(0)?, sim.device(1)?])
}

#[test]
fn random_programs_end_as_the_reference_says_whatever_the_seed() {
    let trial = Trial { seeds: 1000, programs: 4, repeats: 1, runs_on: true, races: true };
    let drawn = Sim::builder().late(Duration::from_micros(20)).host_work(Duration::from_micros(20));
    hold(trial, |seed| devices(drawn.seed(seed).stepped()));
}

#[test]
fn random_programs_end_as_the_reference_says_where_a_thread_moves_the_devices() {
    let trial = Trial { seeds: 20, programs: 25, repeats: 3, runs_on: true, races: true };
    hold(trial, |seed| devices(Sim::builder().seed(seed)));
}

#[test]
fn a_backend_that_breaks_a_law_is_told_of_with_its_seed_and_a_shrunk_program() {
    let trial = Trial { seeds: 3, programs: 50, repeats: 1, runs_on: true, races: true };
    let panic = catch_unwind(AssertUnwindSafe(|| hold(trial, failing_device))).unwrap_err();
    let story = panic.downcast_ref::<String>().unwrap();
    assert!(story.contains(" (run it alone with SYNCPOINT_SEED="), "{story}");
    assert!(story.contains("as planned; ") && story.contains(", and must end Complete"), "{story}");
    // Programs of up to 96 operations were drawn; what is left ends with the one that shows it.
    let program: Vec<&str> = story.trim_end().lines().skip(1).collect();
    assert!(program.len() < 10, "{story}");
    let is_of_a_device = |line: &&str| {
        [" RecordTimed ", " Delay ", " Fill ", " Copy "].iter().any(|name| line.contains(name))
    };
    assert!(program.last().is_some_and(is_of_a_device), "{story}");
}

/// A device on which every operation fails, though no program asks for that; beside one that is sound.
fn failing_device(seed: u64) -> Result<Vec<Device>> {
    let sim = Sim::builder().seed(seed).devices(2).stepped().build();
    for operation in 1..20_000 {
        sim.plan(0, operation, Fault::Fail)?;
    }
    Ok(vec![sim.device(0)?, sim.device(1)?])
}
