//! Vulkan: the backend on two software drivers, and once more under the layer of Khronos that checks each call.

use crate::package::{LAVAPIPE, SWIFTSHADER};
use crate::step::Step;
use crate::workshop::Workshop;

/// Which drivers the loader takes.
const DRIVERS: &str = "VK_ICD_FILENAMES";

/// What the layer is told: it prints what it finds and then breaks the process, so that no test passes over a fault.
const SETTINGS: &str = "crates/vulkan/tests/validation";

/// What runs under the layer: not the faults, which stand between and withhold calls from it. One test at a time: Debian's
/// layer (1.3.239) was seen to crash where many threads ask it at once.
const CHECKED: &str = "--test bridge --test conformance --test handles --test layers --test programs --test streams \
    -- --test-threads=1";

/// All tests on each driver, all under the layer, synchronization included, and a pipeline with the device's own times.
pub(crate) fn steps(workshop: &Workshop) -> Vec<Step> {
    let on = |driver| {
        let step = workshop.runner.step("--package syncpoint-vulkan --lib --tests");
        step.variable(DRIVERS, driver)
    };
    let settings = workshop.root.join(SETTINGS);
    let checked = Step::cargo(&format!("test --package syncpoint-vulkan {CHECKED}"))
        .variable(DRIVERS, LAVAPIPE)
        .variable("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation")
        .variable("VK_LAYER_SETTINGS_PATH", &settings.to_string_lossy());
    let run = "run --quiet --release --package syncpoint-cli -- run examples/overlap.toml";
    let pipeline = Step::cargo(run).words("--device vulkan:0").variable(DRIVERS, LAVAPIPE);
    vec![on(LAVAPIPE), checked, on(SWIFTSHADER), pipeline]
}
