//! Devices that lack functions: others wrote them for an earlier Vulkan, or the driver has not what it says it has.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "what a handle names only its owner can say")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod between;
mod machine;
mod theirs;

use std::cell::Cell;
use std::time::Duration;

use ash::vk;
use syncpoint::vulkan::Access;
use syncpoint::{Device, Kind, Result};

use between::Found;
use theirs::Theirs;

/// What timeline semaphores are by the names of Vulkan 1.2.
const CORE: &[&str] = &["vkGetSemaphoreCounterValue", "vkWaitSemaphores", "vkSignalSemaphore"];

/// Those, and one of the extension's.
const ANY: &[&str] =
    &["vkGetSemaphoreCounterValue", "vkWaitSemaphores", "vkSignalSemaphore", "vkWaitSemaphoresKHR"];

thread_local! {
    /// What is not found on this thread.
    static HIDDEN: Cell<&'static [&'static str]> = const { Cell::new(&[]) };
}

fn replace(name: &str, found: Found) -> Found {
    if HIDDEN.get().contains(&name) { None } else { found }
}

fn is_there() -> bool {
    between::used(replace) && machine::is_there()
}

/// What `run` gives where these functions are not found.
fn without<T>(hidden: &'static [&'static str], run: impl FnOnce() -> T) -> T {
    HIDDEN.set(hidden);
    let given = run();
    HIDDEN.set(&[]);
    given
}

/// Takes in a device whose program is written for a version of Vulkan and knows timeline semaphores by the extension.
fn taken_in(version: u32) -> Result<Device> {
    let user = Theirs::made(version, &[vk::KHR_TIMELINE_SEMAPHORE_NAME]);
    // SAFETY: the owner keeps all of it alive, and nobody else uses the queue.
    unsafe { syncpoint::vulkan::open_device(&user.handles(), Access::Dedicated, Kept(user)) }
}

/// What a backend keeps, whose end is on a thread of ours.
struct Kept(#[expect(dead_code, reason = "kept for its drop")] Theirs);

fn work(device: &Device) -> Result<()> {
    let (first, second, buffer) = (device.stream()?, device.stream()?, device.buffer(64)?);
    first.fill(&buffer, 0..64, 3)?;
    second.wait(&first.record()?)?;
    second.fill(&buffer, 0..1, 4)?;
    let end = second.record()?;
    end.query()?;
    end.synchronize_timeout(Duration::from_secs(20))?;
    assert_eq!(buffer.to_vec(0..3)?, [4, 3, 3]);
    Ok(())
}

/// What became of it where it is to be refused.
#[track_caller]
fn assert_refused(opened: Result<Device>, words: &str) {
    let refused = opened.expect_err("it lacks what is needed");
    assert_eq!(refused.kind(), Kind::Unsupported, "{refused}");
    assert!(refused.message().contains(words), "{refused}");
}

/// A driver of a later version has both names, and gives those alone that the program was written for.
#[test]
fn a_device_whose_program_is_of_vulkan_1_1_is_used_by_the_names_of_the_extension() -> Result<()> {
    if !is_there() {
        return Ok(());
    }
    let device = without(CORE, || taken_in(vk::API_VERSION_1_1))?;
    work(&device)
}

#[test]
fn a_device_whose_program_is_of_vulkan_1_0_is_refused_with_words() {
    if !is_there() {
        return;
    }
    for hidden in ["vkGetPhysicalDeviceFeatures2", "vkGetPhysicalDeviceProperties2"] {
        let hidden = Vec::leak(vec![hidden]);
        let opened = without(hidden, || taken_in(vk::API_VERSION_1_0));
        assert_refused(opened, "its instance is of Vulkan 1.0; give another, of an instance for");
    }
    // Loaders that have those functions for whatever instance tell no features by them.
    assert_refused(taken_in(vk::API_VERSION_1_0), "of an instance for Vulkan 1.1 or later");
}

#[test]
fn a_device_that_was_made_without_timeline_semaphores_is_refused_with_words() {
    if !is_there() {
        return;
    }
    let opened = without(ANY, || taken_in(vk::API_VERSION_1_1));
    assert_refused(opened, "it was made without timeline semaphores");
}

#[test]
fn a_driver_without_the_functions_that_it_says_it_has_is_refused_by_its_name() -> Result<()> {
    if !is_there() {
        return Ok(());
    }
    let opened = without(ANY, || syncpoint::vulkan::open(0));
    assert_refused(opened, "vkGetDeviceProcAddr refused for vulkan:0");
    work(&syncpoint::vulkan::open(0)?)
}
