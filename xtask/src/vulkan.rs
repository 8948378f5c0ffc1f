//! Vulkan: the backend on two software drivers, and once more under the layer of Khronos that checks each call.

use crate::package::{LAVAPIPE, SWIFTSHADER};
use crate::step::Step;
use crate::workshop::Workshop;

/// Which drivers the loader takes.
const DRIVERS: &str = "VK_ICD_FILENAMES";

/// What the layer is told: it prints what it finds and then breaks the process, so that no test passes over a fault.
const SETTINGS: &str = "crates/vulkan/tests/validation";

/// All tests on each driver, all under the layer, synchronization included, and a pipeline with the device's own times.
pub(crate) fn steps(workshop: &Workshop) -> Vec<Step> {
    let on = |driver| {
        let step = workshop.runner.step("--package syncpoint-vulkan --lib --tests");
        step.variable(DRIVERS, driver)
    };
    let settings = workshop.root.join(SETTINGS);
    // One test at a time: Debian's layer was seen to crash where many threads ask it at once.
    let checked = Step::cargo("test --package syncpoint-vulkan --lib --tests -- --test-threads=1")
        .variable(DRIVERS, LAVAPIPE)
        .variable("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation")
        .variable("VK_LAYER_SETTINGS_PATH", &settings.to_string_lossy());
    let run = "run --quiet --release --package syncpoint-cli -- run examples/overlap.toml";
    let pipeline = Step::cargo(run).words("--device vulkan:0").variable(DRIVERS, LAVAPIPE);
    vec![on(LAVAPIPE), checked, on(SWIFTSHADER), pipeline]
}
