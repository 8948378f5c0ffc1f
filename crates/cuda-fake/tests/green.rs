//! Green contexts: parts of a device with streams of their own.

mod fake;

use fake::*;

const MULTIPROCESSORS: u32 = 1;

/// Where in a resource it stands how much it is.
const COUNT: usize = 24;

impl Fake {
    /// A green context of some multiprocessors.
    fn green(&self) -> u64 {
        let whole: Resource = self.whole();
        let (mut groups, mut rest, mut count) = ([[0; 36]; 2], [0; 36], 2);
        let (room, of, beside) = (groups.as_mut_ptr(), &raw const whole, &raw mut rest);
        let split = self.cuDevSmResourceSplitByCount(room, &raw mut count, of, beside, 0, 4);
        assert_eq!((split, count), (0, 2));
        assert_eq!((whole[COUNT], groups[1][COUNT], rest[COUNT]), (16, 4, 8));
        let description = made(|room| self.cuDevResourceGenerateDesc(room, groups.as_mut_ptr(), 1));
        made(|room| self.cuGreenCtxCreate(room, description, 0, 1))
    }

    fn whole(&self) -> Resource {
        let mut whole = [0; 36];
        assert_eq!(self.cuDeviceGetDevResource(0, &raw mut whole, MULTIPROCESSORS), 0);
        whole
    }
}

#[test]
fn streams_of_a_green_context_belong_to_it_and_to_the_primary_one() {
    let fake = Fake::ready("");
    let (primary, green) = (fake.context(), fake.green());
    let stream = made(|room| fake.cuGreenCtxStreamCreate(room, green, NON_BLOCKING, 0));
    let (mut context, mut of) = (0, 0);
    assert_eq!(fake.cuStreamGetCtx_v2(stream, &raw mut context, &raw mut of), 0);
    assert_eq!((context, of), (primary, green));
    assert_eq!(fake.cuStreamGetCtx(stream, &mut 0), NOT_SUPPORTED);
    assert_eq!(made(|room| fake.cuStreamGetGreenCtx(stream, room)), green);
    let plain = fake.stream(0);
    assert_eq!(made(|room| fake.cuStreamGetGreenCtx(plain, room)), 0);
    let hold = fake.hold(stream);
    let event = fake.recorded(stream);
    assert_eq!(fake.cuStreamWaitEvent(plain, event, 0), 0);
    assert_eq!(fake.cuStreamQuery(plain), NOT_READY, "an event of the primary context serves");
    assert_eq!(fake.cuStreamDestroy_v2(plain), 0);
    let of_the_green_one_alone = fake.hold(stream);
    hold.end();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            assert_eq!(fake.cuCtxSetCurrent(primary), 0);
            fake.cuCtxSynchronize()
        });
        assert!(
            stays(|| !waiting.is_finished()),
            "the primary context waits for the green one too"
        );
        of_the_green_one_alone.end();
        assert_eq!(waiting.join().unwrap(), 0);
    });
}

#[test]
fn a_green_context_is_converted_before_it_is_current() {
    let fake = Fake::ready("");
    let green = fake.green();
    assert_eq!(fake.cuCtxSetCurrent(green), INVALID_CONTEXT);
    let context = made(|room| fake.cuCtxFromGreenCtx(room, green));
    assert_eq!(fake.cuCtxSetCurrent(context), 0);
    assert_eq!(fake.cuStreamQuery(LEGACY), 0);
    assert_eq!(fake.cuStreamQuery(PER_THREAD), INVALID_HANDLE);
    let stream = fake.stream(0);
    assert_eq!(fake.cuGreenCtxDestroy(green), 0);
    assert_eq!(fake.cuGreenCtxDestroy(green), INVALID_CONTEXT);
    assert_eq!(fake.cuCtxSynchronize(), CONTEXT_IS_DESTROYED);
    assert_eq!(fake.alive("contexts"), 1, "the primary one has its first user still");
    assert_eq!(fake.cuCtxSetCurrent(fake.retain(0)), 0);
    assert_eq!(fake.cuStreamQuery(stream), INVALID_HANDLE);
}

#[test]
fn what_is_no_part_of_a_device_makes_no_green_context() {
    const INVALID_RESOURCE_TYPE: i32 = 914;
    let fake = Fake::ready("");
    let mut whole = fake.whole();
    assert_eq!(fake.cuDeviceGetDevResource(0, &raw mut whole, 7), INVALID_RESOURCE_TYPE);
    assert_eq!(fake.cuDevResourceGenerateDesc(&mut 0, &raw mut whole, 0), INVALID_VALUE);
    let description = made(|room| fake.cuDevResourceGenerateDesc(room, &raw mut whole, 1));
    assert_eq!(fake.cuGreenCtxCreate(&mut 0, description, 0, 0), INVALID_VALUE);
    assert_eq!(fake.cuGreenCtxCreate(&mut 0, description, 9, 1), INVALID_DEVICE);
    whole[0] = 0;
    assert_eq!(fake.cuDevResourceGenerateDesc(&mut 0, &raw mut whole, 1), INVALID_RESOURCE_TYPE);
}
