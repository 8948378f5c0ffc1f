//! Handles given out and taken in: commands of others on our streams, and our streams on a device of others.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "what a handle names only its owner can say")]
#![expect(
    clippy::panic_in_result_fn,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod machine;
mod theirs;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, ThreadId};
use std::time::Duration;

use syncpoint::vulkan::{Access, QueueLock, RawStream};
use syncpoint::{Buffer, Device, Kind, Reason, Result, Stream};
use syncpoint_conformance::patience;

use theirs::Theirs;

const LONG: Duration = Duration::from_secs(20);

/// Commands that others recorded run in the order of a stream, with our own work around them.
#[test]
fn commands_of_the_users_run_in_the_order_of_the_stream() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let user = Arc::new(Theirs::of(&syncpoint::vulkan::handles(&device)?));
    let (stream, buffer) = (device.stream()?, device.buffer(1 << 20)?);
    for round in 1..40_u32 {
        let (first, second) = (user.filling(round), user.filling(round + 1000));
        let (one, two) = (first.raw(), second.raw());
        stream.fill(&buffer, 0..1 << 20, 1)?;
        stream.submit(move |lent| {
            let raw = lent.native::<RawStream>().unwrap();
            // SAFETY: both are recorded for this device, and live until the stream is through.
            unsafe { raw.submit(&[one]) }.unwrap();
            // SAFETY: as above.
            unsafe { raw.submit(&[two]) }.unwrap();
        })?;
        let point = stream.record()?;
        stream.fill(&buffer, 0..8, 2)?;
        point.synchronize_timeout(LONG)?;
        assert_eq!((user.word(&first), user.word(&second)), (round, round + 1000));
        stream.synchronize_timeout(LONG)?;
        for filling in [first, second] {
            user.end(&filling);
        }
    }
    Ok(())
}

/// All that a stream does, on any device.
fn work(device: &Device) -> Result<()> {
    let (first, second) = (device.stream()?, device.stream()?);
    let (source, target) = (device.buffer(64)?, device.buffer(64)?);
    let start = first.record_timed()?;
    first.fill(&source, 0..64, 7)?;
    second.wait(&first.record()?)?;
    second.copy(&source, 0..64, &target, 0..64)?;
    second.enqueue(|| {})?;
    let end = second.record_timed()?;
    end.synchronize_timeout(LONG)?;
    end.elapsed_since(&start)?;
    assert_eq!(target.to_vec(0..64)?, [7; 64]);
    Ok(())
}

/// What a backend keeps, for a test to see whether it still does.
struct Kept(#[expect(dead_code, reason = "kept for its drop")] Arc<Theirs>);

#[test]
fn a_device_of_others_with_a_queue_to_itself_is_used_and_left_alone() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let user = Arc::new(Theirs::new());
    let (handles, weak) = (user.handles(), Arc::downgrade(&user));
    // SAFETY: the owner keeps all of it alive, and nobody else uses the queue.
    let device = unsafe {
        syncpoint::vulkan::open_device(&handles, Access::Dedicated, Kept(Arc::clone(&user)))
    }?;
    assert_eq!(syncpoint::vulkan::handles(&device)?, handles);
    work(&device)?;
    drop(user);
    work(&device)?;
    drop(device);
    patience::until("the owner's end", || Weak::strong_count(&weak) == 0);
    Ok(())
}

/// Has a device of others do some work, which it queries alone, and sees it end.
fn ends_without_a_sleeper(work: impl Fn(&Stream, &Buffer) -> Result<()>) -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let user = Arc::new(Theirs::new());
    let weak = Arc::downgrade(&user);
    // SAFETY: the owner keeps all of it alive, and nobody else uses the queue.
    let device =
        unsafe { syncpoint::vulkan::open_device(&user.handles(), Access::Dedicated, Kept(user)) }?;
    let (stream, other) = (device.stream()?, device.stream()?);
    let buffers = [device.buffer(64)?, device.buffer(64)?];
    for (each, buffer) in [&stream, &other].into_iter().zip(&buffers) {
        work(each, buffer)?;
    }
    for each in [&other, &stream] {
        let point = each.record()?;
        patience::until("the work", || point.query().unwrap());
    }
    drop((stream, other, buffers, device));
    patience::until("the owner's end", || Weak::strong_count(&weak) == 0);
    Ok(())
}

/// Work that was only ever asked about is on no list of the waiter, and is let go all the same.
#[test]
fn a_device_ends_whose_work_nobody_slept_for() -> Result<()> {
    ends_without_a_sleeper(|stream, buffer| stream.fill(buffer, 0..64, 1))
}

#[test]
fn a_device_ends_whose_users_commands_nobody_slept_for() -> Result<()> {
    ends_without_a_sleeper(|stream, _buffer| {
        stream.submit(|lent| {
            let raw = lent.native::<RawStream>().unwrap();
            // SAFETY: no commands.
            unsafe { raw.submit(&[]) }
        })
    })
}

/// The lock of a program that submits beside us.
#[derive(Default)]
struct TheirLock {
    lock: Mutex<()>,
    times: AtomicU64,
}

impl QueueLock for TheirLock {
    fn locked(&self, submit: &mut dyn FnMut()) {
        let _held = self.lock.lock().unwrap();
        self.times.fetch_add(1, Ordering::Relaxed);
        submit();
    }
}

#[test]
fn a_queue_that_others_use_too_is_used_under_their_lock() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let (user, lock) = (Arc::new(Theirs::new()), Arc::new(TheirLock::default()));
    let access = Access::Locked(Box::new(Arc::clone(&lock)));
    // SAFETY: the owner keeps all of it alive, and the program submits under the lock only.
    let device = unsafe {
        syncpoint::vulkan::open_device(&user.handles(), access, Kept(Arc::clone(&user)))
    }?;
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                let _held = lock.lock.lock().unwrap();
                user.submit();
            }
        });
        (0..20).try_for_each(|_| work(&device))
    })?;
    // Four submissions of each round are the driver's.
    assert!(lock.times.load(Ordering::Relaxed) >= 20 * 4);
    Ok(())
}

#[test]
fn handles_that_name_nothing_are_refused() -> Result<()> {
    if !machine::is_there() {
        return Ok(());
    }
    let user = Theirs::new();
    for null in 0..4 {
        let mut handles = user.handles();
        let [instance, physical, device, queue] = [0, 1, 2, 3].map(|index| index == null);
        handles.instance *= usize::from(!instance);
        handles.physical_device *= usize::from(!physical);
        handles.device *= usize::from(!device);
        handles.queue *= usize::from(!queue);
        // SAFETY: what is not null is the program's, which outlives the call.
        let opened = unsafe { syncpoint::vulkan::open_device(&handles, Access::Dedicated, ()) };
        assert_eq!(opened.unwrap_err().kind(), Kind::Misuse(Reason::StaleHandle));
    }
    let handles = syncpoint::vulkan::Handles { queue_family: 77, ..user.handles() };
    // SAFETY: as above; there is no such family.
    let opened = unsafe { syncpoint::vulkan::open_device(&handles, Access::Dedicated, ()) };
    assert_eq!(opened.unwrap_err().kind(), Kind::Unsupported);
    let host = syncpoint::open("host:0")?;
    let error = syncpoint::vulkan::handles(&host).unwrap_err();
    assert_eq!(error.kind(), Kind::Misuse(Reason::WrongDevice));
    Ok(())
}

/// An owner that says on which thread it ends.
struct Ending(Sender<ThreadId>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.send(thread::current().id()).unwrap_or(());
    }
}

impl QueueLock for Ending {
    fn locked(&self, submit: &mut dyn FnMut()) {
        submit();
    }
}

/// Who opens may hold a lock that the end of the owner takes, or that of the lock of the queue.
#[test]
fn the_owner_and_the_lock_of_a_refused_device_end_on_a_thread_of_ours() {
    if !machine::is_there() {
        return;
    }
    let user = Theirs::new();
    let handles = user.handles();
    let null = syncpoint::vulkan::Handles { queue: 0, ..handles };
    let unknown = syncpoint::vulkan::Handles { queue_family: 77, ..handles };
    for refused in [null, unknown] {
        let (sender, ended) = channel();
        let access = Access::Locked(Box::new(Ending(sender.clone())));
        // SAFETY: what is not null is the program's, which outlives the call, and nothing else is used.
        let opened = unsafe { syncpoint::vulkan::open_device(&refused, access, Ending(sender)) };
        opened.unwrap_err();
        for _ in 0..2 {
            assert_ne!(ended.recv_timeout(LONG).unwrap(), thread::current().id());
        }
    }
}
