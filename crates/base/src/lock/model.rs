//! Models of a lock: one thread at a time has the value, sees what was written before, and nobody sleeps for good.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::word::Word;
use crate::model::{catches, holds};

/// How a thread lets go of the lock.
type LetGo = fn(&Word);

#[derive(Default)]
struct Counted {
    word: Word,
    /// Loom sees two threads in it at once, and one that does not see what another wrote.
    count: UnsafeCell<u32>,
}

impl Counted {
    fn add(&self, let_go: LetGo) {
        self.word.take();
        // SAFETY: whoever has the word has the count, which loom looks after.
        self.count.with_mut(|count| unsafe { *count += 1 });
        let_go(&self.word);
    }
}

/// Threads that take the lock once each, and one that takes it twice.
fn counting(threads: u32, let_go: LetGo) -> impl Fn() + Send + Sync {
    move || {
        let counted = Arc::new(Counted::default());
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let counted = Arc::clone(&counted);
                thread::spawn(move || counted.add(let_go))
            })
            .collect();
        counted.add(let_go);
        counted.add(let_go);
        for other in others {
            other.join().unwrap_or_else(|_| unreachable!("loom stops at the first panic"));
        }
        // SAFETY: the others are gone.
        let count = counted.count.with(|count| unsafe { *count });
        assert_eq!(count, threads + 1, "somebody was in between");
    }
}

#[test]
fn one_at_a_time_has_the_value_and_nobody_sleeps_for_good() {
    holds(3, counting(2, Word::let_go));
    holds(2, counting(3, Word::let_go));
}

#[test]
fn a_sleeper_that_nobody_wakes_is_caught() {
    catches("deadlock", || holds(2, counting(2, Word::let_go_in_silence)));
}

#[test]
fn a_value_that_is_let_go_of_unseen_is_caught() {
    catches("Causality violation", || holds(2, counting(2, Word::let_go_unseen)));
}
