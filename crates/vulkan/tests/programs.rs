//! Random programs on two devices of Vulkan, held against the reference model of the laws.

mod machine;

use syncpoint_conformance::model::{Trial, hold};

#[test]
fn random_programs_end_as_the_reference_says() {
    if !machine::is_there() {
        return;
    }
    let trial = Trial { seeds: 20, programs: 25, repeats: 2, runs_on: true, races: true };
    hold(trial, |_seed| (0..2).map(|_| syncpoint::vulkan::open(0)).collect());
}
