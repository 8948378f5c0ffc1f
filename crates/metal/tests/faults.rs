//! Faults of a device, by the double: what is killed, refused, gone or late is an error of who uses it, and never a hang.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod double;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Gate, Kind, Point, Result};
use syncpoint_metal::protocol::{End, Killed, Limits, Status, borrow};

use double::{Call, Double, Fault, Queue, THREAD, block};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// A page fault.
const FAULT: i64 = 3;

/// The device was removed.
const GONE: i64 = 11;

#[track_caller]
fn failure(point: &Point) -> syncpoint::Error {
    point.synchronize_timeout(LONG).expect_err("the work has failed")
}

#[test]
fn a_killed_command_buffer_fails_its_stream_and_wakes_host_and_device_waiters() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (first, second) = (device.stream()?, device.stream()?);
    let (buffer, other) = (device.buffer(64)?, device.buffer(64)?);
    let end = block(&first)?;
    double.kill(0, FAULT);
    first.fill(&buffer, 0..64, 1)?;
    let killed = first.record()?;
    second.wait(&killed)?;
    second.fill(&other, 0..64, 1)?;
    let behind = second.record()?;
    let (waiter, point) = (thread::spawn(move || failure(&behind)), killed.clone());
    let (told, hears) = channel();
    let _notification = point.notify(move |outcome| {
        let name = thread::current().name().unwrap_or("").to_owned();
        told.send((outcome.is_err(), name)).unwrap_or(());
    });
    drop(end);
    let error = failure(&killed);
    assert_eq!(error.kind(), Kind::Driver);
    assert_eq!(error.code().map(|(code, _)| code), Some(FAULT));
    assert!(waiter.join().expect("it only waits").is_same(&error), "one first cause");
    let (is_failure, name) = hears.recv_timeout(LONG).expect("it is told once");
    assert!(is_failure && name != THREAD, "told on a thread of ours: {name}");
    Ok(())
}

#[test]
fn what_was_killed_is_never_complete_however_late_its_handler_comes() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (first, second) = (device.stream()?, device.stream()?);
    let buffer = device.buffer(8)?;
    double.kill(0, FAULT);
    double.hold_handlers();
    first.fill(&buffer, 0..8, 1)?;
    let killed = first.record()?;
    first.fill(&buffer, 0..8, 2)?;
    second.wait(&killed)?;
    second.fill(&buffer, 0..8, 3)?;
    let (behind, beside) = (first.record()?, second.record()?);
    for _ in 0..1_000 {
        assert!(!killed.query()? && !behind.query()? && !beside.query()?);
        thread::yield_now();
    }
    assert_eq!(buffer.to_vec(0..1)?, [0], "nothing that depends on it has run on the device");
    double.call_handlers();
    let error = failure(&killed);
    assert!(failure(&behind).is_same(&error) && failure(&beside).is_same(&error));
    Ok(())
}

#[test]
fn a_stream_whose_command_buffer_was_killed_works_on_once_it_has_recovered() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (first, second) = (device.stream()?, device.stream()?);
    let buffer = device.buffer(8)?;
    double.kill(1, FAULT);
    for _ in 0..4 {
        first.fill(&buffer, 0..8, 1).unwrap_or(());
    }
    let _failed = failure(&first.record()?);
    assert!(first.recover()?.is_some());
    first.fill(&buffer, 0..8, 2)?;
    let filled = first.record()?;
    second.wait(&filled)?;
    second.fill(&buffer, 0..4, 3)?;
    second.record()?.synchronize_timeout(LONG)?;
    assert_eq!(buffer.to_vec(0..8)?, [3, 3, 3, 3, 2, 2, 2, 2]);
    Ok(())
}

#[test]
fn a_kernel_that_the_compiler_refuses_is_no_lack_of_room_and_is_asked_for_again() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let stream = device.stream()?;
    // Two come with the first buffer, and with no other.
    double.refuse_of(Call::Pipeline, 0..4);
    let (buffer, _other) = (device.buffer(8)?, device.buffer(8)?);
    let refused = [stream.fill(&buffer, 1..3, 7), stream.copy(&buffer, 0..3, &buffer, 5..8)];
    for error in refused.map(|outcome| outcome.expect_err("the compiler refuses")) {
        assert_eq!(error.kind(), Kind::Driver);
        assert!(error.message().contains("(by the test)"), "{error}");
    }
    stream.fill(&buffer, 0..8, 1)?;
    stream.fill(&buffer, 1..3, 7)?;
    stream.record()?.synchronize_timeout(LONG)?;
    assert_eq!(buffer.to_vec(0..4)?, [1, 7, 7, 1]);
    Ok(())
}

/// 11 is the number of a device that is gone among those of command buffers alone.
#[test]
fn the_number_of_another_domain_loses_no_device_and_no_reason_is_a_failure_too() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    let of_others = Some(Killed::of_others("NSCocoaErrorDomain", 11, "by the test"));
    for (error, words) in [(of_others, "NSCocoaErrorDomain 11"), (None, "no reason")] {
        let end = End::of(0.0, Status::Failed, error).expect("it has failed");
        double.fault(0, Fault::Ends(end));
        stream.fill(&buffer, 0..8, 1)?;
        let error = failure(&stream.record()?);
        assert_eq!(error.kind(), Kind::Driver);
        assert!(error.message().contains(words), "{error}");
        assert!(stream.recover()?.is_some(), "the device lives");
    }
    Ok(())
}

/// 8 is no room on the device, and 4 a device that this process may use no longer.
#[test]
fn what_a_command_buffer_is_killed_of_says_what_there_is_to_do() -> Result<()> {
    for (code, kind, remedy) in [
        (8, Kind::Exhausted, "free memory of the device"),
        (4, Kind::DeviceLost, "start the program anew"),
    ] {
        let double = Double::default();
        let device = double.device();
        let (stream, other, buffer) = (device.stream()?, device.stream()?, device.buffer(8)?);
        double.kill(0, code);
        stream.fill(&buffer, 0..8, 1)?;
        let killed = stream.record()?;
        let error = failure(&killed);
        assert_eq!((error.kind(), error.code().map(|(code, _)| code)), (kind, Some(code)));
        assert!(error.message().ends_with(remedy), "{error}");
        let is_lost = kind == Kind::DeviceLost;
        assert_eq!(stream.recover().is_err(), is_lost, "a device that is lost stays so");
        let works = other.fill(&buffer, 0..8, 2).and_then(|()| other.record());
        let works = works.and_then(|point| point.synchronize_timeout(LONG));
        assert_eq!(works.err().map(|error| error.kind()), is_lost.then_some(Kind::DeviceLost));
    }
    Ok(())
}

#[test]
fn a_device_that_is_removed_fails_what_is_pending_and_wakes_every_waiter() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (first, second) = (device.stream()?, device.stream()?);
    let buffer = device.buffer(8)?;
    let end = block(&first)?;
    first.fill(&buffer, 0..8, 1)?;
    second.wait(&first.record()?)?;
    let behind = second.record()?;
    let held = device.stream()?;
    held.wait(&behind)?;
    held.enqueue(|| -> () { unreachable!("what it waits for fails") })?;
    let held = held.record()?;
    double.remove();
    drop(end);
    assert_eq!(failure(&behind).kind(), Kind::DeviceLost);
    assert_eq!(failure(&held).kind(), Kind::DeviceLost);
    assert_eq!(
        device.stream().and_then(|_| device.buffer(8)).map(drop).unwrap_err().kind(),
        Kind::DeviceLost
    );
    Ok(())
}

#[test]
fn without_room_a_stream_keeps_what_it_is_given_and_goes_on_as_command_buffers_end() -> Result<()> {
    let double = Double::default();
    let device = double.device_within(Limits { most: 8, patience: LONG });
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    let end = block(&stream)?;
    for number in 0..100 {
        stream.fill(&buffer, 0..8, number)?;
        stream.record_timed()?;
    }
    let last = stream.record()?;
    assert!(stream.statistics().held > 150, "nobody sleeps for room: {:?}", stream.statistics());
    let (other, before) = (device.stream()?, double.commits());
    other.wait(&last)?;
    assert!(other.statistics().held == 1 && double.commits() == before, "nothing is signalled yet");
    drop(end);
    other.record()?.synchronize_timeout(LONG)?;
    assert_eq!((buffer.to_vec(0..1)?, stream.statistics().held), (vec![99], 0));
    Ok(())
}

#[test]
fn what_a_stream_without_room_keeps_fails_with_what_is_before_it() -> Result<()> {
    let double = Double::default();
    let device = double.device_within(Limits { most: 8, patience: LONG });
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    let end = block(&stream)?;
    double.kill(0, FAULT);
    for _ in 0..20 {
        stream.fill(&buffer, 0..8, 1)?;
    }
    let last = stream.record()?;
    drop(end);
    assert_eq!(failure(&last).code().map(|(code, _)| code), Some(FAULT));
    assert!(stream.recover()?.is_some());
    assert_eq!(stream.statistics().held, 0, "it is over with its era at the latest");
    stream.fill(&buffer, 0..8, 2)?;
    stream.record()?.synchronize_timeout(LONG)?;
    assert_eq!((buffer.to_vec(0..1)?, stream.statistics().held), (vec![2], 0));
    Ok(())
}

#[test]
fn a_wait_with_a_deadline_on_a_full_queue_of_others_ends_with_its_deadline() -> Result<()> {
    let double = Double::default();
    let device = double.device_within(Limits { most: 8, patience: 30 * LONG });
    let (stream, gate) = (device.stream()?, Gate::new());
    Queue::of(&stream)?;
    stream.wait(&gate.point())?;
    (0..4).try_for_each(|_| stream.record().map(drop))?;
    let (begun, before) = (Instant::now(), stream.statistics().waits_for_room);
    let late = stream.synchronize_timeout(Duration::from_millis(20)).expect_err("it is full");
    let slept = stream.statistics().waits_for_room;
    assert_eq!((late.kind(), slept), (Kind::TimedOut, before + 1));
    assert!(begun.elapsed() < LONG && late.message().contains("gate"), "{late}");
    thread::scope(|scope| {
        let waits = scope.spawn(|| stream.synchronize_timeout(LONG));
        while stream.statistics().waits_for_room == slept {
            thread::yield_now();
        }
        gate.open()?;
        waits.join().expect("it only waits")
    })
}

/// There is no point to tell of: what came before it on the stream, if anything did, is complete.
#[test]
fn a_wait_that_runs_out_on_a_queue_that_another_stream_has_filled_says_what_is_full() -> Result<()>
{
    let (device, queue) = (Double::default().device(), Queue::ordinary());
    let theirs = borrow::<Double>(&device, queue.clone(), 8)?;
    let (ours, gate) = (borrow::<Double>(&device, queue, 8)?, Gate::new());
    ours.record()?.synchronize_timeout(LONG)?;
    theirs.wait(&gate.point())?;
    (0..4).try_for_each(|_| theirs.record().map(drop))?;
    let late = ours.synchronize_timeout(Duration::from_millis(20)).expect_err("it is full");
    assert_eq!((late.kind(), late.report().is_none()), (Kind::TimedOut, true));
    assert!(late.message().contains("nothing changed"), "{late}");
    assert!(late.message().contains("5 command buffers are on their way"), "{late}");
    gate.open()?;
    ours.synchronize_timeout(LONG)
}

#[test]
fn who_sleeps_for_room_holds_up_nobody_else() -> Result<()> {
    let double = Double::default();
    let device = double.device_within(Limits { most: 8, patience: LONG });
    let (stream, gate) = (device.stream()?, Gate::new());
    Queue::of(&stream)?;
    stream.wait(&gate.point())?;
    thread::scope(|scope| {
        let records = || (0..20).try_for_each(|_| stream.record().map(drop));
        let sleeps = scope.spawn(records);
        while stream.statistics().waits_for_room == 0 {
            thread::yield_now();
        }
        // Under the order lock of the stream.
        assert!(stream.recover()?.is_none());
        assert!(!sleeps.is_finished(), "it sleeps still");
        gate.open()?;
        sleeps.join().expect("it ends")
    })?;
    stream.record()?.synchronize_timeout(LONG)
}

/// A device that is gone may call no handler any more: nothing makes room.
#[test]
fn who_sleeps_for_room_is_told_that_the_device_is_lost() -> Result<()> {
    let double = Double::default();
    let device = double.device_within(Limits { most: 8, patience: 30 * LONG });
    let (full, other) = (device.stream()?, device.stream()?);
    let (buffer, filled) = (device.buffer(8)?, device.buffer(8)?);
    let (let_go, waits) = channel::<()>();
    Queue::of(&full)?.run(move || waits.recv().unwrap_or(()));
    // One more than half of the room is taken: an item may need four places.
    (0..5).try_for_each(|_| full.record().map(drop))?;
    let (sender, told) = channel();
    let full = Arc::new(full);
    let sleeps = Arc::clone(&full);
    thread::spawn(move || sender.send(sleeps.fill(&filled, 0..8, 1)).unwrap_or(()));
    while full.statistics().waits_for_room == 0 {
        thread::yield_now();
    }
    double.kill(0, GONE);
    other.fill(&buffer, 0..8, 1)?;
    let refused = told.recv_timeout(LONG);
    drop(let_go);
    let refused = refused.expect("it sleeps no longer").expect_err("the device is lost");
    assert_eq!(refused.kind(), Kind::DeviceLost);
    Ok(())
}

#[test]
fn thousands_of_operations_wait_for_room_and_pass() -> Result<()> {
    let limits = Limits { most: 3, patience: LONG };
    let device = Double::default().device_within(limits);
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    for _ in 0..2_000 {
        stream.fill(&buffer, 0..8, 1)?;
    }
    stream.record_timed()?.synchronize_timeout(LONG)
}

#[test]
fn what_is_no_time_is_refused_and_harms_nothing() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let stream = device.stream()?;
    for seconds in [0.0, f64::NAN, -1.0] {
        let start = stream.record_timed()?;
        start.synchronize_timeout(LONG)?;
        double.fault(0, Fault::EndsAt(seconds));
        let end = stream.record_timed()?;
        end.synchronize_timeout(LONG)?;
        assert_eq!(end.elapsed_since(&start).unwrap_err().kind(), Kind::Driver, "{seconds}");
        let next = stream.record_timed()?;
        next.synchronize_timeout(LONG)?;
        next.elapsed_since(&start)?;
    }
    Ok(())
}

#[test]
fn a_killed_time_fails_its_point_and_what_is_behind() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, other) = (device.stream()?, device.stream()?);
    for after in [0, 1] {
        double.kill(after, FAULT);
        let timed = stream.record_timed()?;
        other.wait(&timed)?;
        let behind = other.record()?;
        let error = failure(&timed);
        assert_eq!(error.kind(), Kind::Driver);
        assert!(failure(&behind).is_same(&error) && timed.timestamp().is_err());
        assert!(stream.recover()?.is_some() && other.recover()?.is_some());
        stream.record_timed()?.synchronize_timeout(LONG)?;
        other.record_timed()?.synchronize_timeout(LONG)?;
    }
    Ok(())
}

/// What signals behind the time runs beside what was committed before it, as soon as nothing holds it.
#[test]
fn a_time_that_is_killed_by_itself_lets_nobody_through_before_the_work_that_it_tells_of()
-> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, other) = (device.stream()?, device.stream()?);
    let (buffer, copied) = (device.buffer(8)?, device.buffer(8)?);
    let end = block(&stream)?;
    stream.fill(&buffer, 0..8, 7)?;
    let filled = stream.record()?;
    other.wait(&filled)?;
    other.copy(&buffer, 0..8, &copied, 0..8)?;
    let behind = other.record()?;
    double.kill_early(0, FAULT);
    double.fault(1, Fault::Overtakes);
    let timed = stream.record_timed()?;
    let early = behind.synchronize_timeout(Duration::from_millis(100));
    assert_eq!(early.expect_err("the work runs still").kind(), Kind::TimedOut);
    drop(end);
    behind.synchronize_timeout(LONG)?;
    assert_eq!(copied.to_vec(0..8)?, [7; 8]);
    assert_eq!(failure(&timed).code().map(|(code, _)| code), Some(FAULT));
    filled.synchronize_timeout(LONG)
}

#[test]
fn a_clock_that_runs_backwards_is_told_as_such() -> Result<()> {
    let double = Double::default();
    let stream = double.device().stream()?;
    let start = stream.record_timed()?;
    start.synchronize_timeout(LONG)?;
    double.fault(0, Fault::EndsAt(0.5));
    let end = stream.record_timed()?;
    end.synchronize_timeout(LONG)?;
    assert_eq!(end.elapsed_since(&start).unwrap_err().kind(), Kind::Driver);
    Ok(())
}

#[test]
fn an_object_that_is_refused_is_exhausted_and_the_next_is_as_good_as_ever() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    double.refuse(1);
    assert_eq!(device.stream().map(drop).unwrap_err().kind(), Kind::Exhausted);
    double.refuse(1);
    assert_eq!(device.buffer(8).map(drop).unwrap_err().kind(), Kind::Exhausted);
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    for so_many in [1, 2, 3] {
        double.refuse(so_many);
        let refused = (0..so_many).all(|_| stream.fill(&buffer, 0..8, 1).is_err());
        assert!(refused, "{so_many}");
        double.refuse(1);
        assert_eq!(stream.record_timed().map(drop).unwrap_err().kind(), Kind::Exhausted);
        stream.fill(&buffer, 0..8, 2)?;
        stream.record_timed()?.synchronize_timeout(LONG)?;
    }
    Ok(())
}

#[test]
fn a_stream_whose_owner_is_gone_finishes_its_work() -> Result<()> {
    let double = Double::default();
    let device = double.device();
    let (stream, buffer) = (device.stream()?, device.buffer(8)?);
    let end = block(&stream)?;
    stream.fill(&buffer, 0..8, 7)?;
    let last = stream.record()?;
    let begun = Instant::now();
    drop(stream);
    drop(device);
    assert!(begun.elapsed() < LONG, "a drop waits for nothing");
    drop(end);
    last.synchronize_timeout(LONG)?;
    assert_eq!(buffer.to_vec(0..1)?, [7]);
    Ok(())
}
