//! The streams that others launch on too and somebody has, in the whole process: over each of the driver's there is one of ours.
//!
//! A context of the driver's may be opened here several times: the primary one with each call of `open`, another's with each
//! of `open_context`. What is known of its streams is known of all of these.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::thread::ThreadId;

use syncpoint_base::PerProcess;
use syncpoint_core::hold::HeldStream;
use syncpoint_core::{Device, Stream};

use crate::device::context_of;
use crate::stream::CudaStream;
use crate::sync::{Mutex, lock};
use crate::sys::Identity;

/// What tells one stream of the driver's from another: its context, itself, and of a default stream of a thread the thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) context: Identity,
    pub(crate) stream: Identity,
    pub(crate) thread: Option<ThreadId>,
}

/// What is known, and how many there are when those are swept out that nobody has any more.
#[derive(Default)]
struct Table {
    streams: HashMap<Key, Weak<Stream>>,
    /// Those that were made here and given out. The names that their owners have of them are nobody else's: whoever asks
    /// for one gets a second.
    given: HashMap<Key, Weak<HeldStream<CudaStream>>>,
    sweep_at: usize,
}

/// Guards the table alone: nothing is dropped under it that somebody may be the last to have.
static KNOWN: PerProcess<Mutex<Table>> = PerProcess::new(Mutex::default);

/// A table of so few is not swept.
const SHORT: usize = 64;

/// The stream that somebody has, unless its device is lost or was shut down: who opens the device anew has another.
pub(crate) fn find(key: &Key) -> Option<Arc<Stream>> {
    let table = lock(&*KNOWN);
    let named = table.streams.get(key).and_then(Weak::upgrade);
    let given = table.given.get(key).and_then(Weak::upgrade);
    drop(table);
    if let Some(stream) = named.filter(|stream| is_usable(stream)) {
        return Some(stream);
    }
    let second = given.and_then(second).filter(is_usable)?;
    Some(add(*key, Arc::new(second)))
}

/// A stream that was made here is about to be given out: whoever takes it in has it.
pub(crate) fn give(key: Key, held: &Arc<HeldStream<CudaStream>>) {
    let mut table = lock(&*KNOWN);
    table.sweep();
    table.given.insert(key, Arc::downgrade(held));
}

/// Another name of a stream that was given out.
fn second(held: Arc<HeldStream<CudaStream>>) -> Option<Stream> {
    let (device, priority) = held.driver().given()?.clone();
    let timeline = held.timeline().clone();
    Some(Stream::second(held, timeline, device, priority))
}

/// Makes a stream known, unless another was meanwhile. Gives the one that is.
pub(crate) fn add(key: Key, made: Arc<Stream>) -> Arc<Stream> {
    let mut table = lock(&*KNOWN);
    table.sweep();
    let first = table.streams.get(&key).and_then(Weak::upgrade);
    // One that is not usable is seldom, and no reason to look again.
    let is_first = first.as_deref().is_none_or(|first| !is_usable(first));
    if is_first {
        table.streams.insert(key, Arc::downgrade(&made));
    }
    drop(table);
    if is_first { made } else { first.unwrap_or(made) }
}

/// A device over this context that a stream which somebody has belongs to.
pub(crate) fn device_over(context: Identity) -> Option<Device> {
    let streams: Vec<_> = {
        let table = lock(&*KNOWN);
        let of_it = table.streams.iter().filter(|(key, _)| key.context == context);
        of_it.filter_map(|(_, stream)| stream.upgrade()).collect()
    };
    let found = streams.iter().find(|stream| is_usable(stream));
    found.map(|stream| stream.device().clone())
}

impl Table {
    /// Each time that it has doubled, so that n streams cost n and not their square.
    fn sweep(&mut self) {
        if self.streams.len() + self.given.len() >= self.sweep_at {
            self.streams.retain(|_, stream| stream.strong_count() > 0);
            self.given.retain(|_, stream| stream.strong_count() > 0);
            self.sweep_at = ((self.streams.len() + self.given.len()) * 2).max(SHORT);
        }
    }
}

/// Whether its device is neither lost nor shut down. Asks nobody and wakes nobody: it is called under the lock.
fn is_usable(stream: &Stream) -> bool {
    let device = stream.device();
    !device.is_closed() && context_of(device).is_ok_and(|context| context.ground().check().is_ok())
}
