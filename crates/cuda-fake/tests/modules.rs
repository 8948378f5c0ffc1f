//! Modules of PTX, and the kernels that are run.

mod fake;

use std::ffi::CStr;

use fake::*;

const INVALID_IMAGE: i32 = 200;

const PTX: &CStr = c".version 6.0 .target sm_50 .address_size 64
.visible .entry syncpoint_delay(.param .u64 nanos) { ret; }
.visible .entry syncpoint_fault() { ret; }
.visible .entry another(.param .u64 nanos) { ret; }";

#[test]
fn a_delay_takes_as_long_as_it_was_told_and_holds_back_no_other_stream() {
    let fake = Fake::ready("");
    let module = made(|room| fake.cuModuleLoadData(room, PTX.as_ptr()));
    let delay = made(|room| fake.cuModuleGetFunction(room, module, c"syncpoint_delay".as_ptr()));
    let (stream, other) = (fake.stream(NON_BLOCKING), fake.stream(NON_BLOCKING));
    let (start, end) = (fake.event(0), fake.event(0));
    assert_eq!(fake.cuEventRecord(start, stream), 0);
    assert_eq!(fake.launch(delay, 3_000_000, stream), 0);
    assert_eq!(fake.cuEventRecord(end, stream), 0);
    assert_eq!(fake.launch(delay, 60_000_000_000, other), 0);
    assert_eq!(fake.cuEventSynchronize(end), 0);
    let elapsed = fake.elapsed(start, end).unwrap();
    assert!(elapsed >= 2.999, "{elapsed}");
    assert_eq!(fake.cuStreamQuery(other), NOT_READY);
}

#[test]
fn a_fault_breaks_its_context_when_its_stream_comes_to_it() {
    const ILLEGAL_ADDRESS: i32 = 700;
    let fake = Fake::ready("");
    let module = made(|room| fake.cuModuleLoadData(room, PTX.as_ptr()));
    let fault = made(|room| fake.cuModuleGetFunction(room, module, c"syncpoint_fault".as_ptr()));
    let stream = fake.stream(NON_BLOCKING);
    let hold = fake.hold(stream);
    assert_eq!(fake.launch(fault, 0, stream), 0);
    assert_eq!(fake.cuStreamQuery(stream), NOT_READY);
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(stream), ILLEGAL_ADDRESS);
}

#[test]
fn another_kernel_is_found_and_not_run() {
    let fake = Fake::ready("");
    let module = made(|room| fake.cuModuleLoadData(room, PTX.as_ptr()));
    let another = made(|room| fake.cuModuleGetFunction(room, module, c"another".as_ptr()));
    assert_eq!(fake.launch(another, 0, 0), NOT_SUPPORTED);
    assert_eq!(fake.cuModuleGetFunction(&mut 0, module, c"third".as_ptr()), NOT_FOUND);
    assert_eq!(fake.cuModuleLoadData(&mut 0, c"no such thing".as_ptr()), INVALID_IMAGE);
    assert_eq!(fake.cuModuleUnload(module), 0);
    assert_eq!(fake.alive("modules"), 0);
    assert_eq!(fake.launch(another, 0, 0), INVALID_HANDLE);
}
