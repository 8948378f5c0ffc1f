//! Random programs on simulated devices, held against the reference model of the laws.

use std::time::Duration;

use syncpoint::sim::{Builder, Sim};
use syncpoint::{Device, Result};
use syncpoint_conformance::model::{Trial, hold};

fn devices(builder: Builder) -> Result<Vec<Device>> {
    let sim = builder.devices(2).build();
    Ok(vec![sim.device(0)?, sim.device(1)?])
}

#[test]
fn random_programs_end_as_the_reference_says_whatever_the_seed() {
    let trial = Trial { seeds: 1000, programs: 4, repeats: 1, runs_on: true };
    let drawn = Sim::builder().late(Duration::from_micros(20)).host_work(Duration::from_micros(20));
    hold(trial, |seed| devices(drawn.seed(seed).stepped()));
}

#[test]
fn random_programs_end_as_the_reference_says_where_a_thread_moves_the_devices() {
    let trial = Trial { seeds: 20, programs: 25, repeats: 3, runs_on: true };
    hold(trial, |seed| devices(Sim::builder().seed(seed)));
}
