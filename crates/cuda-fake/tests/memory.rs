//! Memory and what is done with it in the order of streams.

mod fake;

use fake::*;

#[test]
fn what_is_filled_and_copied_comes_back() {
    let fake = Fake::ready("");
    let (a, b) = (fake.memory(16), fake.memory(16));
    let source: Vec<u8> = (0..16).collect();
    assert_eq!(fake.cuMemcpyHtoD_v2(a, source.as_ptr().cast(), 16), 0);
    assert_eq!(fake.cuMemcpyDtoD_v2(b + 8, a, 8), 0);
    assert_eq!(fake.cuMemsetD32Async(b, 0x0403_0201, 2, 0), 0);
    assert_eq!(fake.read(b, 16), [1, 2, 3, 4, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn copies_and_fills_keep_the_order_of_their_stream() {
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    let memory = fake.memory(4);
    let hold = fake.hold(stream);
    let mut source = [1_u8, 2, 3, 4];
    assert_eq!(fake.cuMemcpyHtoDAsync_v2(memory, source.as_ptr().cast(), 4, stream), 0);
    // Pageable memory was read before the call returned.
    source.fill(9);
    assert_eq!(fake.cuMemsetD8Async(memory, 7, 1, stream), 0);
    assert_eq!(fake.cuStreamQuery(stream), NOT_READY);
    hold.end();
    let mut read = [0_u8; 4];
    assert_eq!(fake.cuMemcpyDtoHAsync_v2(read.as_mut_ptr().cast(), memory, 4, stream), 0);
    assert_eq!(read, [7, 2, 3, 4], "a copy to pageable memory returns when it is done");
    assert_eq!(source, [9; 4]);
}

#[test]
fn a_copy_to_pinned_memory_is_done_when_its_stream_comes_to_it() {
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    let (memory, pinned): (_, u64) = (fake.memory(4), made(|room| fake.cuMemHostAlloc(room, 4, 0)));
    assert_eq!(made(|room| fake.cuMemHostGetDevicePointer_v2(room, pinned, 0)), pinned);
    assert_eq!(fake.cuMemsetD8Async(memory, 5, 4, stream), 0);
    let hold = fake.hold(stream);
    let target = std::ptr::with_exposed_provenance_mut(usize::try_from(pinned).unwrap());
    assert_eq!(fake.cuMemcpyDtoHAsync_v2(target, memory, 4, stream), 0);
    assert_eq!(fake.read(pinned, 4), [0; 4]);
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
    assert_eq!(fake.read(pinned, 4), [5; 4]);
    assert_eq!(fake.cuMemFreeHost(pinned), 0);
    assert_eq!(fake.cuMemFreeHost(pinned), INVALID_VALUE);
}

#[test]
fn an_address_that_is_not_memory_is_refused() {
    let fake = Fake::ready("");
    let memory = fake.memory(8);
    assert_eq!(fake.cuMemsetD8Async(memory, 0, 9, 0), INVALID_VALUE);
    assert_eq!(fake.cuMemsetD8Async(memory + 8, 0, 1, 0), INVALID_VALUE);
    assert_eq!(fake.cuMemsetD32Async(memory + 1, 0, 1, 0), INVALID_VALUE, "not aligned");
    assert_eq!(fake.cuMemcpyDtoD_v2(memory, 64, 8), INVALID_VALUE);
    assert_eq!(fake.cuMemcpyHtoD_v2(memory, std::ptr::null(), 8), INVALID_VALUE);
    assert_eq!(fake.cuMemcpyHtoD_v2(memory, std::ptr::null(), 0), 0);
    assert_eq!(fake.cuMemFree_v2(memory + 1), INVALID_VALUE);
    assert_eq!(fake.cuMemFree_v2(memory), 0);
    assert_eq!(fake.cuMemFree_v2(memory), INVALID_VALUE);
    assert_eq!(fake.cuMemsetD8Async(memory, 0, 8, 0), INVALID_VALUE);
    assert_eq!(fake.cuMemFree_v2(0), 0);
}

#[test]
fn there_is_as_much_memory_as_a_script_says() {
    let fake = Fake::ready("memory=4096");
    let free = || {
        let (mut free, mut total) = (0, 0);
        assert_eq!(fake.cuMemGetInfo_v2(&raw mut free, &raw mut total), 0);
        (free, total)
    };
    assert_eq!(free(), (4096, 4096));
    let memory = fake.memory(4000);
    assert_eq!(free(), (96, 4096));
    assert_eq!(fake.cuMemAlloc_v2(&mut 0, 97), OUT_OF_MEMORY);
    assert_eq!(fake.cuMemAlloc_v2(&mut 0, 0), INVALID_VALUE);
    assert_eq!(fake.cuMemFree_v2(memory), 0);
    assert_eq!(free(), (4096, 4096));
}

#[test]
fn memory_is_freed_in_the_order_of_a_stream() {
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    let hold = fake.hold(stream);
    let memory: u64 = made(|room| fake.cuMemAllocAsync(room, 64, stream));
    assert_eq!(fake.cuMemFreeAsync(memory, stream), 0);
    assert_eq!(fake.alive("memory"), 1);
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
    assert_eq!(fake.alive("memory"), 0);
    assert_eq!(fake.cuMemFreeAsync(memory, stream), INVALID_VALUE);
}

#[test]
fn an_address_tells_where_it_belongs() {
    const MEMORY_TYPE: i32 = 2;
    const RANGE_SIZE: i32 = 12;
    let fake = Fake::ready("");
    let memory = fake.memory(24);
    let pinned: u64 = made(|room| fake.cuMemHostAlloc(room, 8, 0));
    let kind = |address| {
        made(|room: *mut u32| fake.cuPointerGetAttribute(room.cast(), MEMORY_TYPE, address))
    };
    assert_eq!((kind(memory + 5), kind(pinned)), (2, 1));
    let size = made(|room: *mut u64| fake.cuPointerGetAttribute(room.cast(), RANGE_SIZE, memory));
    assert_eq!(size, 24);
    let mut room = 0_u64;
    assert_eq!(fake.cuPointerGetAttribute((&raw mut room).cast(), MEMORY_TYPE, 8), INVALID_VALUE);
}

#[test]
fn memory_of_a_program_is_reached_for_as_long_as_it_is_registered() {
    const ALREADY_REGISTERED: i32 = 712;
    const NOT_REGISTERED: i32 = 713;
    let fake = Fake::ready("");
    let (stream, memory) = (fake.stream(NON_BLOCKING), fake.memory(8));
    let bytes: &'static mut [u8; 8] = Box::leak(Box::new([0; 8]));
    let own = bytes.as_mut_ptr().expose_provenance() as u64;
    assert_eq!(fake.cuMemHostRegister_v2(own, 0, 0), INVALID_VALUE);
    assert_eq!(fake.cuMemHostRegister_v2(own, 8, 0), 0);
    assert_eq!(fake.cuMemHostRegister_v2(own + 4, 8, 0), ALREADY_REGISTERED);
    assert_eq!(made(|room| fake.cuMemHostGetDevicePointer_v2(room, own, 0)), own);
    assert_eq!(fake.cuMemsetD8Async(memory, 5, 8, stream), 0);
    let hold = fake.hold(stream);
    let target = std::ptr::with_exposed_provenance_mut(usize::try_from(own).unwrap());
    assert_eq!(fake.cuMemcpyDtoHAsync_v2(target, memory, 8, stream), 0);
    assert_eq!(fake.read(own, 8), [0; 8], "the copy comes in the order of its stream");
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
    assert_eq!(fake.read(own, 8), [5; 8]);
    assert_eq!(fake.cuMemFreeHost(own), INVALID_VALUE, "it is not the driver's");
    assert_eq!(fake.cuMemHostUnregister(own), 0);
    assert_eq!(fake.cuMemHostUnregister(own), NOT_REGISTERED);
}

#[test]
fn who_still_looks_at_memory_that_was_given_back_finds_what_it_was_last() {
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    let word: &'static mut [u64; 1] = Box::leak(Box::new([6]));
    let own = word.as_mut_ptr().expose_provenance() as u64;
    assert_eq!(fake.cuMemHostRegister_v2(own, 8, 0), 0);
    let hold = fake.hold(stream);
    assert_eq!(fake.cuStreamWaitValue64_v2(stream, own, 6, 0), 0);
    assert_eq!(fake.cuMemHostUnregister(own), 0);
    *word = [0];
    hold.end();
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
}
