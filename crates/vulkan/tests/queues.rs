//! Devices with several queues, each of which goes its own way: streams get them in turn.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "commands of the user's are submitted: none")]
#![expect(
    clippy::panic_in_result_fn,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod between;
mod machine;
#[expect(dead_code, reason = "its queues are said to share a clock")]
mod several;
mod theirs;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use syncpoint::vulkan::{RawStream, handles};
use syncpoint::{Device, Kind, Result, retire};
use syncpoint_conformance::model::{Trial, hold};
use syncpoint_conformance::patience;

use several::{QUEUES, queue_of};
use theirs::Theirs;

const LONG: Duration = Duration::from_secs(20);

/// Whether there is a device, which has several queues now.
fn is_there() -> bool {
    several::used() && machine::is_there()
}

/// A device whose queues are used; `None`: there is none, or its driver does not say that its queues share a clock.
fn device() -> Option<Device> {
    let device = is_there().then(|| syncpoint::vulkan::open(0).unwrap())?;
    let reads = Theirs::of(&handles(&device).unwrap()).reads_two_clocks();
    machine::has(machine::TWO_CLOCKS, reads).then_some(device)
}

#[test]
fn streams_get_the_queues_of_their_device_in_turn() -> Result<()> {
    if !is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let mut queues = Vec::new();
    for _ in 0..3 * QUEUES {
        queues.push(queue_of(&device.stream()?)?);
    }
    // Their times may not be compared where nobody says that they are of one clock.
    let is_one_clock = Theirs::of(&handles(&device)?).reads_two_clocks();
    let is_one_clock = machine::has(machine::TWO_CLOCKS, is_one_clock);
    let several = if is_one_clock { QUEUES as usize } else { 1 };
    assert_eq!(queues.iter().collect::<HashSet<_>>().len(), several, "{queues:?}");
    assert!(queues.iter().zip(&queues[several..]).all(|(queue, next)| queue == next), "{queues:?}");
    assert_eq!(handles(&device)?.queue as u64, queues[0]);
    Ok(())
}

#[test]
fn a_queue_that_stands_holds_its_own_streams_alone() -> Result<()> {
    let Some(device) = device() else { return Ok(()) };
    let (first, beside, buffer) = (device.stream()?, device.stream()?, device.buffer(64)?);
    let standing = several::of(queue_of(&first)?);
    standing.hold();
    first.fill(&buffer, 0..32, 1)?;
    let held = first.record()?;
    beside.fill(&buffer, 32..64, 2)?;
    beside.synchronize_timeout(LONG)?;
    assert!(!held.query()?, "its queue stands");
    // What waits for it stands too, on a queue of its own.
    beside.wait(&held)?;
    beside.fill(&buffer, 0..16, 3)?;
    let behind = beside.record()?;
    assert!(!behind.query()?);
    standing.let_go();
    behind.synchronize_timeout(LONG)?;
    assert_eq!(buffer.to_vec(0..64)?, [[3; 16].as_slice(), &[1; 16], &[2; 32]].concat());
    Ok(())
}

/// Each queue has a thread that sleeps for it: none is left to another's.
#[test]
fn who_waits_for_streams_of_several_queues_is_told_of_each() -> Result<()> {
    let Some(device) = device() else { return Ok(()) };
    let (buffer, (sender, told)) = (device.buffer(64)?, channel());
    let streams = (0..2 * QUEUES).map(|_| device.stream()).collect::<Result<Vec<_>>>()?;
    let standing = several::of(queue_of(&streams[0])?);
    standing.hold();
    let mut listening = Vec::new();
    for (index, stream) in streams.iter().enumerate() {
        stream.fill(&buffer, 0..64, 1)?;
        let sender = sender.clone();
        let tell = move |outcome: Result<()>| sender.send((index, outcome.is_ok())).unwrap_or(());
        listening.push(stream.record()?.notify(tell)?);
    }
    let is_held = |index: usize| index.is_multiple_of(QUEUES as usize);
    for _ in 0..2 * (QUEUES - 1) {
        let (index, is_complete) = told.recv_timeout(LONG).unwrap();
        assert!(is_complete && !is_held(index), "{index}");
    }
    standing.let_go();
    for _ in 0..2 {
        let (index, is_complete) = told.recv_timeout(LONG).unwrap();
        assert!(is_complete && is_held(index), "{index}");
    }
    Ok(())
}

#[test]
fn times_between_streams_of_several_queues_are_told() -> Result<()> {
    let Some(device) = device() else { return Ok(()) };
    let streams = (0..QUEUES).map(|_| device.stream()).collect::<Result<Vec<_>>>()?;
    let mut points = vec![streams[0].record_timed()?];
    for turn in 1..60 {
        let stream = &streams[turn % streams.len()];
        stream.wait(&points[turn - 1])?;
        points.push(stream.record_timed()?);
    }
    points[59].synchronize_timeout(LONG)?;
    for pair in points.windows(2) {
        pair[1].elapsed_since(&pair[0])?;
    }
    Ok(())
}

/// Memory of what was submitted is let go as the loss is told: no queue may be at work on it then.
#[test]
fn every_queue_of_a_lost_device_comes_to_rest_before_anybody_is_told() -> Result<()> {
    let Some(device) = device() else { return Ok(()) };
    let streams = (0..QUEUES).map(|_| device.stream()).collect::<Result<Vec<_>>>()?;
    let queues = streams.iter().map(queue_of).collect::<Result<Vec<_>>>()?;
    let queues = queues.into_iter().map(several::of).collect::<Vec<_>>();
    let buffer = device.buffer(64)?;
    let standing = queues.last().unwrap();
    standing.hold();
    let stream = streams.last().unwrap();
    stream.fill(&buffer, 0..64, 1)?;
    let pending = stream.record()?;
    queues[0].lose();
    let refused = streams[0].fill(&buffer, 0..64, 2).unwrap_err();
    assert_eq!(refused.kind(), Kind::DeviceLost, "{refused}");
    patience::until("the rest of the last queue", || standing.rests() > 0);
    assert!(!pending.query().unwrap_or(true), "nobody is told while a queue is at work");
    standing.let_go();
    let error = pending.synchronize_timeout(LONG).unwrap_err();
    assert_eq!(error.kind(), Kind::DeviceLost, "{error}");
    assert!(queues.iter().all(|queue| queue.rests() == 1));
    Ok(())
}

/// What is called for one queue may wait for another, also for the end that a loss brings there.
#[test]
fn a_loss_is_told_to_who_waits_for_it_where_another_queue_is_told_of() -> Result<()> {
    let Some(device) = device() else { return Ok(()) };
    let streams = (0..QUEUES).map(|_| device.stream()).collect::<Result<Vec<_>>>()?;
    let (buffer, (sender, told)) = (device.buffer(64)?, channel());
    // The first tells, the second stands, the last is lost.
    let queues = streams.iter().map(queue_of).collect::<Result<Vec<_>>>()?;
    let queues = queues.into_iter().map(several::of).collect::<Vec<_>>();
    let (telling, standing, losing) = (&queues[0], &queues[1], &queues[2]);
    telling.hold();
    standing.hold();
    streams[1].fill(&buffer, 0..64, 1)?;
    let (held, (waiting, begun)) = (streams[1].record()?, channel());
    streams[0].fill(&buffer, 0..64, 2)?;
    let waker = Waker::from(Arc::new(Calls(Box::new(move || {
        waiting.send(()).unwrap_or(());
        sender.send(held.synchronize_timeout(LONG)).unwrap_or(());
    }))));
    let mut future = Box::pin(streams[0].record()?.into_future());
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    telling.let_go();
    begun.recv_timeout(LONG).unwrap();
    losing.lose();
    let refused = streams[2].fill(&buffer, 0..64, 3).unwrap_err();
    assert_eq!(refused.kind(), Kind::DeviceLost, "{refused}");
    patience::until("the rest of the queue that stands", || standing.rests() > 0);
    standing.let_go();
    // Its queue came to rest behind it: it may have been seen to come.
    if let Err(error) = told.recv_timeout(LONG).unwrap() {
        assert_eq!(error.kind(), Kind::DeviceLost, "{error}");
    }
    Ok(())
}

/// A waker that calls what it was made of, on the thread that wakes.
struct Calls(Box<dyn Fn() + Send + Sync>);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// What they use is let go when they are over, whatever became of the function that submitted them.
#[test]
fn commands_of_the_users_of_a_function_that_fails_keep_what_is_retired_until_they_are_over()
-> Result<()> {
    let Some(device) = device() else { return Ok(()) };
    let (stream, used) = (device.stream()?, Arc::new(()));
    let standing = several::of(queue_of(&stream)?);
    standing.hold();
    stream.submit(|lent| {
        let raw = lent.native::<RawStream>().unwrap();
        // SAFETY: no commands.
        unsafe { raw.submit(&[]) }?;
        Err(syncpoint::Error::failed("on purpose"))
    })?;
    let failed = stream.record()?;
    failed.synchronize_timeout(LONG).unwrap_err();
    let retirement = retire(Arc::clone(&used), [failed.clone()])?;
    for _ in 0..2 {
        // Behind what the notifier was given before, and what it was given by that.
        let (sender, told) = channel();
        failed.notify(move |outcome| patience::say(&sender, outcome))?;
        patience::heard(&told, "the failure").unwrap_err();
    }
    assert_eq!((retirement.holders(), Arc::strong_count(&used)), (vec![failed], 2));
    standing.let_go();
    patience::until("the end of what was retired", || Arc::strong_count(&used) == 1);
    Ok(())
}

#[test]
fn random_programs_over_several_queues_end_as_the_reference_says() {
    if is_there() {
        let trial = Trial { seeds: 10, programs: 20, repeats: 2, runs_on: true, races: true };
        hold(trial, |_seed| (0..2).map(|_| syncpoint::vulkan::open(0)).collect());
    }
}
