//! One of the queues: what it was given, and the thread that passes it on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use ash::vk;

use super::{calls, lock};

/// A queue of our making.
pub(crate) struct Queue {
    device: vk::Device,
    real: vk::Queue,
    state: Mutex<State>,
    changed: Condvar,
    /// Whether somebody is inside a call of it: Vulkan wants one at a time.
    is_used: AtomicBool,
    /// How often it was to come to rest.
    rests: AtomicU64,
}

#[derive(Default)]
struct State {
    given: VecDeque<Given>,
    /// Whether the thread has one of them in hand.
    is_at_work: bool,
    /// Whether nothing is passed on.
    is_held: bool,
    /// Whether the next submission is told that the device is lost.
    is_lost: bool,
}

/// A submission, in memory of its own.
pub(super) struct Given {
    pub(super) waits: Vec<(vk::Semaphore, u64)>,
    pub(super) commands: Vec<vk::CommandBuffer>,
    pub(super) signals: Vec<(vk::Semaphore, u64)>,
}

impl Queue {
    pub(super) fn begin(device: vk::Device, real: vk::Queue) -> Arc<Self> {
        let queue = Arc::new(Self {
            device,
            real,
            state: Mutex::default(),
            changed: Condvar::new(),
            is_used: AtomicBool::new(false),
            rests: AtomicU64::new(0),
        });
        let own = Arc::clone(&queue);
        // For as long as the process lives: a driver ends its threads as nobody sees.
        thread::spawn(move || own.pass_on());
        queue
    }

    pub(super) fn give(&self, given: Given) -> vk::Result {
        self.alone(|| {
            let mut state = lock(&self.state);
            if std::mem::take(&mut state.is_lost) {
                return vk::Result::ERROR_DEVICE_LOST;
            }
            state.given.push_back(given);
            self.changed.notify_all();
            vk::Result::SUCCESS
        })
    }

    /// Waits until all that it was given is passed on, and the driver through with it.
    pub(super) fn rest(&self) -> vk::Result {
        self.rests.fetch_add(1, Ordering::Relaxed);
        self.alone(|| {
            let state = lock(&self.state);
            let is_busy = |state: &mut State| !state.given.is_empty() || state.is_at_work;
            drop(self.changed.wait_while(state, is_busy).unwrap_or_else(PoisonError::into_inner));
            calls::rest(self.real)
        })
    }

    fn alone(&self, call: impl FnOnce() -> vk::Result) -> vk::Result {
        assert!(!self.is_used.swap(true, Ordering::AcqRel), "two threads use a queue at once");
        let answer = call();
        self.is_used.store(false, Ordering::Release);
        answer
    }

    fn pass_on(&self) {
        loop {
            let state = lock(&self.state);
            let is_idle = |state: &mut State| state.given.is_empty() || state.is_held;
            let mut state =
                self.changed.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
            let given = state.given.pop_front();
            state.is_at_work = true;
            drop(state);
            if let Some(given) = given {
                calls::pass_on(self.device, self.real, &given);
            }
            lock(&self.state).is_at_work = false;
            self.changed.notify_all();
        }
    }

    /// From now on nothing is passed on, until it is let go.
    pub(crate) fn hold(&self) {
        lock(&self.state).is_held = true;
    }

    pub(crate) fn let_go(&self) {
        lock(&self.state).is_held = false;
        self.changed.notify_all();
    }

    /// The next submission is told that the device is lost.
    pub(crate) fn lose(&self) {
        lock(&self.state).is_lost = true;
    }

    /// How often it was to come to rest.
    pub(crate) fn rests(&self) -> u64 {
        self.rests.load(Ordering::Relaxed)
    }
}
