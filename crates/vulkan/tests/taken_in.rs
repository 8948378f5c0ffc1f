//! The laws, tried on devices of others that were taken in, with a witness before the driver.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "what a handle names only its owner can say")]

mod between;
mod machine;
mod theirs;
#[expect(dead_code, reason = "the first offence ends the process here")]
mod witness;

use std::sync::{Mutex, PoisonError};

use ash::vk::{self, Handle};
use syncpoint::vulkan::{Access, Handles, QueueLock};
use syncpoint::{Device, Result};
use syncpoint_conformance::Backend;

use theirs::Theirs;

mod dedicated {
    use super::{Access, Backend, Device, Result, backend, opened};

    syncpoint_conformance::suite!(vulkan: managed);

    fn vulkan() -> Backend {
        backend(open)
    }

    fn open() -> Result<Vec<Device>> {
        opened(|_handles| Access::Dedicated)
    }
}

mod locked {
    use super::{Access, Backend, Device, Result, TheirLock, backend, opened};

    syncpoint_conformance::suite!(vulkan: managed);

    fn vulkan() -> Backend {
        backend(open)
    }

    fn open() -> Result<Vec<Device>> {
        opened(|handles| Access::Locked(Box::new(TheirLock::of(handles))))
    }
}

fn backend(open: fn() -> Result<Vec<Device>>) -> Backend {
    let backend = Backend::new("vulkan", open).beside(|| syncpoint::open("host:0"));
    backend.without_children().may_lack(lack)
}

fn lack() -> Option<String> {
    between::used(witness::replace);
    witness::be_strict();
    machine::lack()
}

/// Two devices for each case: a case may shut one down.
fn opened(access: fn(&Handles) -> Access) -> Result<Vec<Device>> {
    (0..2).map(|_| taken_in(access)).collect()
}

fn taken_in(access: fn(&Handles) -> Access) -> Result<Device> {
    // Of the instance that is there: where there are two, lavapipe 22.3 breaks each child of a fork as that exits. In such a
    // child nothing is opened.
    let ours = syncpoint::vulkan::open(0)?;
    let user = Theirs::of(&syncpoint::vulkan::handles(&ours)?).another();
    let handles = user.handles();
    let access = access(&handles);
    // SAFETY: the owner keeps all of it alive, and submits nothing.
    unsafe { syncpoint::vulkan::open_device(&handles, access, Kept(user)) }
}

/// What a backend keeps, whose end is on a thread of ours.
struct Kept(#[expect(dead_code, reason = "kept for its drop")] Theirs);

/// The lock of a queue, for which the witness looks whenever that is used.
struct TheirLock {
    queue: vk::Queue,
    lock: Mutex<()>,
}

impl TheirLock {
    fn of(handles: &Handles) -> Self {
        let queue = vk::Queue::from_raw(handles.queue as u64);
        witness::guard(queue);
        Self { queue, lock: Mutex::new(()) }
    }
}

impl QueueLock for TheirLock {
    fn locked(&self, submit: &mut dyn FnMut()) {
        let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        witness::held(self.queue, submit);
    }
}
