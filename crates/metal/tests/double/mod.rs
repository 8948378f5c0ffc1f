//! A double of Metal in this process: queues are threads, shared events are numbers, and faults come on request.
//!
//! As strict as Metal: a queue without room stops whoever asks it for a command buffer. Stricter: a lower signal lowers an
//! event, where Metal's has no effect. As unkind: a killed command buffer signals nothing, and takes along what is behind it
//! where a test says so; one that does nothing has no time; a wait may be ended; handlers come on threads of its own, also
//! that of a command buffer which is let go of. Kinder, as the README of the crate says.

#![allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]
#![expect(clippy::unwrap_used, reason = "a double that cannot go on fails its test")]

mod event;
mod faults;
mod memory;
mod queue;
mod refusals;

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::process;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use syncpoint::{Device, Error, Kind, Result};
use syncpoint_metal::protocol::{
    Bytewise, Calls, Ended, Kernel, Killed, Limits, Refusal, device_over,
};

pub(crate) use event::Event;
pub(crate) use faults::{Fault, Faults};
use memory::{Memory, Pipeline, assert_even, place};
use queue::Command;
pub(crate) use queue::{Commands, Queue};
#[allow(unused_imports, clippy::allow_attributes, reason = "as above")]
pub(crate) use queue::{THREAD, block};
#[allow(unused_imports, clippy::allow_attributes, reason = "as above")]
pub(crate) use refusals::Call;

/// The calls of one double, and what a test asks of it. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Double(Arc<Faults>);

thread_local! {
    /// How many pools this thread is inside of.
    static POOLS: Cell<u32> = const { Cell::new(0) };
}

/// A pool, which ends with what is called in it, also where that panics.
struct Pool;

impl Pool {
    fn begin() -> Self {
        POOLS.set(POOLS.get() + 1);
        Self
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        POOLS.set(POOLS.get() - 1);
    }
}

/// Whether this thread is inside a pool.
fn is_pooled() -> bool {
    POOLS.get() > 0
}

/// The process that has begun: a child of a fork has none of the double's threads, as it has none of Metal's.
static PROCESS: OnceLock<u32> = OnceLock::new();

impl Double {
    /// A device of its own, as one of a machine.
    pub(crate) fn open() -> Result<Device> {
        if *PROCESS.get_or_init(process::id) == process::id() {
            // The room that is shipped. Less patience: behind a gate, a case does not wait for half a minute to be refused.
            let patience = Duration::from_secs(5);
            let double = Self::default();
            double.shuffle_handlers();
            return Ok(double.device_within(Limits { patience, ..Limits::default() }));
        }
        let message =
            "Metal was in use as this process was forked; start the child as a program of its own";
        Err(Error::new(Kind::Unavailable, message))
    }

    /// A device over the double.
    pub(crate) fn device(&self) -> Device {
        self.device_within(Limits::default())
    }

    /// The same with other limits.
    pub(crate) fn device_within(&self, limits: Limits) -> Device {
        device_over("metal:0", self.clone(), limits)
    }

    /// The next command buffer but `after` is killed with this code.
    pub(crate) fn kill(&self, after: usize, code: i64) {
        let killed = Killed { code, words: "by the test".to_owned() };
        self.fault(after, Fault::Killed(killed));
    }

    /// The next command buffer but `after` is killed as it is committed.
    pub(crate) fn kill_early(&self, after: usize, code: i64) {
        let killed = Killed { code, words: "by the test".to_owned() };
        self.fault(after, Fault::KilledEarly(killed));
    }

    /// The next command buffer but `after` has this fault.
    pub(crate) fn fault(&self, after: usize, fault: Fault) {
        let mut next = self.0.next.lock().unwrap();
        while next.len() <= after {
            next.push_back(None);
        }
        next[after] = Some(fault);
    }

    /// The next command buffer but `after` is not over before the test drops what this gives.
    pub(crate) fn hold_up(&self, after: usize) -> Sender<()> {
        let (let_go, waits) = channel();
        self.fault(after, Fault::Lasts(Arc::new(Mutex::new(waits))));
        let_go
    }

    /// Kills from now on whatever waits on the device for longer than this, as Metal does after some seconds.
    pub(crate) fn limit_waits(&self, longest: Duration) {
        *self.0.longest_wait.lock().unwrap() = Some(longest);
    }

    /// The device is removed.
    pub(crate) fn remove(&self) {
        self.0.is_gone.store(true, Ordering::SeqCst);
        event::ring_all();
    }

    /// Has handlers come in any order from now on.
    pub(crate) fn shuffle_handlers(&self) {
        self.0.shuffles.store(true, Ordering::SeqCst);
    }

    /// Has what is killed take along what was committed behind it on its queue, from now on.
    pub(crate) fn take_along(&self) {
        self.0.takes_along.store(true, Ordering::SeqCst);
    }

    /// Holds handlers back from now on.
    pub(crate) fn hold_handlers(&self) {
        *self.0.held.lock().unwrap() = Some(Vec::new());
    }

    /// Calls what was held back, and holds no more.
    pub(crate) fn call_handlers(&self) {
        let held = self.0.held.lock().unwrap().take();
        held.into_iter().flatten().for_each(|handler| handler());
    }

    /// Refuses so many objects and command buffers from now on.
    pub(crate) fn refuse(&self, so_many: u64) {
        self.0.refusals.refuse(so_many);
    }

    /// Refuses some calls of one kind, counted from now on.
    pub(crate) fn refuse_of(&self, call: Call, which: Range<u64>) {
        self.0.refusals.refuse_of(call, which);
    }

    /// How often a call was made that may be refused.
    pub(crate) fn calls_of(&self, call: Call) -> u64 {
        self.0.refusals.calls(call)
    }

    /// How many calls were refused.
    pub(crate) fn refused(&self) -> u64 {
        self.0.refusals.refused()
    }

    /// How many objects and command buffers there are.
    pub(crate) fn alive(&self) -> usize {
        Arc::strong_count(&self.0.alive) - 1
    }

    /// Tells from now on the name of each thread on which memory ends.
    pub(crate) fn ends(&self) -> Receiver<String> {
        let (sender, told) = channel();
        *self.0.ends.lock().unwrap() = Some(sender);
        told
    }

    /// How many command buffers were committed.
    pub(crate) fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::SeqCst)
    }

    /// How many waits were committed before their signal.
    pub(crate) fn early_waits(&self) -> u64 {
        self.0.early.load(Ordering::SeqCst)
    }

    /// How many command buffers of ours were begun while another thread put one of the same queue together.
    pub(crate) fn begun_beside(&self) -> u64 {
        self.0.beside.load(Ordering::SeqCst)
    }

    /// How many command buffers of ours were committed or let go of on a thread outside a pool.
    pub(crate) fn ended_outside_pools(&self) -> u64 {
        self.0.outside.load(Ordering::SeqCst)
    }

    /// Makes an object, which keeps what is given to `make` for as long as it lives.
    fn granted<T>(&self, call: Call, make: impl FnOnce(Alive) -> T) -> Option<T> {
        end_children();
        self.0.refusals.grant(call).then(|| make(Alive(Arc::clone(&self.0.alive))))
    }

    /// Puts work into a command buffer.
    fn put(
        &self,
        call: Call,
        commands: &mut Commands,
        work: impl FnOnce() + Send + 'static,
    ) -> std::result::Result<(), Refusal> {
        self.granted(call, |_alive| commands.work(work)).ok_or(Refusal::NoRoom)
    }
}

/// What an object of the double keeps while it lives.
#[derive(Clone, Debug)]
pub(crate) struct Alive(Arc<()>);

/// Metal is of no use in a child of a process that used it.
pub(crate) fn end_children() {
    if PROCESS.get().is_some_and(|begun| *begun != process::id()) {
        process::abort();
    }
}

impl fmt::Debug for Double {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Double")
    }
}

impl Calls for Double {
    type Queue = Queue;
    type Event = Event;
    type Memory = Memory;
    type Pipeline = Pipeline;
    type Commands = Commands;

    fn name(&self) -> String {
        "double".to_owned()
    }

    fn queue(&self, most: usize) -> Option<Queue> {
        self.granted(Call::Queue, |alive| Queue::new(most, &self.0, Some(alive)))
    }

    fn identity(queue: &Queue) -> usize {
        queue.identity()
    }

    fn event(&self) -> Option<Event> {
        let _first = PROCESS.get_or_init(process::id);
        self.granted(Call::Event, Event::that_is)
    }

    fn memory(&self, bytes: u64) -> Option<Memory> {
        assert_ne!(bytes, 0, "Metal has no buffers without bytes");
        let bytes = usize::try_from(bytes).ok().filter(|bytes| *bytes < 1 << 32)?;
        self.granted(Call::Memory, |alive| Memory::new(bytes, &self.0, alive))
    }

    fn read(&self, memory: &Memory, offset: u64, bytes: &mut [u8]) {
        end_children();
        bytes.copy_from_slice(&memory.bytes.lock().unwrap()[place(offset, bytes.len())]);
    }

    fn write(&self, memory: &Memory, offset: u64, bytes: &[u8]) {
        end_children();
        memory.bytes.lock().unwrap()[place(offset, bytes.len())].copy_from_slice(bytes);
    }

    fn commands(&self, queue: &Queue, ended: Ended) -> Option<Commands> {
        self.granted(Call::Commands, |alive| queue.commands(ended, Some(alive)))
    }

    fn wait(&self, commands: &mut Commands, event: &Event, value: u64) {
        commands.push(Command::Wait(event.clone(), value));
    }

    fn signal(&self, commands: &mut Commands, event: &Event, value: u64) {
        commands.push(Command::Signal(event.clone(), value));
    }

    fn pipeline(&self, kernel: Kernel) -> std::result::Result<Pipeline, Refusal> {
        let refused = || Refusal::Kernel("by the test".to_owned());
        self.granted(Call::Pipeline, |alive| Pipeline(kernel, alive)).ok_or_else(refused)
    }

    fn fill(
        &self,
        commands: &mut Commands,
        memory: &Memory,
        part: Range<u64>,
        byte: u8,
    ) -> std::result::Result<(), Refusal> {
        assert_even(&[part.start, part.end]);
        let (memory, part) =
            (memory.clone(), place(part.start, usize::try_from(part.end - part.start).unwrap()));
        self.put(Call::Fill, commands, move || memory.bytes.lock().unwrap()[part].fill(byte))
    }

    fn copy(
        &self,
        commands: &mut Commands,
        source: (&Memory, u64),
        target: (&Memory, u64),
        bytes: u64,
    ) -> std::result::Result<(), Refusal> {
        assert_even(&[source.1, target.1, bytes]);
        let len = usize::try_from(bytes).unwrap();
        let (from, to) = (source.0.clone(), target.0.clone());
        let (source, target) = (place(source.1, len), place(target.1, len));
        self.put(Call::Copy, commands, move || {
            let bytes = from.bytes.lock().unwrap()[source].to_vec();
            to.bytes.lock().unwrap()[target].copy_from_slice(&bytes);
        })
    }

    fn fill_bytes(
        &self,
        commands: &mut Commands,
        bytewise: Bytewise<'_, Pipeline>,
        (memory, start): (&Memory, u64),
        byte: u8,
    ) -> std::result::Result<(), Refusal> {
        let (memory, pipeline) = (memory.clone(), bytewise.pipeline.clone());
        let (bytes, start) = (bytewise.bytes, place(start, 0).start);
        self.put(Call::FillBytes, commands, move || {
            let mut target = memory.bytes.lock().unwrap();
            let bytewise = Bytewise { pipeline: &pipeline, bytes };
            Pipeline::dispatch(&bytewise, Kernel::Fill, |at| target[start + at] = byte);
        })
    }

    fn copy_bytes(
        &self,
        commands: &mut Commands,
        bytewise: Bytewise<'_, Pipeline>,
        source: (&Memory, u64),
        target: (&Memory, u64),
    ) -> std::result::Result<(), Refusal> {
        let (from, to) = (source.0.clone(), target.0.clone());
        let (source, target) = (place(source.1, 0).start, place(target.1, 0).start);
        let (bytes, pipeline) = (bytewise.bytes, bytewise.pipeline.clone());
        self.put(Call::CopyBytes, commands, move || {
            let read = from.bytes.lock().unwrap().clone();
            let mut written = to.bytes.lock().unwrap();
            let bytewise = Bytewise { pipeline: &pipeline, bytes };
            let copy = |at| written[target + at] = read[source + at];
            Pipeline::dispatch(&bytewise, Kernel::Copy, copy);
        })
    }

    fn commit(&self, commands: Commands) {
        end_children();
        commands.commit();
    }

    fn signaled(event: &Event) -> u64 {
        end_children();
        event.value()
    }

    fn raise(event: &Event, value: u64) {
        end_children();
        event.set(value);
    }

    fn sleep(event: &Event, value: u64, longest: Duration) -> Option<bool> {
        end_children();
        event.sleep(value, longest)
    }

    fn pooled(call: &mut dyn FnMut()) {
        let _pool = Pool::begin();
        call();
    }
}
