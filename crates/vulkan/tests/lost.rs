//! Timeline semaphores of others whose device is lost, and calls about them that are refused once.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "what a handle names only its owner can say")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod between;
mod faulty;
mod machine;
mod theirs;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use ash::vk;
use syncpoint::{Kind, Point, Result, Timeline};

use faulty::Fault;
use theirs::Theirs;
use theirs::semaphore::Signals;

const LONG: Duration = Duration::from_secs(20);

/// A semaphore of a program's that is not between us and the driver, and its values as points.
fn taken_in() -> (Arc<Signals>, Timeline) {
    let signals = Arc::new(Signals::new(&Arc::new(Theirs::new())));
    let owner = Arc::clone(&signals);
    // SAFETY: the owner keeps all of it alive.
    let timeline = unsafe { syncpoint::vulkan::timeline(&signals.handles(), owner) };
    (signals, timeline.unwrap())
}

fn notified(point: &Point) -> Receiver<Result<()>> {
    let (sender, told) = channel();
    drop(point.notify(move |outcome| sender.send(outcome).unwrap_or(())).unwrap());
    told
}

#[test]
fn a_lost_device_fails_the_values_that_its_semaphore_had_not_come_to() {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return;
    }
    for function in ["vkGetSemaphoreCounterValue", "vkWaitSemaphores"] {
        let (signals, timeline) = taken_in();
        let (early, late) = (timeline.point(1), timeline.point(2));
        let stream = syncpoint::open("host:0").unwrap().stream().unwrap();
        stream.wait(&late).unwrap();
        signals.signal(1);
        early.synchronize_timeout(LONG).unwrap();
        let told = notified(&late);
        let code = vk::Result::ERROR_DEVICE_LOST;
        faulty::plan(Some(Fault { function, first: 1, times: 1, code }));
        let failure = told.recv_timeout(LONG).unwrap().unwrap_err();
        assert_eq!(failure.kind(), Kind::DeviceLost, "{function}: {failure}");
        assert!(failure.to_string().contains(function), "{failure}");
        let behind = stream.record().unwrap().synchronize_timeout(LONG).unwrap_err();
        assert_eq!(behind.kind(), Kind::DeviceLost, "{behind}");
        faulty::plan(None);
        signals.signal(2);
        assert!(late.query().is_err() && early.query().unwrap(), "what is settled stays so");
    }
}

#[test]
fn a_call_about_a_semaphore_of_others_that_is_refused_once_is_made_again() {
    let _alone = faulty::alone();
    if !faulty::used() || !machine::is_there() {
        return;
    }
    let code = vk::Result::ERROR_OUT_OF_HOST_MEMORY;
    for function in ["vkGetSemaphoreCounterValue", "vkWaitSemaphores"] {
        let (signals, timeline) = taken_in();
        faulty::plan(Some(Fault { function, first: 1, times: 1, code }));
        let told = notified(&timeline.point(1));
        signals.signal(1);
        told.recv_timeout(LONG).unwrap().unwrap();
        faulty::plan(None);
    }
}
