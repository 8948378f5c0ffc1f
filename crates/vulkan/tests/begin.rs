//! The beginning of the driver: what is refused then is told, leaves nothing behind, and hides nothing else.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod between;
mod faulty;
mod machine;

use std::env;
use std::path::Path;
use std::process::Command;

use ash::vk;
use syncpoint::{Kind, Result};
use syncpoint_conformance::skip;

use faulty::Fault;

/// Two drivers that share no code.
const DRIVERS: [&str; 2] =
    ["/usr/share/vulkan/icd.d/lvp_icd.x86_64.json", "/usr/lib/chromium/vk_swiftshader_icd.json"];

/// The variable in which a child of a test is told what it is there for.
const CHILD: &str = "SYNCPOINT_TEST_OF_TWO_DRIVERS";

fn fail(function: &'static str, times: u64, first: u64) {
    let code = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
    faulty::plan(Some(Fault { function, first, times, code }));
}

/// In a child, because a driver begins once in a process.
#[test]
fn a_device_that_is_refused_hides_no_other() -> Result<()> {
    if env::var_os(CHILD).is_some() {
        return with_two_drivers();
    }
    if let Some(missing) = DRIVERS.iter().find(|driver| !Path::new(driver).exists()) {
        skip(missing);
        return Ok(());
    }
    let mut child = Command::new(env::current_exe().expect("this program has a name"));
    child.args(["--exact", "a_device_that_is_refused_hides_no_other", "--nocapture"]);
    child.env(CHILD, "1").env("VK_ICD_FILENAMES", DRIVERS.join(":"));
    let output = child.output().expect("it can be run again");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn with_two_drivers() -> Result<()> {
    assert!(faulty::used(), "there is a loader");
    fail("vkEnumerateDeviceExtensionProperties", 1, 2);
    assert_eq!(syncpoint::vulkan::count()?, 1, "one is left out");
    assert_eq!(faulty::met(), 1);
    faulty::plan(None);
    let error = syncpoint::vulkan::open(1).expect_err("it is left out").to_string();
    let left_out = "(left out: a device of which vkEnumerateDeviceExtensionProperties refused";
    assert!(error.contains(left_out), "{error}");
    syncpoint::vulkan::open(0).map(drop)
}

#[test]
fn a_driver_that_cannot_begin_leaves_no_instance_and_may_begin_later() {
    if env::var_os(CHILD).is_some() || !faulty::used() {
        return;
    }
    let begins = [
        "vkEnumerateInstanceExtensionProperties",
        "vkCreateInstance",
        "vkEnumeratePhysicalDevices",
        "vkEnumerateDeviceExtensionProperties",
    ];
    let refused = begins.map(|function| {
        fail(function, u64::MAX, 1);
        (function, syncpoint::vulkan::count())
    });
    faulty::plan(None);
    // The second was counted as it failed, and made nothing.
    let made = faulty::calls_of("vkCreateInstance") - 1;
    let ended = faulty::calls_of("vkDestroyInstance");
    if !machine::is_there() {
        return;
    }
    for (function, refused) in refused {
        let refused = refused.expect_err(function);
        assert_eq!(refused.kind(), Kind::Unavailable, "{refused}");
        assert!(refused.to_string().contains(function), "{refused}");
    }
    assert_eq!((made, ended), (2, 2), "an instance was left behind");
}
