//! Between the backend and the driver: functions that can fail do so when they are told to, and are counted.
//!
//! Left out is reading times, which has eight arguments; what reads both clocks has tests of its own.

#![expect(unsafe_code, reason = "functions of a library for C are passed on")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test uses some of it")]

pub(crate) mod work;

use std::mem;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use ash::vk;

use crate::between::{self, AnyFunction, Found};

/// A fault: a function, the number of the first call that it meets, counted from the plan on, how many it meets, and what
/// it answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) function: &'static str,
    pub(crate) first: u64,
    pub(crate) times: u64,
    pub(crate) code: vk::Result,
}

/// A fault that is planned, and how many calls of its function were made since.
struct Planned {
    fault: Fault,
    calls: u64,
}

static PLAN: Mutex<Vec<Planned>> = Mutex::new(Vec::new());
static MET: AtomicU64 = AtomicU64::new(0);

/// Has the backend use the driver of this machine, with this between. `false`: there is none.
pub(crate) fn used() -> bool {
    between::used(replace)
}

/// One test at a time: a fault would meet another's calls. Whatever the one before left is forgotten.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    plan(None);
    let left = BESIDE.lock().unwrap_or_else(PoisonError::into_inner).take();
    drop(left);
    alone
}

/// What fails from now on, and nothing else.
pub(crate) fn plan(faults: impl IntoIterator<Item = Fault>) {
    let mut plan = PLAN.lock().unwrap_or_else(PoisonError::into_inner);
    MET.store(0, Ordering::Relaxed);
    *plan = faults.into_iter().map(|fault| Planned { fault, calls: 0 }).collect();
}

/// How many calls the planned faults have met.
pub(crate) fn met() -> u64 {
    MET.load(Ordering::Relaxed)
}

impl Planned {
    /// Another call of the function: what it is to answer, where the fault meets it.
    fn meet(&mut self) -> Option<vk::Result> {
        self.calls += 1;
        let since = self.calls.checked_sub(self.fault.first)?;
        (since < self.fault.times).then_some(self.fault.code)
    }
}

/// What a call of a function is to answer instead of being passed on.
fn fault(function: &str) -> Option<vk::Result> {
    let mut plan = PLAN.lock().unwrap_or_else(PoisonError::into_inner);
    let planned = plan.iter_mut().find(|planned| planned.fault.function == function)?;
    let code = planned.meet()?;
    MET.fetch_add(1, Ordering::Relaxed);
    Some(code)
}

/// What is done inside the next call of a function, once, before it is passed on.
type Beside = (&'static str, Box<dyn FnOnce() + Send>);

static BESIDE: Mutex<Option<Beside>> = Mutex::new(None);

/// Does something inside the next call of a function: what a race would do, without the race.
pub(crate) fn beside(function: &'static str, code: impl FnOnce() + Send + 'static) {
    *BESIDE.lock().unwrap_or_else(PoisonError::into_inner) = Some((function, Box::new(code)));
}

/// The same inside a later call: so many are passed over.
pub(crate) fn beside_later(function: &'static str, calls: u64, code: Box<dyn FnOnce() + Send>) {
    match calls.checked_sub(1) {
        None => beside(function, code),
        Some(left) => beside(function, move || beside_later(function, left, code)),
    }
}

fn do_beside(function: &str) {
    let mut beside = BESIDE.lock().unwrap_or_else(PoisonError::into_inner);
    let due = beside.take_if(|(name, _)| *name == function);
    drop(beside);
    if let Some((_, code)) = due {
        code();
    }
}

/// What a call of a function is to answer instead of being passed on, when it is time to. A wait that forgets who sleeps in
/// it sleeps for its third argument.
fn answer(function: &str, third: usize) -> Option<vk::Result> {
    do_beside(function);
    let code = fault(function)?;
    if code == vk::Result::TIMEOUT {
        thread::park_timeout(Duration::from_nanos(third as u64));
    }
    Some(code)
}

/// A function of Vulkan's whose six arguments at most are words, as almost all are here.
type Words = unsafe extern "system" fn(usize, usize, usize, usize, usize, usize) -> vk::Result;

macro_rules! functions {
    (fails: $($fails:ident)+; rests: $rests:ident; counts: $($counts:ident)+;) => {
        /// The functions that can fail, those with which the driver begins first, and last the one that is called for a
        /// lost device alone.
        pub(crate) const FUNCTIONS: &[&str] = &[$(stringify!($fails),)+ REST];

        /// The function by which a lost device comes to rest.
        pub(crate) const REST: &str = stringify!($rests);

        functions! { $($fails)+ $rests $($counts)+ }
    };
    ($($name:ident)+) => {
        /// How often a function was called so far.
        pub(crate) fn calls_of(name: &str) -> u64 {
            match name {
                $(stringify!($name) => $name::CALLS.load(Ordering::Relaxed),)+
                _ => panic!("nobody stands between for {name}"),
            }
        }

        $(#[expect(non_snake_case, reason = "a name of Vulkan's")]
        pub(crate) mod $name {
            use super::{AtomicU64, AtomicUsize, Ordering, Words, answer, mem, vk};

            pub(super) static REAL: AtomicUsize = AtomicUsize::new(0);

            pub(super) static CALLS: AtomicU64 = AtomicU64::new(0);

            pub(super) unsafe extern "system" fn call(
                a: usize,
                b: usize,
                c: usize,
                d: usize,
                e: usize,
                f: usize,
            ) -> vk::Result {
                CALLS.fetch_add(1, Ordering::Relaxed);
                if let Some(code) = answer(stringify!($name), c) {
                    return code;
                }
                // SAFETY: the driver gave it as a function; a caller may pass more registers than it reads.
                let real = unsafe { mem::transmute::<usize, Words>(REAL.load(Ordering::Acquire)) };
                // SAFETY: passed on as it came.
                unsafe { real(a, b, c, d, e, f) }
            }
        })+

        fn replace(name: &str, found: Found) -> Found {
            match name {
                $(stringify!($name) => {
                    $name::REAL.store(found? as usize, Ordering::Release);
                    // SAFETY: any function may be handed around as one without arguments.
                    Some(unsafe { mem::transmute::<Words, AnyFunction>($name::call) })
                })+
                _ => found,
            }
        }
    };
}

functions! {
    fails:
        vkCreateInstance
        vkEnumerateInstanceExtensionProperties
        vkEnumeratePhysicalDevices
        vkEnumerateDeviceExtensionProperties
        vkCreateDevice
        vkCreateCommandPool
        vkCreateSemaphore
        vkCreateQueryPool
        vkCreateBuffer
        vkAllocateMemory
        vkBindBufferMemory
        vkMapMemory
        vkAllocateCommandBuffers
        vkBeginCommandBuffer
        vkEndCommandBuffer
        vkQueueSubmit
        vkGetSemaphoreCounterValue
        vkWaitSemaphores
        vkSignalSemaphore;
    rests:
        vkQueueWaitIdle;
    counts:
        vkDestroyInstance
        vkGetCalibratedTimestampsEXT
        vkGetPhysicalDeviceCalibrateableTimeDomainsEXT;
}
