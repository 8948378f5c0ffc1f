//! What a device says of itself, as the README tells it of each driver that this is tried on.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod machine;

use syncpoint::{Device, Result};
use syncpoint_conformance::tell;

/// The drivers of the README, by what is in the names of their devices' clocks.
const DRIVERS: [(&str, &str); 2] = [("llvmpipe", "lavapipe"), ("SwiftShader", "SwiftShader")];

#[test]
fn the_readme_tells_what_each_driver_can_do() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let name = device.clock().name().to_owned();
    let Some((_, driver)) = DRIVERS.iter().find(|(known, _)| name.contains(known)) else {
        tell(&format!("the README says nothing of {name}"));
        return Ok(());
    };
    let (readme, row) = (include_str!("../../../README.md"), row(driver, &device));
    assert!(readme.lines().any(|line| line == row), "the README should say:\n{row}");
    Ok(())
}

fn row(driver: &str, device: &Device) -> String {
    let (has, yes) = (device.capabilities(), |has| if has { "yes" } else { "no" });
    let marks =
        [has.timing, has.interprocess, has.external, has.native_handle].map(yes).join(" | ");
    let (least, greatest) = (has.priorities.least(), has.priorities.greatest());
    let resolution = device.clock().resolution();
    format!("| vulkan on {driver} | {marks} | {least} to {greatest} | {resolution:?} |")
}
