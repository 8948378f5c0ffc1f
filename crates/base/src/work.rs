//! Work: one function to run later, stored in place when it is small.
//!
//! A stream's queue holds millions of these, so a closure of up to three words lies inside the [`Work`] itself and
//! only a larger one is boxed. A `Box<dyn FnOnce>` would allocate for every capture: the bench of the program sends a
//! closure of eight bytes both ways, ours in place and the rival's boxed, and one of 64 that both box.
#![expect(
    unsafe_code,
    reason = "a closure is stored as bytes beside the functions that run and drop it"
)]

use std::error::Error;
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit, align_of, size_of};

/// Why work failed, as its function said it.
pub type Cause = Box<dyn Error + Send + Sync>;

/// What a function of host work may return: nothing, or a result whose error fails the stream.
pub trait Outcome {
    /// The outcome as a result.
    ///
    /// # Errors
    /// The error that the function returned.
    fn into_result(self) -> Result<(), Cause>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), Cause> {
        Ok(())
    }
}

impl<E: Into<Cause>> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), Cause> {
        self.map_err(Into::into)
    }
}

/// One function to run later, at most once, on any thread.
///
/// Dropping it drops the function without running it.
pub struct Work {
    room: Room,
    table: &'static Table,
}

/// Where a small closure lies. Three words: with the table a work is four words, which is what travels in registers
/// and cache lines without hurting (measured in the prototype: 7.4 ns an enqueue against 7.1 for a box that does not
/// allocate and 14.7 for one that does).
type Room = MaybeUninit<[usize; 3]>;

/// How to run and how to drop what lies in the room.
struct Table {
    run: unsafe fn(&mut Room) -> Result<(), Cause>,
    drop: unsafe fn(&mut Room),
}

impl Work {
    /// Work that runs `function`.
    ///
    /// Allocates only when the function captures more than three words.
    pub fn new<F, R>(function: F) -> Self
    where
        F: FnOnce() -> R + Send + 'static,
        R: Outcome,
    {
        if fits::<F>() { Self::place(function) } else { Self::place(Box::new(function)) }
    }

    /// Runs the function and consumes the work. A panic of the function passes through; its captures are dropped.
    ///
    /// # Errors
    /// The error that the function returned.
    pub fn run(self) -> Result<(), Cause> {
        let mut work = ManuallyDrop::new(self);
        let table = work.table;
        // SAFETY: The room was filled by `place` for this very table, and `ManuallyDrop` keeps our own drop, the only
        // other reader of the room, from running after this.
        unsafe { (table.run)(&mut work.room) }
    }

    fn place<F, R>(function: F) -> Self
    where
        F: FnOnce() -> R + Send + 'static,
        R: Outcome,
    {
        assert!(fits::<F>(), "only functions that fit are placed");
        let mut room = Room::uninit();
        // SAFETY: The room is as large and as aligned as `F` needs, by the assertion above, and it is ours alone.
        unsafe { room.as_mut_ptr().cast::<F>().write(function) };
        Self { room, table: const { &Table { run: run::<F, R>, drop: discard::<F> } } }
    }
}

const fn fits<F>() -> bool {
    size_of::<F>() <= size_of::<Room>() && align_of::<F>() <= align_of::<Room>()
}

/// # Safety
/// - The room holds an `F`, which this call moves out: nobody may read the room after it.
unsafe fn run<F, R>(room: &mut Room) -> Result<(), Cause>
where
    F: FnOnce() -> R,
    R: Outcome,
{
    // SAFETY: The caller promises that the room holds an `F` and is not read again.
    let function = unsafe { room.as_mut_ptr().cast::<F>().read() };
    function().into_result()
}

/// # Safety
/// - The room holds an `F`, which this call drops: nobody may read the room after it.
unsafe fn discard<F>(room: &mut Room) {
    // SAFETY: The caller promises that the room holds an `F` and is not read again.
    unsafe { room.as_mut_ptr().cast::<F>().drop_in_place() };
}

impl Drop for Work {
    fn drop(&mut self) {
        // SAFETY: The room was filled by `place` for this very table; `run` forgets the work, so it is still full.
        unsafe { (self.table.drop)(&mut self.room) };
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Work")
    }
}

// SAFETY: `new` accepts only functions that are `Send`, and a work owns its function alone.
unsafe impl Send for Work {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts how often it is dropped.
    struct Dropped(Arc<AtomicUsize>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn work_of_every_size_runs_with_its_captures() {
        fn check<const N: usize>() {
            let words = [7_usize; N];
            let sum = Arc::new(AtomicUsize::new(0));
            let seen = Arc::clone(&sum);
            let work = Work::new(move || {
                seen.store(words.iter().sum(), Ordering::Relaxed);
            });
            work.run().unwrap();
            assert_eq!(sum.load(Ordering::Relaxed), 7 * N);
        }
        check::<0>();
        check::<1>();
        check::<2>();
        check::<3>();
        check::<4>();
        check::<100>();
    }

    #[test]
    fn an_overaligned_capture_is_boxed_and_runs() {
        #[repr(align(64))]
        struct Wide(u8);
        let wide = Wide(5);
        let work = Work::new(move || {
            let wide = &wide;
            if std::ptr::from_ref(wide).addr().is_multiple_of(64) && wide.0 == 5 {
                Ok(())
            } else {
                Err("moved")
            }
        });
        assert!(work.run().is_ok());
    }

    #[test]
    fn captures_are_dropped_once_run_or_not() {
        let drops = Arc::new(AtomicUsize::new(0));
        let (run, unrun) = (Dropped(Arc::clone(&drops)), Dropped(Arc::clone(&drops)));
        let large = (Dropped(Arc::clone(&drops)), [0_usize; 10]);
        Work::new(move || drop(run)).run().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop(Work::new(move || drop(unrun)));
        assert_eq!(drops.load(Ordering::Relaxed), 2);
        drop(Work::new(move || drop(large)));
        assert_eq!(drops.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_panic_passes_through_and_drops_the_captures_once() {
        let drops = Arc::new(AtomicUsize::new(0));
        let held = Dropped(Arc::clone(&drops));
        let work = Work::new(move || {
            let _held = &held;
            assert!(held.0.load(Ordering::Relaxed) > 9, "on purpose");
        });
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work.run())).is_err());
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn an_error_comes_back_as_the_function_said_it() {
        let error = Work::new(|| Err::<(), _>("no disk")).run().unwrap_err();
        assert_eq!(error.to_string(), "no disk");
    }

    #[test]
    fn work_is_four_words() {
        assert_eq!(size_of::<Work>(), 4 * size_of::<usize>());
    }
}
