//! Words of memory that streams write and wait for.

mod fake;

use fake::*;

const AT_LEAST: u32 = 0;
const EQUAL: u32 = 1;
const AND: u32 = 2;
const NEITHER: u32 = 3;

#[test]
fn a_stream_waits_for_a_value_and_holds_back_no_other() {
    let fake = Fake::ready("");
    let [waiting, writing] = [(); 2].map(|()| fake.stream(NON_BLOCKING));
    for word in [fake.memory(8), made(|room| fake.cuMemHostAlloc(room, 8, 0))] {
        assert_eq!(fake.cuStreamWaitValue64_v2(waiting, word, 1 << 40, AT_LEAST), 0);
        let event = fake.recorded(waiting);
        assert_eq!(fake.cuStreamWriteValue64_v2(writing, word, (1 << 40) - 1, 0), 0);
        assert_eq!(fake.cuStreamSynchronize(writing), 0);
        assert_eq!(fake.cuEventQuery(event), NOT_READY);
        assert_eq!(fake.cuStreamWriteValue64_v2(writing, word, 1 << 40, 0), 0);
        assert_eq!(fake.cuEventSynchronize(event), 0);
    }
}

#[test]
fn values_are_compared_as_a_stream_asks() {
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    let word = fake.memory(4);
    for (written, value, how) in [
        (4, 3, AT_LEAST),
        (1, 0xffff_fff0, AT_LEAST),
        (7, 7, EQUAL),
        (4, 6, AND),
        (0xffff_0000, 0x0000_fffe, NEITHER),
    ] {
        assert_eq!(fake.cuStreamWriteValue32_v2(stream, word, written, 0), 0);
        assert_eq!(fake.cuStreamWaitValue32_v2(stream, word, value, how), 0);
        assert_eq!(fake.cuStreamSynchronize(stream), 0, "{written} {value} {how}");
    }
}

#[test]
fn a_value_that_is_not_the_one_awaited_holds_a_stream_back() {
    let fake = Fake::ready("");
    let (beside, word) = (fake.stream(NON_BLOCKING), fake.memory(4));
    for (written, value, how) in [(2, 3, AT_LEAST), (6, 7, EQUAL), (1, 6, AND), (9, !9, NEITHER)] {
        let stream = fake.stream(NON_BLOCKING);
        assert_eq!(fake.cuStreamWriteValue32_v2(stream, word, written, 0), 0);
        assert_eq!(fake.cuStreamWaitValue32_v2(stream, word, value, how), 0);
        let event = fake.recorded(stream);
        // A value that does come, for another stream, shows that there was time to look.
        let sign = fake.memory(4);
        assert_eq!(fake.cuStreamWaitValue32_v2(beside, sign, 1, EQUAL), 0);
        assert_eq!(fake.cuStreamWriteValue32_v2(fake.stream(NON_BLOCKING), sign, 1, 0), 0);
        assert_eq!(fake.cuStreamSynchronize(beside), 0);
        assert_eq!(fake.cuEventQuery(event), NOT_READY, "{written} {value} {how}");
    }
}

#[test]
fn several_operations_are_given_at_once() {
    let fake = Fake::ready("");
    let stream = fake.stream(NON_BLOCKING);
    let memory = fake.memory(16);
    let rows = [[5, memory, 77, 0, 0, 0], [4, memory, 77, 1, 0, 0], [2, memory + 8, 5, 0, 0, 0]];
    assert_eq!(fake.cuStreamBatchMemOp_v2(stream, 3, rows.as_ptr(), 0), 0);
    assert_eq!(fake.cuStreamSynchronize(stream), 0);
    let expected = [77_u64.to_ne_bytes(), 5_u64.to_ne_bytes()].concat();
    assert_eq!(fake.read(memory, 16), expected);
}

#[test]
fn what_is_no_word_is_refused() {
    let fake = Fake::ready("");
    let memory = fake.memory(8);
    assert_eq!(fake.cuStreamWriteValue32_v2(0, 0, 1, 0), INVALID_VALUE);
    assert_eq!(fake.cuStreamWriteValue32_v2(0, memory + 2, 1, 0), INVALID_VALUE);
    assert_eq!(fake.cuStreamWriteValue64_v2(0, memory + 4, 1, 0), INVALID_VALUE);
    assert_eq!(fake.cuStreamWaitValue32_v2(0, memory, 1, 4), INVALID_VALUE);
    assert_eq!(fake.cuStreamWaitValue32_v2(0, memory, 1, 1 << 30), NOT_SUPPORTED, "no flush");
}

#[test]
fn a_wait_that_nobody_satisfies_ends_with_its_context() {
    const LAUNCH_FAILED: i32 = 719;
    let fake = Fake::ready("break cuCtxGetDevice 1 719");
    let (stream, word) = (fake.stream(NON_BLOCKING), fake.memory(4));
    assert_eq!(fake.cuStreamWaitValue32_v2(stream, word, 1, AT_LEAST), 0);
    assert_eq!(fake.cuStreamQuery(stream), NOT_READY);
    assert_eq!(fake.cuCtxGetDevice(&mut 0), LAUNCH_FAILED);
    assert_eq!(fake.cuStreamSynchronize(stream), LAUNCH_FAILED);
}
