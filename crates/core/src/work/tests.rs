//! Tests of the pool: whom a submission wakes.

use std::sync::Arc;

use super::{Hand, Pool, Seat, Serve};
use crate::sync::{LocalKey, local};

/// A stream that is listed and never served.
#[derive(Debug)]
pub(super) struct Listed {
    level: usize,
    pub(super) number: u64,
}

impl Listed {
    pub(super) fn new(level: usize, number: u64) -> Arc<Self> {
        Arc::new(Self { level, number })
    }
}

local! {
    static HAND: Hand<Listed> = Hand::new();
}

impl Serve for Listed {
    type Shared = ();

    const THREADS: &'static str = "nobody";

    fn pool(&self) -> &Arc<Pool<Self>> {
        unreachable!("it is in no pool")
    }

    fn level(&self) -> usize {
        self.level
    }

    fn is_still_needed(&self) -> bool {
        true
    }

    fn serve(_this: &Arc<Self>, _seat: &Seat<Self>) -> bool {
        false
    }

    fn hand() -> &'static LocalKey<Hand<Self>> {
        &HAND
    }
}

/// A pool that takes itself to have one worker, which sleeps or, one of these, naps.
fn with_a_worker_at_rest(napping: usize) -> Arc<Pool<Listed>> {
    let pool = Pool::new(());
    let mut crew = pool.crew();
    (crew.workers, crew.idle, crew.napping) = (1, 1, napping);
    drop(crew);
    pool
}

/// Whether a submission wakes the worker.
fn wakes(pool: &Arc<Pool<Listed>>) -> bool {
    pool.submit(Listed::new(0, 0));
    std::mem::take(&mut pool.crew().waking)
}

fn help(pool: &Pool<Listed>, times: usize) {
    for _ in 0..times {
        pool.help().note_taken();
    }
}

#[test]
fn a_submission_leaves_a_nap_alone_once_helpers_have_taken_eight_in_a_row() {
    let pool = with_a_worker_at_rest(1);
    assert!(wakes(&pool), "nobody has helped yet");
    help(&pool, 7);
    assert!(wakes(&pool), "seven may be chance");
    help(&pool, 1);
    assert!(!wakes(&pool), "who naps comes by itself");
    pool.note_unhelped();
    assert!(wakes(&pool), "a worker found something that no helper had taken");
}

#[test]
fn a_submission_wakes_who_sleeps_whatever_helpers_take() {
    let pool = with_a_worker_at_rest(0);
    help(&pool, 100);
    assert!(wakes(&pool));
}
