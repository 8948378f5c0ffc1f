//! Vulkan: the backend on two software drivers, and on each once more under the layer of Khronos that checks each call.

use crate::package::{LAVAPIPE, SWIFTSHADER};
use crate::step::Step;
use crate::workshop::Workshop;

/// Which drivers the loader takes.
const DRIVERS: &str = "VK_ICD_FILENAMES";

/// What the layer is told: it prints what it finds and then breaks the process, so that no test passes over a fault. It
/// looks between submissions too, which it does not by itself.
const SETTINGS: &str = "crates/vulkan/tests/validation";

/// The same but for what is between submissions.
const WITHIN: &str = "crates/vulkan/tests/validation/within";

/// What runs under the layer, on each driver. Not semaphores of others (`timelines`, `lost`), for which the host waits before
/// their signal is submitted: Debian's layer (1.3.239) does not know that and waits for itself (mended in 2024, in its pull
/// request 8519). Not several queues, which are threads of a test's own before the layer: it was seen to crash where many
/// threads ask it at once, so one test at a time as well. Not programs that break a rule for a device to be refused
/// (`versions`).
const CHECKED: &str = "--test begin --test beyond --test calibrated --test capabilities \
    --test clock --test conformance --test copies --test deferred --test domains --test forks --test handles \
    --test layers --test locks --test measure --test observed --test older --test other_clocks \
    --test processes --test refused --test rests --test streams --test taken_in --test timeless \
    --test uncalibrated";

/// What runs under it but for what is between submissions: where the host has seen a value come, it leaves out the wait for
/// that, and this layer takes what follows for a hazard. One fault withholds the end of commands from the layer, which then
/// misses it.
const CHECKED_WITHIN: &str = "--test asked --test faults --test programs --test threads";

/// The same of what takes long, with many processes or half a minute on each driver: on lavapipe alone.
const LONG: &str = " --test codes --test exit";
const LONG_WITHIN: &str = " --test bridge";

/// One test at a time, and without the one whose fault the layer does not see.
const CHOICE: &str =
    " -- --test-threads=1 --skip commands_of_refused_submissions_are_used_for_the_next";

/// What `SwiftShader` has not that tests are for, in their words: they say aloud that they try nothing there. Of lavapipe
/// nothing is known to be lacking, so there such a test fails.
const LACKS: [(&str, &str); 2] = [(LAVAPIPE, ""), (SWIFTSHADER, "two-clocks")];

/// The step on this driver, which tests are told the lacks of.
pub(crate) fn on(step: Step, driver: &str) -> Step {
    let of_this = LACKS.into_iter().find(|(known, _)| *known == driver);
    let (_, lacks) = of_this.unwrap_or_else(|| unreachable!("of {driver} LACKS says nothing"));
    step.variable(DRIVERS, driver).variable("SYNCPOINT_LACKS", lacks)
}

/// The step with a tenth of the random programs over several backends, and half of those over one: all of them run once,
/// on lavapipe as it is.
pub(crate) fn with_fewer_programs(step: Step) -> Step {
    step.variable("SYNCPOINT_SEEDS", "10")
}

/// All tests on each driver, most of them under the layer too, synchronization included, a pipeline with the device's own
/// times on each driver, and what fills cost beside the driver's own calls.
pub(crate) fn steps(workshop: &Workshop) -> Vec<Step> {
    let all = || workshop.runner.step("--package syncpoint-vulkan --lib --tests");
    let tests = [LAVAPIPE, SWIFTSHADER].into_iter().flat_map(|driver| {
        let all = on(all(), driver);
        let all = if driver == LAVAPIPE { all } else { with_fewer_programs(all) };
        let [checked, within] = checked(workshop, driver).map(with_fewer_programs);
        [all, checked, within]
    });
    let run = "run --quiet --release --package syncpoint-cli -- run examples/overlap.toml";
    let pipeline = on(Step::cargo(run).words("--device vulkan:0"), LAVAPIPE);
    // It asks each device that there is; the pipeline before it insists on this one.
    let overlap = |driver| {
        let test = "--package syncpoint-cli --test program overlap_runs_on_every_device";
        on(workshop.runner.step(test), driver)
    };
    let bench =
        "run --quiet --package syncpoint-cli --features rivals -- bench --quick --filter fill";
    let bench = on(Step::cargo(bench).words("--device vulkan:0"), LAVAPIPE);
    let programs = [pipeline, overlap(LAVAPIPE), overlap(SWIFTSHADER), bench];
    tests.chain(programs).collect()
}

/// The tests of a driver under the layer, each way.
fn checked(workshop: &Workshop, driver: &str) -> [Step; 2] {
    let [long, long_within] = if driver == LAVAPIPE { [LONG, LONG_WITHIN] } else { [""; 2] };
    let ways = [(CHECKED, long, SETTINGS), (CHECKED_WITHIN, long_within, WITHIN)];
    ways.map(|(tests, long, settings)| {
        let step = Step::cargo(&format!("test --package syncpoint-vulkan {tests}{long}{CHOICE}"));
        on(step, driver)
            .variable("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation")
            .variable("VK_LAYER_SETTINGS_PATH", &workshop.root.join(settings).to_string_lossy())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What does not run under the layer: why, says [`CHECKED`].
    const UNCHECKED: [&str; 6] =
        ["lost", "queue_clocks", "queues", "several_laws", "timelines", "versions"];

    #[test]
    fn every_test_program_runs_under_the_layer_or_is_known_not_to() {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/vulkan/tests");
        let files = fs::read_dir(tests).unwrap().map(|entry| entry.unwrap().path());
        let programs = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
        let all = [CHECKED, CHECKED_WITHIN, LONG, LONG_WITHIN].join(" ");
        let checked: Vec<_> = all.split_whitespace().filter(|word| *word != "--test").collect();
        for program in programs {
            let name = program.file_stem().unwrap().to_str().unwrap().to_owned();
            let is_unchecked = UNCHECKED.contains(&&*name);
            assert_ne!(checked.contains(&&*name), is_unchecked, "{name}");
        }
    }

    #[test]
    fn the_readme_of_the_backend_names_what_does_not_run_under_the_layer() {
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/vulkan/README.md");
        let readme = fs::read_to_string(readme).unwrap();
        let (_, row) = readme.split_once("over all test programs here but ").unwrap();
        let (names, _) = row.split_once(" (why").unwrap();
        let mut told: Vec<_> = names.split('`').skip(1).step_by(2).collect();
        told.sort_unstable();
        assert_eq!(told, UNCHECKED);
    }
}
