//! Locks of queues of others that break their word: each costs a refusal at most, and never the order of what is submitted.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "a device of others is taken in, by its handles")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod faulty;
mod machine;
mod theirs;

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ash::vk;
use syncpoint::vulkan::{Access, QueueLock};
use syncpoint::{Device, Gate, Kind, Reason, Result};

use faulty::{Fault, REST};
use theirs::Theirs;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// So many bytes that a fill of them is not over when the call returns.
const LARGE: u64 = 32 << 20;

/// How a lock keeps its word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum How {
    #[default]
    Well,
    PanicsBefore,
    PanicsAfter,
    CallsTwice,
    Forgets,
}

/// The lock of a program that submits nothing: how it keeps its word, after so many calls in which it does.
#[derive(Default)]
struct TheirLock(Mutex<(How, u32)>);

impl TheirLock {
    fn go(&self, how: How, after: u32) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (how, after);
    }
}

impl QueueLock for TheirLock {
    fn locked(&self, submit: &mut dyn FnMut()) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let how = if state.1 == 0 { state.0 } else { How::Well };
        state.1 = state.1.saturating_sub(1);
        assert_ne!(how, How::PanicsBefore, "on purpose");
        let times = match how {
            How::Forgets => 0,
            How::CallsTwice => 2,
            _ => 1,
        };
        (0..times).for_each(|_| submit());
        assert_ne!(how, How::PanicsAfter, "on purpose");
    }
}

/// What a backend keeps of a program, whose end is on a thread of the backend.
struct Kept(#[expect(dead_code, reason = "kept for its drop")] Theirs);

/// A device of others with a lock of this kind.
fn taken_in() -> Result<(Device, Arc<TheirLock>)> {
    let (user, lock) = (Theirs::new(), Arc::new(TheirLock::default()));
    let (handles, access) = (user.handles(), Access::Locked(Box::new(Arc::clone(&lock))));
    // SAFETY: the owner keeps all of it alive, and nobody submits beside.
    let device = unsafe { syncpoint::vulkan::open_device(&handles, access, Kept(user)) }?;
    Ok((device, lock))
}

#[test]
fn what_a_lock_does_not_submit_is_refused_and_leaves_no_trace() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    let (device, lock) = taken_in()?;
    let (stream, other) = (device.stream()?, device.stream()?);
    let (buffer, copied) = (device.buffer(LARGE)?, device.buffer(LARGE)?);
    for how in [How::PanicsBefore, How::Forgets] {
        stream.fill(&buffer, 0..LARGE, 1)?;
        stream.fill(&buffer, 0..LARGE, 2)?;
        let filled = stream.record()?;
        let submitted = faulty::calls_of("vkQueueSubmit");
        lock.go(how, 0);
        other.wait(&filled)?;
        let copy = || other.copy(&buffer, 0..LARGE, &copied, 0..LARGE);
        let refused = [stream.fill(&buffer, 0..LARGE, 3), copy()];
        lock.go(How::Well, 0);
        for refused in refused {
            let refused = refused.expect_err("it was not submitted");
            assert_eq!(refused.kind(), Kind::Misuse(Reason::Contradiction), "{refused}");
        }
        assert_eq!(faulty::calls_of("vkQueueSubmit"), submitted, "{how:?}");
        // Neither stands before a value that nobody signals, and the wait is still to be made.
        copy()?;
        stream.record()?.synchronize_timeout(LONG)?;
        other.record()?.synchronize_timeout(LONG)?;
        assert_eq!(copied.to_vec(LARGE - 1..LARGE)?, [2], "{how:?}");
    }
    Ok(())
}

#[test]
fn what_a_lock_submits_is_submitted_once_whatever_it_does_then() -> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    for how in [How::PanicsAfter, How::CallsTwice] {
        let (device, lock) = taken_in()?;
        let (stream, buffer) = (device.stream()?, device.buffer(LARGE)?);
        let submitted = faulty::calls_of("vkQueueSubmit");
        lock.go(how, 0);
        stream.fill(&buffer, 0..LARGE, 1)?;
        stream.fill(&buffer, 0..LARGE, 2)?;
        assert_eq!(faulty::calls_of("vkQueueSubmit"), submitted + 2, "{how:?}");
        lock.go(How::Well, 0);
        let filled = stream.record()?;
        let bytes = device.buffer(1)?;
        stream.copy(&buffer, LARGE - 1..LARGE, &bytes, 0..1)?;
        // Its last name but that of the work.
        drop(buffer);
        filled.synchronize_timeout(LONG)?;
        stream.record()?.synchronize_timeout(LONG)?;
        assert_eq!(bytes.to_vec(0..1)?, [2], "{how:?}");
    }
    Ok(())
}

/// The likeliest story: a program hears of the loss first, and panics with its lock held.
#[test]
fn whoever_waits_is_told_of_a_loss_though_the_lock_panics_where_the_device_comes_to_rest()
-> Result<()> {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return Ok(());
    }
    for how in [How::PanicsBefore, How::PanicsAfter, How::Forgets] {
        let ((device, lock), gate) = (taken_in()?, Gate::new());
        let (stream, held) = (device.stream()?, device.stream()?);
        held.wait(&gate.point())?;
        let (sender, told) = channel();
        let listening = held.record()?.notify(move |outcome| sender.send(outcome).unwrap_or(()))?;
        let rests = faulty::calls_of(REST);
        let (function, code) = ("vkQueueSubmit", vk::Result::ERROR_DEVICE_LOST);
        faulty::plan(Some(Fault { function, first: 1, times: 1, code }));
        lock.go(how, 1);
        let refused = stream.record_timed().expect_err("the device is lost");
        assert_eq!(refused.kind(), Kind::DeviceLost, "{refused}");
        let outcome = told.recv_timeout(LONG);
        let error = outcome.expect("whoever listens is told").expect_err("the device is lost");
        assert_eq!(error.kind(), Kind::DeviceLost, "{how:?}: {error}");
        assert_eq!(faulty::calls_of(REST) > rests, how == How::PanicsAfter, "{how:?}");
        drop(listening);
    }
    Ok(())
}
