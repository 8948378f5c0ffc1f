//! Command queues of the double: each runs its command buffers in the order in which they were committed, on a thread.

use std::fmt;
use std::mem;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};

use syncpoint::{Result, Stream};
use syncpoint_metal::protocol::{End, Ended, Killed, Status, expose};

use super::event::gone;
use super::{Alive, Double, Event, Fault, Faults};

/// The name of the double's threads: nothing of the user's runs there.
pub(crate) const THREAD: &str = "double";

/// A command queue.
#[derive(Clone)]
pub(crate) struct Queue {
    sender: Sender<Committed>,
    room: Arc<Room>,
    faults: Arc<Faults>,
    /// The threads that put a command buffer of ours together now, once for each.
    putting: Arc<Mutex<Vec<ThreadId>>>,
    _alive: Option<Alive>,
}

/// Room for command buffers, which whoever wants one waits for.
struct Room {
    left: Mutex<usize>,
    freed: Condvar,
}

/// One place in it.
struct Place(Arc<Room>);

/// A command of a command buffer.
pub(super) enum Command {
    Wait(Event, u64),
    Signal(Event, u64),
    Work(Box<dyn FnOnce() + Send>),
}

/// A command buffer that is put together.
pub(crate) struct Commands {
    list: Vec<Command>,
    ended: Attached,
    place: (Place, Option<Alive>),
    sender: Sender<Committed>,
    faults: Arc<Faults>,
    putting: Option<Putting>,
}

/// A handler, which Metal calls also as its command buffer is let go of uncommitted.
struct Attached(Option<Ended>);

/// A command buffer of ours is put together, until it is committed or let go of.
struct Putting {
    threads: Arc<Mutex<Vec<ThreadId>>>,
    faults: Arc<Faults>,
}

struct Committed {
    list: Vec<Command>,
    ended: Ended,
    place: (Place, Option<Alive>),
    fault: Option<Fault>,
}

impl Queue {
    pub(super) fn new(most: usize, faults: &Arc<Faults>, alive: Option<Alive>) -> Self {
        let (sender, receiver) = channel();
        let room = Arc::new(Room { left: Mutex::new(most), freed: Condvar::new() });
        let of_thread = Arc::clone(faults);
        let thread = thread::Builder::new().name(THREAD.to_owned());
        thread.spawn(move || serve(&receiver, &of_thread)).unwrap();
        Self { sender, room, faults: Arc::clone(faults), putting: Arc::default(), _alive: alive }
    }

    /// One of others, with as much room as those have that nobody asks for more.
    pub(crate) fn ordinary() -> Self {
        Self::new(64, &Arc::default(), None)
    }

    /// That of a stream, given out.
    pub(crate) fn of(stream: &Stream) -> Result<Self> {
        expose::<Double, _>(stream, Self::clone)
    }

    pub(super) fn identity(&self) -> usize {
        Arc::as_ptr(&self.room).addr()
    }

    pub(super) fn commands(&self, ended: Ended, alive: Option<Alive>) -> Commands {
        let place = Room::take(&self.room);
        let putting = alive.as_ref().map(|_ours| Putting::begin(self));
        let (sender, faults) = (self.sender.clone(), Arc::clone(&self.faults));
        let ended = Attached(Some(ended));
        Commands { list: Vec::new(), ended, place: (place, alive), sender, faults, putting }
    }

    /// Commits a command buffer of the user's.
    pub(crate) fn run(&self, work: impl FnOnce() + Send + 'static) {
        let mut commands = self.commands(Box::new(|_end| {}), None);
        commands.work(work);
        commands.commit();
    }
}

impl Commands {
    pub(super) fn push(&mut self, command: Command) {
        self.list.push(command);
    }

    pub(super) fn work(&mut self, work: impl FnOnce() + Send + 'static) {
        self.push(Command::Work(Box::new(work)));
    }

    pub(super) fn commit(self) {
        let fault = self.faults.next();
        for command in &self.list {
            match command {
                Command::Wait(event, value) if event.promised() < *value => {
                    self.faults.note_early();
                }
                Command::Signal(event, value) => event.promise(*value),
                Command::Wait(..) | Command::Work(_) => {}
            }
        }
        let Self { list, mut ended, place, sender, faults, putting } = self;
        let ended = ended.0.take().unwrap();
        drop(putting);
        if let Some(Fault::KilledEarly(killed)) = fault {
            let end = End { seconds: 0.0, killed: Some(killed) };
            return faults.call_now(Box::new(move || {
                ended(end);
                drop(place);
            }));
        }
        let is_alone = matches!(fault, Some(Fault::Overtakes));
        let committed = Committed { list, ended, place, fault };
        if is_alone {
            let thread = thread::Builder::new().name(THREAD.to_owned());
            thread.spawn(move || drop(committed.run(&faults))).unwrap();
        } else {
            sender.send(committed).unwrap();
        }
    }
}

/// Whoever is told of it has time to act on that before the drop is over.
impl Drop for Attached {
    fn drop(&mut self) {
        if let Some(ended) = self.0.take()
            && let Some(end) = End::of(0.0, Status::Other, None)
        {
            ended(end);
            (0..1_000).for_each(|_| thread::yield_now());
        }
    }
}

impl Putting {
    fn begin(queue: &Queue) -> Self {
        let (thread, mut threads) = (thread::current().id(), queue.putting.lock().unwrap());
        if threads.iter().any(|other| *other != thread) {
            queue.faults.note_beside();
        }
        threads.push(thread);
        drop(threads);
        Self { threads: Arc::clone(&queue.putting), faults: Arc::clone(&queue.faults) }
    }
}

impl Drop for Putting {
    fn drop(&mut self) {
        let (thread, mut threads) = (thread::current().id(), self.threads.lock().unwrap());
        let at = threads.iter().position(|other| *other == thread);
        threads.swap_remove(at.unwrap());
        drop(threads);
        if !super::is_pooled() {
            self.faults.note_outside();
        }
    }
}

/// Work on the device that is not over before the test lets go of what this gives.
pub(crate) fn block(stream: &Stream) -> Result<Sender<()>> {
    let (let_go, waits) = channel::<()>();
    stream.submit(move |raw| {
        let queue = raw.native::<Queue>().unwrap();
        queue.run(move || waits.recv().unwrap_or(()));
    })?;
    Ok(let_go)
}

fn serve(receiver: &Receiver<Committed>, faults: &Faults) {
    for committed in receiver {
        let killed = committed.run(faults);
        if let Some(killed) = killed.filter(|_killed| faults.takes_along()) {
            for behind in receiver.try_iter() {
                behind.end(End { seconds: 0.0, killed: Some(killed.clone()) }, faults);
            }
        }
    }
}

impl Committed {
    /// Gives why it was killed, if it was.
    fn run(mut self, faults: &Faults) -> Option<Killed> {
        let end = end_of(mem::take(&mut self.list), self.fault.take(), faults);
        let killed = end.killed.clone();
        self.end(end, faults);
        killed
    }

    fn end(self, end: End, faults: &Faults) {
        let Self { ended, place, .. } = self;
        faults.call(Box::new(move || {
            ended(end);
            drop(place);
        }));
    }
}

fn end_of(list: Vec<Command>, fault: Option<Fault>, faults: &Faults) -> End {
    if let Some(Fault::Ends(end)) = fault {
        return end;
    }
    // As some of Metal's devices: one that never ran on the GPU has no time.
    let has_worked = list.iter().any(|command| matches!(command, Command::Work(_)));
    let killed = run(list, fault.as_ref(), faults).err();
    let seconds = match fault {
        Some(Fault::EndsAt(seconds)) => seconds,
        _ if has_worked => Faults::seconds(),
        _ => 0.0,
    };
    End { seconds, killed }
}

fn run(
    list: Vec<Command>,
    fault: Option<&Fault>,
    faults: &Faults,
) -> std::result::Result<(), Killed> {
    if let Some(Fault::Killed(killed)) = fault {
        return Err(killed.clone());
    }
    if let Some(Fault::Lasts(waits)) = fault {
        waits.lock().unwrap().recv().unwrap_or(());
    }
    let further = if let Some(Fault::Strays(further)) = fault { *further } else { 0 };
    for command in list {
        if faults.is_gone() {
            return Err(gone());
        }
        match command {
            Command::Work(work) => work(),
            Command::Signal(event, value) => event.set(value + further),
            Command::Wait(event, value) => event.wait(value, faults)?,
        }
    }
    Ok(())
}

impl Room {
    fn take(room: &Arc<Self>) -> Place {
        let mut left = room.left.lock().unwrap();
        while *left == 0 {
            left = room.freed.wait(left).unwrap();
        }
        *left -= 1;
        Place(Arc::clone(room))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.left.lock().unwrap() += 1;
        self.0.freed.notify_one();
    }
}

/// As for events.
impl Drop for Queue {
    fn drop(&mut self) {
        super::end_children();
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Queue")
    }
}
