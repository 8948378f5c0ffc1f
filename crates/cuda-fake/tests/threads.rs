//! Many threads that use the same streams and events at once: nothing hangs, nothing is lost.

mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use fake::*;

const THREADS: u64 = 8;
const ROUNDS: u64 = 200;

#[test]
fn threads_may_share_streams_and_events() {
    let fake = Fake::ready("devices=2");
    let contexts = [fake.context(), fake.retain(1)];
    let objects = contexts.map(|context| {
        assert_eq!(fake.cuCtxSetCurrent(context), 0);
        let streams = [fake.stream(0), fake.stream(NON_BLOCKING), LEGACY, PER_THREAD];
        (streams, [(); 3].map(|()| fake.event(0)))
    });
    let ran = Arc::new(AtomicU64::new(0));
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let (fake, ran) = (&fake, Arc::clone(&ran));
            scope.spawn(move || {
                let own = usize::try_from(seed % 2).unwrap();
                assert_eq!(fake.cuCtxSetCurrent(contexts[own]), 0);
                let (streams, events) = objects[own];
                let (_, foreign) = objects[1 - own];
                for round in 0..ROUNDS {
                    let draw = usize::try_from(seed * 31 + round * 7).unwrap();
                    let (stream, event) = (streams[draw % 4], events[draw % 3]);
                    assert_eq!(fake.cuEventRecord(event, stream), 0);
                    assert_eq!(fake.cuStreamWaitEvent(streams[draw % 3], event, 0), 0);
                    assert_eq!(fake.cuStreamWaitEvent(stream, foreign[draw % 3], 0), 0);
                    let ran = Arc::clone(&ran);
                    // Relaxed: the joined contexts below order it.
                    fake.run(stream, move || {
                        ran.fetch_add(1, Ordering::Relaxed);
                    });
                    assert!([0, NOT_READY].contains(&fake.cuEventQuery(event)));
                }
                assert_eq!(fake.cuStreamSynchronize(PER_THREAD), 0);
            });
        }
    });
    for context in contexts {
        assert_eq!(fake.cuCtxSetCurrent(context), 0);
        assert_eq!(fake.cuCtxSynchronize(), 0);
    }
    assert_eq!(ran.load(Ordering::Relaxed), THREADS * ROUNDS);
}

#[test]
fn objects_may_come_and_go_beside_one_another() {
    let fake = Fake::ready("");
    let context = fake.context();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                assert_eq!(fake.cuCtxSetCurrent(context), 0);
                for _ in 0..ROUNDS {
                    let stream = fake.stream(0);
                    let event = fake.recorded(stream);
                    assert_eq!(fake.cuStreamWaitEvent(LEGACY, event, 0), 0);
                    assert_eq!(fake.cuStreamDestroy_v2(stream), 0);
                    assert_eq!(fake.cuEventDestroy_v2(event), 0);
                }
            });
        }
    });
    assert_eq!(fake.cuCtxSynchronize(), 0);
    assert_eq!((fake.alive("streams"), fake.alive("events")), (0, 0));
}
