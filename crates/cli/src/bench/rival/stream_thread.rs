//! A thread a stream: a locked queue of boxed functions and flag events, the shape of PyTorch's simulated device.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

type Job = Box<dyn FnOnce() + Send>;

/// A stream that is a thread with a queue.
pub(super) struct StreamThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// What is to be done, and whether that is all.
    queue: Mutex<(VecDeque<Job>, bool)>,
    filled: Condvar,
}

impl StreamThread {
    pub(super) fn new() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = Some(thread::Builder::new().spawn(move || own.run())?);
        Ok(Self { shared, thread })
    }

    pub(super) fn enqueue(&self, job: impl FnOnce() + Send + 'static) {
        lock(&self.shared.queue).0.push_back(Box::new(job));
        self.shared.filled.notify_one();
    }

    pub(super) fn record(&self) -> Flag {
        let flag = Flag::default();
        let raised = flag.clone();
        self.enqueue(move || raised.raise());
        flag
    }

    pub(super) fn wait(&self, flag: &Flag) {
        let flag = flag.clone();
        self.enqueue(move || flag.wait());
    }
}

impl Shared {
    fn run(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let queue = lock(&self.queue);
        let empty = |queue: &mut (VecDeque<Job>, bool)| queue.0.is_empty() && !queue.1;
        self.filled.wait_while(queue, empty).unwrap_or_else(PoisonError::into_inner).0.pop_front()
    }
}

impl Drop for StreamThread {
    fn drop(&mut self) {
        lock(&self.shared.queue).1 = true;
        self.shared.filled.notify_one();
        // A job that panicked has said so.
        self.thread.take().map(JoinHandle::join);
    }
}

/// An event that is one flag.
#[derive(Clone, Default)]
pub(super) struct Flag(Arc<(Mutex<bool>, Condvar)>);

impl Flag {
    pub(super) fn raise(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_all();
    }

    pub(super) fn wait(&self) {
        let waited = self.0.1.wait_while(lock(&self.0.0), |raised| !*raised);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
