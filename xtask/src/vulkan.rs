//! Vulkan: the backend on two software drivers, and once more under the layer of Khronos that checks each call.

use crate::package::{LAVAPIPE, SWIFTSHADER};
use crate::step::Step;
use crate::workshop::Workshop;

/// Which drivers the loader takes.
pub(crate) const DRIVERS: &str = "VK_ICD_FILENAMES";

/// What the layer is told: it prints what it finds and then breaks the process, so that no test passes over a fault. It
/// looks between submissions too, which it does not by itself.
const SETTINGS: &str = "crates/vulkan/tests/validation";

/// The same but for what is between submissions.
const WITHIN: &str = "crates/vulkan/tests/validation/within";

/// What runs under the layer: not the faults, which stand between and withhold calls from it, and not the semaphores of
/// others, for which the host waits before their signal is submitted. Debian's layer (1.3.239) does not know that and waits
/// for itself (mended in 2024, in its pull request 8519). One test at a time: it was seen to crash where many threads ask it
/// at once.
const CHECKED: &str = "--test calibrated --test conformance --test handles --test layers --test streams \
    -- --test-threads=1";

/// What runs under it but for what is between submissions: where the host has seen a value come, it leaves out the wait for
/// that, and this layer takes what follows for a hazard.
const CHECKED_WITHIN: &str = "--test bridge --test programs -- --test-threads=1";

/// All tests on each driver, all under the layer, synchronization included, a pipeline with the device's own times on
/// each driver, and what fills cost beside the driver's own calls.
pub(crate) fn steps(workshop: &Workshop) -> Vec<Step> {
    let on = |driver| {
        let step = workshop.runner.step("--package syncpoint-vulkan --lib --tests");
        step.variable(DRIVERS, driver)
    };
    let checked = |tests, settings| {
        Step::cargo(&format!("test --package syncpoint-vulkan {tests}"))
            .variable(DRIVERS, LAVAPIPE)
            .variable("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation")
            .variable("VK_LAYER_SETTINGS_PATH", &workshop.root.join(settings).to_string_lossy())
    };
    let (all, within) = (checked(CHECKED, SETTINGS), checked(CHECKED_WITHIN, WITHIN));
    let run = "run --quiet --release --package syncpoint-cli -- run examples/overlap.toml";
    let pipeline = Step::cargo(run).words("--device vulkan:0").variable(DRIVERS, LAVAPIPE);
    // It asks each device that there is; the pipeline before it insists on this one.
    let overlap = |driver| {
        let test = "--package syncpoint-cli --test program overlap_runs_on_every_device";
        workshop.runner.step(test).variable(DRIVERS, driver)
    };
    let bench =
        "run --quiet --package syncpoint-cli --features rivals -- bench --quick --filter fill";
    let bench = Step::cargo(bench).words("--device vulkan:0").variable(DRIVERS, LAVAPIPE);
    let tests = [on(LAVAPIPE), all, within, on(SWIFTSHADER)];
    let programs = [pipeline, overlap(LAVAPIPE), overlap(SWIFTSHADER), bench];
    tests.into_iter().chain(programs).collect()
}
