//! Codes: each function of the driver that can fail does once, with each kind of code, at its first call and at later ones.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod between;
mod faulty;
mod machine;

use ash::vk;
use syncpoint::{Kind, Result};
use syncpoint_conformance::patience;

use faulty::Fault;
use faulty::work::{open_and_work, work};

/// Whatever fails is told with its name, or harms nothing, and the next device is as good as new. Gives how many calls the
/// fault has met.
#[track_caller]
fn assert_told(fault: Fault, kind: Kind) -> u64 {
    faulty::plan(Some(fault));
    let outcome = open_and_work();
    let met = faulty::met();
    faulty::plan(None);
    if let Err(error) = outcome {
        assert!(error.to_string().contains(fault.function), "{fault:?}: {error}");
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
    }
    open_and_work().expect("a new device works");
    met
}

/// The functions of a device in use: not those with which the driver begins, which it does once in a process (`begin` has
/// the faults of that), and not the one by which a lost device comes to rest (`rests`).
fn functions() -> impl Iterator<Item = &'static str> {
    let used = faulty::FUNCTIONS.iter().skip(4);
    used.copied().filter(|function| *function != faulty::REST)
}

/// Tries a code on each, which is told as this kind, and of a submission as the other.
#[track_caller]
fn try_everywhere(code: vk::Result, kind: Kind, of_submission: Kind) {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return;
    }
    for function in functions() {
        let kind = if function == "vkQueueSubmit" { of_submission } else { kind };
        let faults = (1..=4).map(|first| Fault { function, first, times: 1, code });
        let met: u64 = faults.map(|fault| assert_told(fault, kind)).sum();
        assert!(met > 0, "{function} was never called");
    }
}

#[test]
fn what_fails_once_is_told_by_its_name_and_harms_nothing_later() {
    try_everywhere(vk::Result::ERROR_OUT_OF_HOST_MEMORY, Kind::Exhausted, Kind::Exhausted);
}

#[test]
fn a_device_without_memory_is_told_by_the_name_of_the_call() {
    try_everywhere(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY, Kind::Exhausted, Kind::Exhausted);
}

#[test]
fn a_code_that_says_nothing_is_told_by_the_name_of_the_call() {
    // Whether the device has the submission nobody knows.
    try_everywhere(vk::Result::ERROR_UNKNOWN, Kind::Driver, Kind::DeviceLost);
}

/// A submission that answers so is of a driver that answers what it likes.
#[test]
fn a_submission_with_a_code_of_other_calls_loses_its_device() {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return;
    }
    for code in [vk::Result::ERROR_INITIALIZATION_FAILED, vk::Result::ERROR_FEATURE_NOT_PRESENT] {
        let fault = Fault { function: "vkQueueSubmit", first: 1, times: 1, code };
        assert!(assert_told(fault, Kind::DeviceLost) > 0, "it is called");
    }
}

#[test]
fn a_loss_is_told_by_the_name_of_the_call() {
    try_everywhere(vk::Result::ERROR_DEVICE_LOST, Kind::DeviceLost, Kind::DeviceLost);
}

/// Whichever call says so: nothing of the device can be used from then on.
#[test]
fn a_device_is_lost_once_any_call_has_said_so() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    // After these that create it.
    for function in functions().skip(2) {
        let device = syncpoint::vulkan::open_with_difference(0, 3)?;
        let code = vk::Result::ERROR_DEVICE_LOST;
        faulty::plan(Some(Fault { function, first: 1, times: 1, code }));
        let outcome = work(&device);
        let met = faulty::met();
        faulty::plan(None);
        if met == 0 {
            outcome.expect(function);
            continue;
        }
        patience::until("the loss", || device.stream().is_err());
        let refused = device.stream().expect_err("it is lost");
        assert_eq!(refused.kind(), Kind::DeviceLost, "{refused}");
        assert!(refused.to_string().contains(function), "{refused}");
    }
    Ok(())
}
