//! The rival of the trips and hops: a thread a stream.
//!
//! A locked queue of boxed functions and flag events, which is the shape of PyTorch's simulated device.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

type Job = Box<dyn FnOnce() + Send>;

/// A stream that is a thread with a queue.
pub(crate) struct ThreadStream {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<(VecDeque<Job>, bool)>,
    filled: Condvar,
}

impl ThreadStream {
    pub(crate) fn new() -> Self {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = Some(std::thread::spawn(move || own.run()));
        Self { shared, thread }
    }

    pub(crate) fn enqueue(&self, job: impl FnOnce() + Send + 'static) {
        self.shared.queue.lock().expect("no job panics").0.push_back(Box::new(job));
        self.shared.filled.notify_one();
    }

    pub(crate) fn record(&self) -> Flag {
        let flag = Flag::default();
        let raised = flag.clone();
        self.enqueue(move || raised.raise());
        flag
    }

    pub(crate) fn wait(&self, flag: &Flag) {
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
        let mut queue = self.queue.lock().expect("no job panics");
        loop {
            if let Some(job) = queue.0.pop_front() {
                return Some(job);
            }
            if queue.1 {
                return None;
            }
            queue = self.filled.wait(queue).expect("no job panics");
        }
    }
}

impl Drop for ThreadStream {
    fn drop(&mut self) {
        self.shared.queue.lock().expect("no job panics").1 = true;
        self.shared.filled.notify_one();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no job panics");
        }
    }
}

/// An event that is one flag.
#[derive(Clone, Default)]
pub(crate) struct Flag(Arc<(Mutex<bool>, Condvar)>);

impl Flag {
    pub(crate) fn raise(&self) {
        *self.0.0.lock().expect("no holder panics") = true;
        self.0.1.notify_all();
    }

    pub(crate) fn wait(&self) {
        let raised = self.0.0.lock().expect("no holder panics");
        drop(self.0.1.wait_while(raised, |raised| !*raised).expect("no holder panics"));
    }
}
