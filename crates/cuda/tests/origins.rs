//! What a driver refused says where it began, and a context that is broken is asked nothing any more.

mod fake;

use std::sync::mpsc::channel;
use std::time::Duration;

use syncpoint::cuda::{builder, expose, open};
use syncpoint::{Device, Error, Gate, Kind, Point, Result, Stream};
use syncpoint_conformance::patience::{PATIENCE, failure_of, heard, refused, say, settle, until};

use fake::Fake;

/// A call of a stream, by its name.
type Call = (&'static str, fn(&Stream, &Stream) -> Result<()>);

const SHORT: Duration = Duration::from_micros(1);

/// Which function of the driver's is refused, and in which call.
const CALLS: &[(&str, Call)] = &[
    ("cuLaunchKernel", ("delay", |stream, _| stream.delay(SHORT))),
    (
        "cuEventRecord",
        ("record", |stream, _| stream.delay(SHORT).and_then(|()| stream.record().map(drop))),
    ),
    (
        "cuEventRecord",
        ("record", |stream, _| {
            stream.delay(SHORT)?;
            stream.device().event().record(stream).map(drop)
        }),
    ),
    ("cuEventRecord", ("record_timed", |stream, _| stream.record_timed().map(drop))),
    ("cuStreamWaitEvent", ("wait", |stream, other| stream.wait(&other.record()?))),
    ("cuMemsetD8Async", ("fill", |stream, _| fill(stream))),
    ("cuCtxPushCurrent_v2", ("submit", |stream, _| stream.submit(|_| ()))),
];

fn fill(stream: &Stream) -> Result<()> {
    stream.fill(&stream.device().buffer(8)?, 0..8, 1)
}

#[track_caller]
fn assert_began(error: &Error, operation: &str, stream: &Stream) {
    let origin = error.origin().unwrap_or_else(|| panic!("{error:?} began nowhere"));
    assert_eq!(origin.operation(), operation, "{error}");
    assert_eq!(origin.object(), stream.timeline().to_string(), "{error}");
    assert!(origin.place().to_string().contains("origins.rs"), "{error}");
}

#[test]
fn what_a_driver_refuses_says_of_which_call_on_which_stream_it_was() {
    Fake::alone("what_a_driver_refuses_says_of_which_call_on_which_stream_it_was", |fake| {
        let device = open(0)?;
        let (stream, quick, busy) = (device.stream()?, device.stream()?, device.stream()?);
        // What is waited for has not come before the wait is refused.
        busy.delay(Duration::from_secs(300))?;
        for (function, (operation, call)) in CALLS {
            // Whatever it is begun with is there.
            call(&stream, &quick)?;
            stream.synchronize()?;
            let calls = match *function {
                "cuMemsetD8Async" => "2",
                // Threads of ours make such calls too, and it comes last.
                "cuCtxPushCurrent_v2" => "1..",
                _ => "1",
            };
            fake.script(&format!("fail {function} {calls} 999"));
            let outcome = call(&stream, &busy).and_then(|()| stream.synchronize());
            assert_began(&refused(outcome, Kind::Driver), operation, &stream);
            stream.recover()?;
        }
        Ok(())
    });
}

#[test]
fn what_was_held_and_is_refused_says_where_it_was_put() {
    Fake::alone("what_was_held_and_is_refused_says_where_it_was_put", |fake| {
        let (device, gate) = (open(0)?, Gate::new());
        let (stream, buffer) = (device.stream()?, device.buffer(8)?);
        stream.wait(&gate.point())?;
        stream.fill(&buffer, 0..8, 1)?;
        let end = stream.record()?;
        fake.script("fail cuMemsetD8Async 1 999");
        gate.open()?;
        assert_began(&failure_of(&end), "fill", &stream);
        Ok(())
    });
}

#[test]
fn what_a_stream_of_others_is_refused_says_so_too() {
    Fake::alone("what_a_stream_of_others_is_refused_says_so_too", |fake| {
        let device = builder().device_gates(PATIENCE).open(0)?;
        let (stream, gate) = (device.stream()?, Gate::new());
        expose(&stream)?;
        fake.script("fail cuStreamWaitValue64_v2 1 999");
        assert_began(&refused(stream.wait(&gate.point()), Kind::Driver), "wait", &stream);
        fake.script("fail cuStreamWaitValue64_v2 1 999");
        assert_began(&refused(stream.enqueue(|| ()), Kind::Driver), "enqueue", &stream);
        fake.script("fail cuEventRecord 1 999");
        assert_began(&refused(stream.record(), Kind::Driver), "record", &stream);
        gate.open()
    });
}

/// The driver says 719 to a question, and then another stream is refused a delay. Gives what each was told.
fn look_and_then_call(fake: &Fake, look: fn(&Fake, &Point) -> Result<()>) -> Result<[Error; 2]> {
    let device = open(0)?;
    let (stream, other) = (device.stream()?, device.stream()?);
    stream.delay(Duration::from_secs(300))?;
    let never = stream.record()?;
    look(fake, &never)?;
    Ok([failure_of(&never), refused(other.delay(SHORT), Kind::DeviceLost)])
}

#[track_caller]
fn assert_began_nowhere([looked, called]: &[Error; 2]) {
    assert_eq!(looked.kind(), Kind::DeviceLost);
    assert!(called.is_same(looked), "{called:?}");
    assert_eq!(looked.origin(), None, "it began in no call: {looked}");
}

#[test]
fn what_a_query_finds_out_did_not_begin_where_the_next_call_is_refused() {
    Fake::alone("what_a_query_finds_out_did_not_begin_where_the_next_call_is_refused", |fake| {
        let told = look_and_then_call(fake, |fake, point| {
            fake.script("break cuEventQuery 1 719");
            point.query().map(drop).or(Ok(()))
        })?;
        assert_began_nowhere(&told);
        Ok(())
    });
}

#[test]
fn what_the_poller_finds_out_did_not_begin_where_the_next_call_is_refused() {
    Fake::alone("what_the_poller_finds_out_did_not_begin_where_the_next_call_is_refused", |fake| {
        let told = look_and_then_call(fake, |fake, point| {
            // Who has a listener listed asks once at most.
            fake.script("break cuEventQuery 2 719");
            let (sender, told) = channel();
            let _told = point.notify(move |end| say(&sender, end))?;
            assert!(heard(&told, "the loss").is_err());
            Ok(())
        })?;
        assert_began_nowhere(&told);
        Ok(())
    });
}

#[test]
fn a_stream_that_failed_as_it_was_asked_did_not_fail_where_it_refuses_work() {
    Fake::alone(
        "a_stream_that_failed_as_it_was_asked_did_not_fail_where_it_refuses_work",
        |fake| {
            let stream = open(0)?.stream()?;
            stream.delay(Duration::from_secs(300))?;
            let never = stream.record()?;
            fake.script("fail cuEventQuery 1 999");
            let first = refused(never.query(), Kind::Driver);
            assert!(refused(fill(&stream), Kind::Driver).is_same(&first));
            assert!(refused(stream.delay(SHORT), Kind::Driver).is_same(&first));
            assert_eq!(first.origin(), None, "it began in no call: {first}");
            Ok(())
        },
    );
}

/// Everything that a program may ask of a device and its objects, none of which is refused for another reason.
fn ask_everything(device: &Device, stream: &Stream, shared: &Stream) -> Vec<Result<()>> {
    let again = || device.stream().map(drop);
    vec![
        stream.delay(SHORT),
        stream.record().and_then(|point| point.query().map(drop)),
        stream.record_timed().map(drop),
        stream.query().map(drop),
        stream.enqueue(|| ()),
        stream.submit(|_| ()),
        stream.synchronize(),
        shared.delay(SHORT),
        shared.query().map(drop),
        shared.record().and_then(|point| point.synchronize()),
        shared.submit(|_| ()),
        stream.recover().map(drop),
        device.buffer(8).map(drop),
        again(),
        syncpoint::cuda::legacy_stream(device).map(drop),
        syncpoint::cuda::per_thread_stream(device).map(drop),
    ]
}

#[test]
fn a_broken_context_answers_with_the_first_cause_and_the_driver_is_not_asked() {
    Fake::alone(
        "a_broken_context_answers_with_the_first_cause_and_the_driver_is_not_asked",
        |fake| {
            fake.script("devices=2");
            let (device, well) = (open(0)?, open(1)?.stream()?);
            let (stream, shared, buffer) = (device.stream()?, device.stream()?, device.buffer(8)?);
            let (pending, elsewhere) = (device.stream()?, device.stream()?);
            expose(&shared)?;
            // What the buffer was cleared with is ended in its own time, and not after the loss.
            until("the reaper's call", || fake.count("cuEventDestroy_v2") > 0);
            pending.delay(Duration::from_secs(300))?;
            let never = pending.record()?;
            // The poller asks about it, and does not hear of the loss first: whoever lists a listener asks once at most.
            let asked = fake.count("cuEventQuery");
            fake.script("block cuEventQuery 2; break cuLaunchKernel 1 719");
            let told = never.notify(|_end| ())?;
            until("the poller's question", || fake.count("cuEventQuery") > asked + 1);
            let first = refused(stream.delay(SHORT), Kind::DeviceLost);
            assert_began(&first, "delay", &stream);
            let left = fake.count("cuCtxPopCurrent_v2");
            fake.script("release");
            assert!(failure_of(&never).is_same(&first));
            until("the failure of all", || {
                [&stream, &shared, &elsewhere].iter().all(|s| s.failure().is_some())
            });
            until("the poller's last call", || fake.count("cuCtxPopCurrent_v2") > left);
            let before = fake.count("*");
            for outcome in ask_everything(&device, &stream, &shared) {
                let lost = refused(outcome, Kind::DeviceLost);
                assert!(lost.is_same(&first), "{lost:?}");
            }
            for outcome in [stream.wait(&never), elsewhere.wait(&never), never.query().map(drop)] {
                assert!(refused(outcome, Kind::DeviceLost).is_same(&first));
            }
            assert!(refused(buffer.to_vec(0..8), Kind::DeviceLost).is_same(&first));
            assert!(refused(buffer.write(0, &[1]), Kind::DeviceLost).is_same(&first));
            assert!(refused(stream.fill(&buffer, 0..8, 1), Kind::DeviceLost).is_same(&first));
            // Meanwhile a poller would have asked hundreds of times.
            let host = syncpoint::open("host:0")?.stream()?;
            host.delay(Duration::from_millis(50))?;
            settle(&host.record()?);
            assert_eq!(fake.count("*"), before, "nobody asked the driver");
            // It is the context that is broken.
            well.delay(SHORT)?;
            settle(&well.record()?);
            drop(told);
            Ok(())
        },
    );
}
