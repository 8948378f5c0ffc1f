//! A driver with several queues, made of one with a single queue: each goes its own way.
//!
//! Each is a thread, which holds a submission back until what it waits for has come, and only then gives it to the driver.
//! So none holds up another, and none shows their one order.

#![expect(unsafe_code, reason = "functions of a library for C are passed on")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod calls;
mod queue;

use std::collections::HashMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ash::vk::{self, Handle};
use syncpoint::vulkan::RawStream;
use syncpoint::{Result, Stream};

use crate::between;
use queue::Queue;

/// How many queues the driver says that it has.
pub(crate) const QUEUES: u32 = 3;

/// The queues of the devices that were made last, by the handles that they were given out with.
static KNOWN: Mutex<Option<HashMap<u64, Arc<Queue>>>> = Mutex::new(None);

/// Has the backend use the driver of this machine as one with several queues. `false`: there is none.
pub(crate) fn used() -> bool {
    between::used(calls::replace)
}

/// The same, and the driver does not say that its queues share a clock.
pub(crate) fn used_with_a_clock_each() -> bool {
    between::used(|name, found| {
        let says = name.starts_with("vkGetPhysicalDeviceCalibrateableTimeDomains");
        if says { None } else { calls::replace(name, found) }
    })
}

/// A queue was asked for: the driver's only one, in whose handle the low bits say which of ours it is.
fn begin(device: vk::Device, real: vk::Queue, index: u32) -> vk::Queue {
    let handle = real.as_raw() + u64::from(index);
    lock(&KNOWN).get_or_insert_default().insert(handle, Queue::begin(device, real));
    vk::Queue::from_raw(handle)
}

/// The queue of a handle.
pub(crate) fn of(handle: u64) -> Arc<Queue> {
    let known = lock(&KNOWN).as_ref().and_then(|known| known.get(&handle).cloned());
    known.expect("a queue that was asked for")
}

/// The handle of a stream's queue.
pub(crate) fn queue_of(stream: &Stream) -> Result<u64> {
    let (sender, told) = channel();
    stream.submit(move |lent| {
        let handles = lent.native::<RawStream>().expect("it is one of Vulkan's").handles();
        let queue = handles.expect("a stream has a queue").queue as u64;
        sender.send(queue).unwrap_or(());
    })?;
    stream.synchronize()?;
    Ok(told.recv().expect("it has run"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
