//! Rest: a lost device comes to rest before what its work uses is let go, and where nobody knows that it does, nothing is.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "a device of others is taken in, by its handles")]
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod between;
mod faulty;
mod machine;
mod theirs;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ash::vk;
use syncpoint::vulkan::{Access, QueueLock};
use syncpoint::{Gate, Kind, Point, Result, Stream, retire};
use syncpoint_conformance::patience;

use faulty::{Fault, REST};
use theirs::Theirs;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// So many bytes that a fill of them is not over when it is first asked for.
const LARGE: u64 = 32 << 20;

#[test]
fn a_lost_device_whose_rest_is_refused_leaves_nobody_waiting_and_lets_nothing_go() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let no_memory = [vk::Result::ERROR_OUT_OF_HOST_MEMORY, vk::Result::ERROR_OUT_OF_DEVICE_MEMORY];
    for code in no_memory.into_iter().chain([vk::Result::ERROR_UNKNOWN]) {
        refuse_rest(code)?;
    }
    Ok(())
}

/// Loses a device with the second submission, and refuses its rest. Of the first nobody hears that it came.
fn refuse_rest(code: vk::Result) -> Result<()> {
    let (device, gate, rests) = (syncpoint::vulkan::open(0)?, Gate::new(), faulty::calls_of(REST));
    let (busy, beside, held) = (device.stream()?, device.stream()?, device.stream()?);
    let (buffer, used) = (device.buffer(64)?, Arc::new(()));
    faulty::plan([
        fault("vkQueueSubmit", 2, vk::Result::ERROR_DEVICE_LOST),
        fault(REST, 1, code),
        fault("vkWaitSemaphores", 1, vk::Result::TIMEOUT),
        fault("vkGetSemaphoreCounterValue", 1, vk::Result::ERROR_OUT_OF_HOST_MEMORY),
    ]);
    busy.fill(&buffer, 0..64, 1)?;
    held.wait(&gate.point())?;
    let points = [busy.record()?, held.record()?];
    let retirement = retire(Arc::clone(&used), points.clone())?;
    let told = points.each_ref().map(listen);
    let refused = beside.record_timed().expect_err("the device is lost");
    assert!(refused.to_string().contains("vkQueueSubmit"), "{refused}");
    for told in told {
        let error = told.recv_timeout(LONG).expect("whoever listens is told");
        assert_eq!(error.expect_err("it is lost").kind(), Kind::DeviceLost, "{code:?}");
    }
    assert_eq!(retirement.holders(), points[..1], "{code:?}: the device may be at it still");
    // The last names but those of the work itself.
    drop((busy, beside, held, buffer, device));
    assert_eq!(faulty::calls_of(REST), rests + 1, "{code:?}");
    assert_eq!(Arc::strong_count(&used), 2, "{code:?}");
    faulty::plan(None);
    gate.open()
}

fn fault(function: &'static str, first: u64, code: vk::Result) -> Fault {
    Fault { function, first, times: u64::MAX, code }
}

fn listen(point: &Point) -> Receiver<Result<()>> {
    let (sender, told) = channel();
    let listening = point.notify(move |outcome| sender.send(outcome).unwrap_or(()));
    drop(listening.expect("there is a notifier"));
    told
}

/// A driver that refuses for good to say how far its device is, and with nothing that may pass, is given up, and whoever
/// waits is told. Nobody asks for a rest that may never come, and least of all under the lock of the queue.
#[test]
fn a_driver_that_says_nothing_more_leaves_nobody_waiting() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (function, code) = ("vkGetSemaphoreCounterValue", vk::Result::ERROR_UNKNOWN);
    let device = syncpoint::vulkan::open(0)?;
    let (stream, buffer) = (device.stream()?, device.buffer(LARGE)?);
    faulty::plan(Some(Fault { function, first: 1, times: u64::MAX, code }));
    let rests = faulty::calls_of("vkQueueWaitIdle");
    stream.fill(&buffer, 0..LARGE, 1)?;
    let (sender, told) = channel();
    stream.record()?.notify(move |outcome| sender.send(outcome).unwrap_or(()))?;
    let outcome = told.recv_timeout(LONG);
    let refused = stream.fill(&buffer, 0..LARGE, 2).expect_err("it is given up");
    assert_eq!(refused.kind(), Kind::DeviceLost, "{refused}");
    // The last names but those of the work itself.
    drop((stream, buffer, device));
    assert_eq!(faulty::calls_of("vkQueueWaitIdle"), rests);
    faulty::plan(None);
    let error = outcome.expect("it is told").expect_err("nobody knows that it came");
    assert_eq!(error.kind(), Kind::DeviceLost, "{error}");
    Ok(())
}

/// A submission of which nobody knows whether the device has it may be at work for ever, for example behind what the
/// program signals under the lock that the rest would be asked for under.
#[test]
fn a_submission_of_unknown_outcome_leaves_nobody_waiting_for_the_lock_of_others() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let neither = [vk::Result::ERROR_UNKNOWN, vk::Result::ERROR_INITIALIZATION_FAILED];
    let neither = neither.into_iter().chain([vk::Result::ERROR_FEATURE_NOT_PRESENT]);
    for code in neither.chain([vk::Result::ERROR_NOT_PERMITTED_KHR]) {
        leave_in_doubt(code)?;
    }
    Ok(())
}

/// Takes a device in, has a submission answered with this code, and keeps the lock of its queue from then on.
fn leave_in_doubt(code: vk::Result) -> Result<()> {
    let (user, lock) = (Theirs::new(), Arc::new(Counting::default()));
    let access = Access::Locked(Box::new(Arc::clone(&lock)));
    let handles = user.handles();
    // SAFETY: the owner keeps all of it alive, and nobody submits beside.
    let device = unsafe { syncpoint::vulkan::open_device(&handles, access, KeptAlone(user)) }?;
    let (beside, held, gate) = (device.stream()?, device.stream()?, Gate::new());
    held.wait(&gate.point())?;
    let (told, rests) = (listen(&held.record()?), faulty::calls_of(REST));
    faulty::plan([fault("vkQueueSubmit", 1, code)]);
    let theirs = Arc::clone(&lock);
    // Theirs from within the refused call on.
    faulty::beside("vkQueueSubmit", move || theirs.is_kept.store(true, Ordering::Relaxed));
    let refused = beside.record_timed().expect_err("nobody knows whether it comes");
    let heard = told.recv_timeout(LONG);
    lock.let_go();
    faulty::plan(None);
    assert_eq!(refused.kind(), Kind::DeviceLost, "{code:?}: {refused}");
    assert!(refused.to_string().contains("vkQueueSubmit"), "{refused}");
    let error = heard.expect("whoever listens is told").expect_err("it is lost");
    assert_eq!(error.kind(), Kind::DeviceLost, "{code:?}: {error}");
    assert_eq!(faulty::calls_of(REST), rests, "{code:?}");
    gate.open()
}

/// So many rounds of the waiter are refused at least before a driver is given up, each of one wait in the driver: in each
/// slice of a second.
const ROUNDS: u64 = 20;

/// Longer than what so many rounds lack of a second, and short of another: behind a wait of it the driver is given up.
const LACK: Duration = Duration::from_millis(200);

/// In the last round before a driver is given up another thread hears that the device is lost, and asks for its rest, which
/// does not come: whoever waits is told all the same.
#[test]
fn a_driver_that_is_given_up_leaves_nobody_waiting_though_its_device_is_lost_beside() -> Result<()>
{
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (function, code) = ("vkGetSemaphoreCounterValue", vk::Result::ERROR_UNKNOWN);
    let silence = Fault { function, first: 1, times: u64::MAX, code };
    let device = syncpoint::vulkan::open(0)?;
    let (stream, beside, buffer) = (device.stream()?, device.stream()?, device.buffer(64)?);
    stream.fill(&buffer, 0..64, 1)?;
    let end = stream.record()?;
    // Over, and nobody has seen that.
    Theirs::of(&syncpoint::vulkan::handles(&device)?).settle();
    let ((lost, loses), (end_rest, rests)) = (channel(), channel());
    let lose = move || {
        lose_in_silence(&beside, silence, rests);
        lost.send(()).unwrap_or(());
    };
    faulty::beside_later("vkWaitSemaphores", ROUNDS - 1, Box::new(lose));
    faulty::plan(Some(silence));
    let told = listen(&end);
    let outcome = told.recv_timeout(LONG);
    loses.try_recv().expect("it is not given up before");
    let refused = stream.fill(&buffer, 0..64, 2).expect_err("it is given up");
    assert_eq!(refused.kind(), Kind::DeviceLost, "{refused}");
    drop(end_rest);
    faulty::plan(None);
    let error = outcome.expect("it is told").expect_err("nobody knows that it came");
    assert_eq!(error.kind(), Kind::DeviceLost, "{error}");
    Ok(())
}

/// Has a submission hear that the device is lost, whose rest does not come before the sender is gone, and stays until
/// the driver has said nothing for a second.
fn lose_in_silence(beside: &Stream, silence: Fault, rests: Receiver<()>) {
    let (asked, asks) = channel();
    faulty::beside("vkQueueWaitIdle", move || {
        asked.send(()).unwrap_or(());
        rests.recv().unwrap_or(());
    });
    let (function, code) = ("vkQueueSubmit", vk::Result::ERROR_DEVICE_LOST);
    faulty::plan(Some(Fault { function, first: 1, times: 1, code }));
    beside.record_timed().expect_err("the device is lost");
    asks.recv_timeout(LONG).expect("the rest of a lost device is asked for");
    faulty::plan(Some(silence));
    let begin = Instant::now();
    while begin.elapsed() < LACK {
        thread::park_timeout(LACK.saturating_sub(begin.elapsed()));
    }
}

/// Whatever is kept for the work of a device of others is let go at rest only, under their lock.
#[test]
fn a_device_of_others_comes_to_rest_under_their_lock_when_it_is_lost() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (user, lock) = (Arc::new(Theirs::new()), Arc::new(Counting::default()));
    let access = Access::Locked(Box::new(Arc::clone(&lock)));
    let (handles, owner) = (user.handles(), Arc::clone(&user));
    // SAFETY: the owner keeps all of it alive, and nobody submits beside.
    let device = unsafe { syncpoint::vulkan::open_device(&handles, access, Kept(owner)) }?;
    let (stream, buffer) = (device.stream()?, device.buffer(LARGE)?);
    let before = (faulty::calls_of("vkQueueWaitIdle"), lock.times.load(Ordering::Relaxed));
    let (function, code) = ("vkQueueSubmit", vk::Result::ERROR_DEVICE_LOST);
    faulty::plan(Some(Fault { function, first: 2, times: 1, code }));
    stream.fill(&buffer, 0..LARGE, 1)?;
    let end = stream.record()?;
    let refused = stream.record_timed().expect_err("the device is lost");
    assert_eq!(refused.kind(), Kind::DeviceLost);
    patience::until("rest", || faulty::calls_of("vkQueueWaitIdle") > before.0);
    faulty::plan(None);
    let _failed_or_come = end.synchronize_timeout(LONG);
    // Two submissions, one of which was refused, and the wait.
    assert!(lock.times.load(Ordering::Relaxed) >= before.1 + 3);
    let owner = Arc::downgrade(&user);
    drop((end, stream, buffer, device, user));
    patience::until("the owner's end", || owner.strong_count() == 0);
    Ok(())
}

/// What a backend keeps of a program, whose end is on a thread of the backend.
struct Kept(#[expect(dead_code, reason = "kept for its drop")] Arc<Theirs>);

/// The same of a program that has nothing of it any more.
struct KeptAlone(#[expect(dead_code, reason = "kept for its drop")] Theirs);

/// The lock of a program that submits nothing.
#[derive(Default)]
struct Counting {
    times: AtomicU64,
    /// Whether the program has it, and nobody else gets it.
    is_kept: AtomicBool,
    freed: (Mutex<bool>, Condvar),
}

impl Counting {
    fn let_go(&self) {
        *self.freed.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.freed.1.notify_all();
    }
}

impl QueueLock for Counting {
    fn locked(&self, submit: &mut dyn FnMut()) {
        self.times.fetch_add(1, Ordering::Relaxed);
        if self.is_kept.load(Ordering::Relaxed) {
            let freed = self.freed.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.freed.1.wait_while(freed, |freed| !*freed));
        }
        submit();
    }
}
