//! Faults: devices are lost in the calls that tell so, and drivers refuse, forget and do not sleep.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod between;
mod faulty;
mod machine;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use ash::vk;
use syncpoint::{Buffer, Completion, Device, Error, Gate, Kind, Point, Result, Stream};
use syncpoint_conformance::patience;
use syncpoint_conformance::secluded::refuse_new_threads;

use faulty::Fault;
use faulty::work::open_and_work;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// So many bytes that a fill of them is not over when it is first asked for.
const LARGE: u64 = 32 << 20;

#[test]
fn a_lost_device_fails_what_is_pending_and_wakes_every_waiter() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    for function in ["vkQueueSubmit", "vkWaitSemaphores", "vkGetSemaphoreCounterValue"] {
        for first in 1..=3 {
            lose(Fault { function, first, times: u64::MAX, code: vk::Result::ERROR_DEVICE_LOST })?;
        }
    }
    Ok(())
}

/// Nobody sleeps for anything, so no waiter finds it out.
#[test]
fn a_query_behind_a_wait_tells_of_a_lost_device() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let (stream, other, buffer) = (device.stream()?, device.stream()?, device.buffer(LARGE)?);
    other.fill(&buffer, 0..LARGE, 1)?;
    stream.wait(&other.record()?)?;
    let (function, code) = ("vkGetSemaphoreCounterValue", vk::Result::ERROR_DEVICE_LOST);
    faulty::plan(Some(Fault { function, first: 1, times: u64::MAX, code }));
    patience::until("the loss", || stream.query().is_err());
    faulty::plan(None);
    assert_eq!(stream.query().expect_err("it stays lost").kind(), Kind::DeviceLost);
    Ok(())
}

/// Whoever finds the loss out tells nobody by itself: a thread does, and where none can be made the next who waits tries.
#[test]
fn a_loss_that_no_thread_could_be_made_for_is_told_to_who_waits_next() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (device, gate) = (syncpoint::vulkan::open(0)?, Gate::new());
    let (busy, held) = (device.stream()?, device.stream()?);
    held.wait(&gate.point())?;
    let waiting = held.record()?;
    let (function, code) = ("vkQueueSubmit", vk::Result::ERROR_DEVICE_LOST);
    faulty::plan(Some(Fault { function, first: 1, times: 1, code }));
    let refused = thread::scope(|scope| {
        let secluded = scope.spawn(|| {
            refuse_new_threads();
            busy.record_timed().map(drop)
        });
        secluded.join().expect("it is refused")
    });
    faulty::plan(None);
    assert_eq!(refused.expect_err("the device is lost").kind(), Kind::DeviceLost);
    let error = waiting.synchronize_timeout(LONG).expect_err("a lost device completes nothing");
    assert_eq!(error.kind(), Kind::DeviceLost, "{error}");
    gate.open()
}

/// Who listens asks nothing, so that somebody has to tell them: the thread that waits for the queue.
#[test]
fn a_loss_that_no_thread_could_be_made_for_is_told_to_who_listens() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (device, gate) = (syncpoint::vulkan::open(0)?, Gate::new());
    let (busy, held, (sender, told)) = (device.stream()?, device.stream()?, channel());
    let (buffer, before) = (device.buffer(LARGE)?, faulty::calls_of("vkWaitSemaphores"));
    // From then on there is a waiter.
    patience::until("a fill that is not over when it is listened to", || {
        busy.fill(&buffer, 0..LARGE, 1).expect("the device works");
        listen(&busy.record().expect("it does"), &sender).expect("there are threads");
        assert_eq!(told.recv_timeout(LONG).expect("its end is told"), Ok(()));
        faulty::calls_of("vkWaitSemaphores") > before
    });
    held.wait(&gate.point())?;
    listen(&held.record()?, &sender)?;
    let (function, code) = ("vkQueueSubmit", vk::Result::ERROR_DEVICE_LOST);
    faulty::plan(Some(Fault { function, first: 1, times: 1, code }));
    thread::scope(|scope| {
        let secluded = scope.spawn(|| {
            refuse_new_threads();
            busy.record_timed().map(drop)
        });
        let refused = secluded.join().expect("it is refused").expect_err("the device is lost");
        assert_eq!(refused.kind(), Kind::DeviceLost, "{refused}");
    });
    faulty::plan(None);
    let heard = told.recv_timeout(LONG).expect("who listens is told");
    assert_eq!(heard, Err(Kind::DeviceLost));
    gate.open()
}

fn listen(point: &Point, sender: &Sender<std::result::Result<(), Kind>>) -> Result<()> {
    let sender = sender.clone();
    let tell = move |outcome: Result<()>| {
        sender.send(outcome.map_err(|error| error.kind())).unwrap_or(());
    };
    point.notify(tell).map(drop)
}

/// Loses a device for which everybody waits, while three threads submit.
fn lose(fault: Fault) -> Result<()> {
    let (device, host) = (syncpoint::vulkan::open(0)?, syncpoint::open("host:0")?);
    let busy = device.stream()?;
    let (buffer, gate) = (device.buffer(64)?, Gate::new());
    let waiting = Waiting::begin((&device, &host), (&buffer, &gate))?;
    faulty::plan([fault]);
    let others = [device.stream()?, device.stream()?];
    thread::scope(|scope| {
        let submitters = [&busy, &others[0], &others[1]];
        let submitters =
            submitters.map(|stream| scope.spawn(|| work_until_refused(stream, &buffer)));
        for submitter in submitters {
            let refused = submitter.join().expect("it is refused");
            assert_eq!(refused.kind(), Kind::DeviceLost, "{fault:?}: {refused}");
        }
    });
    waiting.assert_told(fault);
    faulty::plan(None);
    assert_eq!(busy.fill(&buffer, 0..64, 3).expect_err("it is lost").kind(), Kind::DeviceLost);
    assert_eq!(busy.recover().expect_err("it is lost").kind(), Kind::DeviceLost);
    gate.open()?;
    open_and_work()
}

/// Everybody who waits for a device: a stream that the host holds, one behind it, one of the host's, a future, a listener.
struct Waiting {
    points: [Point; 3],
    told: Receiver<Result<()>>,
    future: Pin<Box<Completion>>,
    woken: Arc<Woken>,
}

impl Waiting {
    fn begin(devices: (&Device, &Device), uses: (&Buffer, &Gate)) -> Result<Self> {
        let ((device, host), (buffer, gate)) = (devices, uses);
        let (held, behind, beside) = (device.stream()?, device.stream()?, host.stream()?);
        held.wait(&gate.point())?;
        held.fill(buffer, 0..64, 1)?;
        let point = held.record()?;
        behind.wait(&point)?;
        beside.wait(&point)?;
        let (sender, told) = channel();
        point.notify(move |outcome| sender.send(outcome).unwrap_or(()))?;
        let future = Box::pin(point.clone().into_future());
        let points = [point, behind.record()?, beside.record()?];
        let mut waiting = Self { points, told, future, woken: Arc::default() };
        assert!(waiting.poll().is_pending());
        Ok(waiting)
    }

    fn poll(&mut self) -> Poll<Result<()>> {
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn assert_told(mut self, fault: Fault) {
        let heard = self.told.recv_timeout(LONG).expect("who listens is told");
        assert_eq!(heard.expect_err("it is lost").kind(), Kind::DeviceLost, "{fault:?}");
        patience::until("the wake of a future", || self.woken.0.load(Ordering::Acquire));
        let polled = self.poll();
        assert!(matches!(polled, Poll::Ready(Err(error)) if error.kind() == Kind::DeviceLost));
        for point in &self.points {
            let error = point.synchronize_timeout(LONG).expect_err("a lost device ends nothing");
            assert_eq!(error.kind(), Kind::DeviceLost, "{fault:?}: {error}");
        }
    }
}

/// A waker that notes that it was called.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Works on a stream, asking and waiting, until the device is noticed to be lost.
fn work_until_refused(stream: &Stream, buffer: &Buffer) -> Error {
    loop {
        let worked = stream.fill(buffer, 0..64, 2).and_then(|()| stream.record());
        let asked = worked.and_then(|point| point.query().map(|_| point));
        if let Err(error) = asked.and_then(|point| point.synchronize_timeout(LONG)) {
            return error;
        }
    }
}

/// Nobody asks again after those who only listen: each end is told, whichever look at another is refused.
#[test]
fn a_look_that_is_refused_once_forgets_no_end_that_was_seen() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (function, code) = ("vkGetSemaphoreCounterValue", vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    for first in 1..=4 {
        let device = syncpoint::vulkan::open(0)?;
        let (streams, buffer) = ([device.stream()?, device.stream()?], device.buffer(LARGE)?);
        let ((sender, told), mut listening) = (channel(), Vec::new());
        faulty::plan(Some(Fault { function, first, times: 1, code }));
        for stream in &streams {
            stream.fill(&buffer, 0..LARGE, 1)?;
            let sender = sender.clone();
            let end = stream.record()?;
            listening.push(end.notify(move |outcome| sender.send(outcome).unwrap_or(()))?);
        }
        for _ in &streams {
            told.recv_timeout(LONG).expect("each end is told")?;
        }
        faulty::plan(None);
    }
    Ok(())
}

#[test]
fn commands_of_refused_submissions_are_used_for_the_next() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let (stream, buffer) = (device.stream()?, device.buffer(64)?);
    stream.fill(&buffer, 0..64, 1)?;
    stream.synchronize_timeout(LONG)?;
    let before = faulty::calls_of("vkAllocateCommandBuffers");
    let (first, times, code) = (1, u64::MAX, vk::Result::ERROR_OUT_OF_HOST_MEMORY);
    for function in ["vkBeginCommandBuffer", "vkEndCommandBuffer", "vkQueueSubmit"] {
        faulty::plan(Some(Fault { function, first, times, code }));
        for _ in 0..20 {
            let refused = stream.fill(&buffer, 0..64, 2).expect_err("it is refused");
            assert_eq!(refused.kind(), Kind::Exhausted, "{refused}");
        }
        faulty::plan(None);
        stream.fill(&buffer, 0..64, 3)?;
        stream.synchronize_timeout(LONG)?;
    }
    let made = faulty::calls_of("vkAllocateCommandBuffers") - before;
    assert!(made <= 1, "{made} commands were made for 60 refused submissions");
    Ok(())
}

/// The list of streams is walked as a device is lost; who comes onto it later is refused.
#[test]
fn a_stream_that_is_made_as_its_device_is_lost_is_refused() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (device, gate) = (syncpoint::vulkan::open(0)?, Gate::new());
    let (busy, held) = (device.stream()?, device.stream()?);
    held.wait(&gate.point())?;
    let waiting = held.record()?;
    faulty::beside("vkCreateSemaphore", move || {
        let (function, code) = ("vkQueueSubmit", vk::Result::ERROR_DEVICE_LOST);
        faulty::plan(Some(Fault { function, first: 1, times: 1, code }));
        busy.record_timed().expect_err("the device is lost");
        waiting.synchronize_timeout(LONG).expect_err("it is told");
        faulty::plan(None);
    });
    let refused = device.stream().expect_err("the device is lost");
    assert_eq!(refused.kind(), Kind::DeviceLost, "{refused}");
    gate.open()
}

/// A driver that forgets who sleeps in it is asked again after each slice, and not before.
#[test]
fn a_driver_that_wakes_nobody_costs_a_slice_and_no_more() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let function = "vkWaitSemaphores";
    let fault = Fault { function, first: 1, times: u64::MAX, code: vk::Result::TIMEOUT };
    let (begin, before) = (Instant::now(), faulty::calls_of(function));
    faulty::plan(Some(fault));
    let outcome = open_and_work();
    faulty::plan(None);
    let (waits, slices) = (faulty::calls_of(function) - before, begin.elapsed().as_millis() / 50);
    assert!(waits > 0, "nobody slept");
    assert!(u128::from(waits) <= slices + 1, "{waits} waits in {slices} slices");
    outcome
}

/// One that says at once that a value has come, which has not, is asked again after a slice too.
#[test]
fn a_driver_that_does_not_sleep_keeps_no_core_busy() -> Result<()> {
    const LEN: u64 = 32 << 20;
    const FILLS: u8 = 20;
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (device, function) = (syncpoint::vulkan::open(0)?, "vkWaitSemaphores");
    let (stream, buffer) = (device.stream()?, device.buffer(LEN)?);
    let fault = Fault { function, first: 1, times: u64::MAX, code: vk::Result::SUCCESS };
    let (begin, before) = (Instant::now(), faulty::calls_of(function));
    faulty::plan(Some(fault));
    for value in 0..FILLS {
        stream.fill(&buffer, 0..LEN, value)?;
    }
    let outcome = stream.synchronize_timeout(LONG);
    faulty::plan(None);
    let (waits, slices) = (faulty::calls_of(function) - before, begin.elapsed().as_millis() / 50);
    assert!(waits > 0, "nobody waited");
    // Of each fill it may be true at once.
    let most = slices + u128::from(FILLS) + 1;
    assert!(u128::from(waits) <= most, "{waits} waits in {slices} slices");
    outcome
}
