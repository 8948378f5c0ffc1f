//! A double of Metal in this process: queues are threads, shared events are numbers, and faults come on request.
//!
//! As strict as Metal: a queue without room stops whoever asks it for a command buffer, and a signal of the host's lowers
//! an event. As unkind: a killed command buffer signals nothing, and handlers come on threads of its own.

#![allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]
#![expect(clippy::unwrap_used, reason = "a double that cannot go on fails its test")]

mod event;
mod memory;
mod queue;
mod refusals;

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Device, Error, Kind, Result};
use syncpoint_metal::protocol::{
    Bytewise, Calls, End, Ended, Kernel, Killed, Limits, Refusal, device_over,
};

pub(crate) use event::Event;
use memory::{Memory, Pipeline, assert_even, place};
use queue::Command;
pub(crate) use queue::{Commands, Queue};
#[allow(unused_imports, clippy::allow_attributes, reason = "as above")]
pub(crate) use queue::{THREAD, block};
#[allow(unused_imports, clippy::allow_attributes, reason = "as above")]
pub(crate) use refusals::Call;
use refusals::Refusals;

/// The calls of one double, and what a test asks of it. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Double(Arc<Faults>);

/// What goes wrong, on request.
pub(crate) struct Faults {
    /// What becomes of the command buffers that are committed next, one each; then nothing.
    next: Mutex<VecDeque<Option<Fault>>>,
    /// Whether the device is gone: everything that has not ended is killed.
    is_gone: AtomicBool,
    /// How many command buffers were committed.
    commits: AtomicU64,
    /// How many of them waited for what nobody had committed a signal of.
    early: AtomicU64,
    /// How many were begun while another thread put one of the same queue together.
    beside: AtomicU64,
    /// How many were committed or let go of outside a pool.
    outside: AtomicU64,
    /// Handlers that are held back, where that was asked for.
    held: Mutex<Option<Vec<Handler>>>,
    /// What is refused.
    refusals: Refusals,
    /// Kept by each object for as long as it lives.
    alive: Arc<()>,
    /// Whether handlers come in any order.
    shuffles: AtomicBool,
    /// Whether what is killed takes along what was committed behind it.
    takes_along: AtomicBool,
    /// Who is told where memory ends.
    ends: Mutex<Option<Sender<String>>>,
}

/// What is called when a command buffer has ended.
type Handler = Box<dyn FnOnce() + Send>;

/// What becomes of a command buffer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is killed before it does anything.
    Killed(Killed),
    /// It is killed as it is committed, whatever is before it.
    KilledEarly(Killed),
    /// It runs beside what is before it.
    Overtakes,
    /// It does nothing, and its handler is told this.
    Ends(End),
    /// It gives this as its end time.
    EndsAt(f64),
    /// Somebody else signals its events so much further.
    Strays(u64),
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            next: Mutex::default(),
            is_gone: AtomicBool::new(false),
            commits: AtomicU64::new(0),
            early: AtomicU64::new(0),
            beside: AtomicU64::new(0),
            outside: AtomicU64::new(0),
            held: Mutex::default(),
            refusals: Refusals::default(),
            alive: Arc::default(),
            shuffles: AtomicBool::new(false),
            takes_along: AtomicBool::new(false),
            ends: Mutex::default(),
        }
    }
}

/// When the clock began, which is one for all queues, as the host's is for Metal's.
static BEGUN: OnceLock<Instant> = OnceLock::new();

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

impl Faults {
    /// What becomes of a command buffer that is committed now.
    fn next(&self) -> Option<Fault> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.next.lock().unwrap().pop_front().flatten()
    }

    /// Calls a handler, now or when it is let go.
    fn call(&self, handler: Handler) {
        let mut held = self.held.lock().unwrap();
        if let Some(held) = held.as_mut() {
            held.push(handler);
        } else {
            drop(held);
            self.call_now(handler);
        }
    }

    /// Calls a handler on its thread, or, where the double shuffles, each on one of its own, in whatever order that gives.
    fn call_now(&self, handler: Handler) {
        if !self.shuffles.load(Ordering::SeqCst) {
            return handler();
        }
        let draw = self.commits.load(Ordering::SeqCst) % 7;
        let late = move || {
            (0..draw * draw).for_each(|_| thread::yield_now());
            handler();
        };
        thread::Builder::new().name(THREAD.to_owned()).spawn(late).unwrap();
    }

    fn note_early(&self) {
        self.early.fetch_add(1, Ordering::SeqCst);
    }

    fn note_beside(&self) {
        self.beside.fetch_add(1, Ordering::SeqCst);
    }

    fn note_outside(&self) {
        self.outside.fetch_add(1, Ordering::SeqCst);
    }

    fn takes_along(&self) -> bool {
        self.takes_along.load(Ordering::SeqCst)
    }

    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }

    /// Seconds since some moment before the first command buffer.
    fn seconds() -> f64 {
        1.0 + BEGUN.get_or_init(Instant::now).elapsed().as_secs_f64()
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
