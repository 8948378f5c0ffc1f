//! Random programs on the host, held against the reference model of the laws.

use syncpoint_conformance::model::{Trial, hold};

#[test]
fn random_programs_end_as_the_reference_says() {
    let trial = Trial { seeds: 40, programs: 25, repeats: 3, runs_on: false, races: true };
    hold(trial, |_seed| Ok(vec![syncpoint_host::open("host:0"), syncpoint_host::open("host:1")]));
}
