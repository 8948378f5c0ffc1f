//! Random programs on two devices over doubles of Metal, held against the reference model of the laws.

mod double;

use syncpoint_conformance::model::{Trial, hold};

use double::Double;

#[test]
fn random_programs_end_as_the_reference_says() {
    let trial = Trial { seeds: 20, programs: 25, repeats: 2, runs_on: true, races: true };
    hold(trial, |_seed| Ok(vec![Double::open()?, Double::open()?]));
}
