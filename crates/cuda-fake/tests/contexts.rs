//! Devices, contexts and the stack of current ones, as programs meet them.

mod fake;

use std::thread;

use fake::*;

#[test]
fn nothing_works_before_it_is_initialised() {
    let fake = Fake::load();
    assert_eq!(fake.cuDeviceGetCount(&mut 0), NOT_INITIALIZED);
    assert_eq!(fake.cuCtxSynchronize(), NOT_INITIALIZED);
    assert_eq!(fake.cuInit(1), INVALID_VALUE);
    assert_eq!(fake.cuInit(0), 0);
    assert_eq!(fake.cuInit(0), 0);
    assert_eq!(made(|room| fake.cuDeviceGetCount(room)), 1);
}

#[test]
fn the_version_is_told_without_initialisation() {
    let fake = Fake::scripted("version=11040");
    assert_eq!(made(|room| fake.cuDriverGetVersion(room)), 11040);
}

#[test]
fn there_are_as_many_devices_as_a_script_says() {
    let fake = Fake::ready("devices=3; memory=4096");
    assert_eq!(made(|room| fake.cuDeviceGetCount(room)), 3);
    assert_eq!(made(|room| fake.cuDeviceGet(room, 2)), 2);
    assert_eq!(fake.cuDeviceGet(&mut 0, 3), INVALID_DEVICE);
    assert_eq!(fake.cuDeviceGet(&mut 0, -1), INVALID_DEVICE);
    assert_eq!(made(|room| fake.cuDeviceTotalMem_v2(room, 2)), 4096);
}

#[test]
fn without_a_device_initialisation_says_so() {
    assert_eq!(Fake::scripted("devices=0").cuInit(0), NO_DEVICE);
}

#[test]
fn a_device_says_what_it_is() {
    let fake = Fake::ready("");
    let mut name = [0xee_u8; 64];
    assert_eq!(fake.cuDeviceGetName(name.as_mut_ptr(), 64, 0), 0);
    assert!(name.starts_with(b"syncpoint simulated CUDA device\0"));
    assert_eq!(fake.cuDeviceGetName(name.as_mut_ptr(), 10, 0), 0);
    assert!(name.starts_with(b"syncpoint\0"));
}

#[test]
fn an_attribute_lies_where_a_script_says_so() {
    const UNIFIED_ADDRESSING: i32 = 41;
    let fake = Fake::ready("");
    assert_eq!(made(|room| fake.cuDeviceGetAttribute(room, UNIFIED_ADDRESSING, 0)), 1);
    assert_eq!(fake.script("attribute 41 0"), 0);
    assert_eq!(made(|room| fake.cuDeviceGetAttribute(room, UNIFIED_ADDRESSING, 0)), 0);
    assert_eq!(fake.cuDeviceGetAttribute(&mut 0, 0, 0), INVALID_VALUE);
}

#[test]
fn a_primary_context_is_one_for_all_and_lives_while_somebody_has_it() {
    let fake = Fake::scripted("");
    assert_eq!(fake.cuInit(0), 0);
    let (first, second) = (fake.retain(0), fake.retain(0));
    assert_eq!(first, second);
    assert_eq!(fake.cuDevicePrimaryCtxRelease_v2(0), 0);
    assert_eq!(fake.alive("contexts"), 1);
    assert_eq!(fake.cuDevicePrimaryCtxRelease_v2(0), 0);
    assert_eq!(fake.alive("contexts"), 0);
    assert_eq!(fake.cuDevicePrimaryCtxRelease_v2(0), INVALID_CONTEXT);
}

#[test]
fn reading_the_state_of_a_primary_context_makes_none() {
    let fake = Fake::scripted("");
    assert_eq!(fake.cuInit(0), 0);
    let (mut flags, mut active) = (7, 7);
    assert_eq!(fake.cuDevicePrimaryCtxGetState(0, &raw mut flags, &raw mut active), 0);
    assert_eq!((flags, active, fake.alive("contexts")), (0, 0, 0));
}

#[test]
fn each_thread_has_a_stack_of_contexts() {
    let fake = Fake::ready("");
    let primary = fake.context();
    let own: u64 = made(|room| fake.cuCtxCreate_v2(room, 0, 0));
    assert_eq!(fake.context(), own);
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(fake.context(), 0);
            assert_eq!(fake.cuCtxSynchronize(), INVALID_CONTEXT);
        });
    });
    assert_eq!(made(|room| fake.cuCtxPopCurrent_v2(room)), own);
    assert_eq!(fake.context(), primary);
    assert_eq!(fake.cuCtxPushCurrent_v2(own), 0);
    assert_eq!(fake.cuCtxSetCurrent(0), 0);
    assert_eq!(fake.context(), primary, "none takes the uppermost away");
    assert_eq!(fake.cuCtxSetCurrent(0), 0);
    assert_eq!(fake.cuCtxPopCurrent_v2(std::ptr::null_mut()), INVALID_CONTEXT);
}

#[test]
fn a_context_takes_along_what_was_made_in_it() {
    let fake = Fake::ready("");
    let own: u64 = made(|room| fake.cuCtxCreate_v2(room, 0, 0));
    let (stream, event) = (fake.stream(0), fake.event(0));
    assert_ne!(fake.memory(16), 0);
    assert_eq!(fake.alive("all"), 5);
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(fake.cuCtxSetCurrent(own), 0);
            assert_eq!(fake.cuCtxDestroy_v2(own), 0);
        });
    });
    assert_eq!(fake.alive("all"), 1);
    assert_eq!(fake.context(), own, "it stays current elsewhere");
    assert_eq!(fake.cuCtxSynchronize(), CONTEXT_IS_DESTROYED);
    assert_eq!(fake.cuCtxSetCurrent(fake.retain(0)), 0);
    assert_eq!(fake.cuStreamDestroy_v2(stream), INVALID_HANDLE);
    assert_eq!(fake.cuEventQuery(event), INVALID_HANDLE);
}

#[test]
fn a_reset_empties_the_primary_context_and_its_users_go_on() {
    let fake = Fake::ready("");
    let (context, stream) = (fake.context(), fake.stream(0));
    let before: u64 = made(|room| fake.cuCtxGetId(0, room));
    assert_eq!(fake.cuDevicePrimaryCtxReset_v2(0), 0);
    assert_eq!((fake.context(), fake.alive("streams")), (context, 0));
    assert_eq!(fake.cuStreamQuery(stream), INVALID_HANDLE);
    assert_ne!(made(|room| fake.cuCtxGetId(0, room)), before);
    assert_eq!(fake.cuStreamQuery(fake.stream(0)), 0);
}
