//! Models of a pool: workers sleep, nap, wait and wake, and no stream that is listed is left to nobody.

#![expect(clippy::expect_used, reason = "a model is a test")]

mod beside;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use loom::thread;

use super::{Hand, LEVELS, Pool, Seat, Serve};
use crate::blocking;
use crate::model::{catches, holds};
use crate::once::Once;
use crate::sync::{self, Condvar, LocalKey, Mutex, lock};

#[test]
fn work_that_blocks_holds_up_no_stream_that_became_ready_with_it() {
    holds(2, || one_stream_blocks_for_the_other(&Pool::modelled((), 2)));
}

#[test]
fn a_nap_ends_where_nobody_was_woken_because_helpers_took_everything() {
    holds(3, || {
        let pool = Pool::modelled((), 1);
        pool.ensure_worker().expect("the first worker");
        let helping = pool.help();
        helping.note_taken();
        drop(helping);
        let latch = Latch::default();
        pool.submit(Task::new(&pool, latch.opener()));
        latch.wait();
        close(&pool);
    });
}

#[test]
fn a_worker_that_waits_inside_the_library_is_replaced() {
    holds(2, || {
        let pool = Pool::modelled((), 1);
        pool.ensure_worker().expect("the first worker");
        let latches = [Latch::default(), Latch::default()];
        let [awaited, ended] = latches.clone();
        let wait = move || {
            let _told = blocking::tell();
            awaited.wait();
            ended.open();
        };
        pool.submit(Task::new(&pool, wait));
        pool.submit(Task::new(&pool, latches[0].opener()));
        latches[1].wait();
        close(&pool);
    });
}

#[test]
fn what_a_worker_sets_free_is_served_while_its_own_work_blocks() {
    holds(2, || {
        one_stream_frees_the_other_and_waits_for_it(&Pool::modelled((), 2), Hand::<Task>::publish);
    });
}

#[test]
fn a_worker_that_calls_nobody_to_its_tray_is_caught() {
    let check = || one_stream_frees_the_other_and_waits_for_it(&Pool::modelled((), 2), || ());
    catches("deadlock", || holds(2, check));
}

#[test]
fn a_worker_that_looks_on_trays_before_it_says_that_it_sleeps_is_caught() {
    fn looks_first(pool: &Arc<Pool<Task>>) {
        let seat = Arc::<Seat<Task>>::default();
        let _kept = Hand::keep_on_tray(&seat, pool);
        let mut crew = pool.crew();
        crew.seats.push(Arc::clone(&seat));
        while !crew.closing {
            let task = crew.ready.pick().or_else(|| crew.take_off_a_tray().pop_front());
            if let Some(task) = task {
                drop(crew);
                Task::serve(&task, &seat);
                crew = pool.crew();
                continue;
            }
            crew.idle += 1;
            pool.note_crew(&crew);
            crew = pool.sleep(crew, None);
            crew.idle -= 1;
            crew.waking = false;
            pool.note_crew(&crew);
        }
    }
    let check = || {
        one_stream_frees_the_other_and_waits_for_it(&worked_by(looks_first), Hand::<Task>::publish)
    };
    catches("deadlock", || holds(2, check));
}

#[test]
fn two_threads_that_come_first_make_one_worker() {
    holds(2, || {
        let pool = Pool::modelled((), 1);
        let latches = [Latch::default(), Latch::default()];
        let other = {
            let (pool, latch) = (Arc::clone(&pool), latches[0].clone());
            thread::spawn(move || submit_first(&pool, &latch))
        };
        submit_first(&pool, &latches[1]);
        other.join().expect("a submission");
        for latch in latches {
            latch.wait();
        }
        close(&pool);
    });
}

#[test]
fn a_worker_that_passes_nothing_on_is_caught() {
    fn passes_nothing_on(pool: &Arc<Pool<Task>>) {
        let mut crew = pool.crew();
        while !crew.closing {
            if let Some(task) = crew.ready.pick() {
                drop(crew);
                Task::serve(&task, &Seat::default());
                crew = pool.crew();
                continue;
            }
            crew.idle += 1;
            crew = pool.sleep(crew, None);
            crew.idle -= 1;
            crew.waking = false;
        }
    }
    let check = || one_stream_blocks_for_the_other(&worked_by(passes_nothing_on));
    catches("deadlock", || holds(2, check));
}

/// A pool of two workers that do this.
fn worked_by(work: fn(&Arc<Pool<Task>>)) -> Arc<Pool<Task>> {
    let pool = Pool::modelled((), 2);
    pool.count_workers(2);
    for _ in 0..2 {
        let pool = Arc::clone(&pool);
        thread::spawn(move || {
            work(&pool);
            pool.leave(&Arc::default());
        });
    }
    pool
}

/// The work of one stream sets another free, and then blocks until that has run.
fn one_stream_frees_the_other_and_waits_for_it(pool: &Arc<Pool<Task>>, publish: fn()) {
    pool.ensure_worker().expect("the first worker");
    let latches = [Latch::default(), Latch::default()];
    let [awaited, ended] = latches.clone();
    let freed = Task::new(pool, latches[0].opener());
    let free = move || {
        Hand::keep_or_submit(freed);
        publish();
        awaited.wait();
        ended.open();
    };
    pool.submit(Task::new(pool, free));
    latches[1].wait();
    close(pool);
}

/// The work of one stream blocks, in a way that the pool cannot see, until that of another has run.
fn one_stream_blocks_for_the_other(pool: &Arc<Pool<Task>>) {
    pool.ensure_worker().expect("the first worker");
    let latches = [Latch::default(), Latch::default()];
    let [awaited, ended] = latches.clone();
    let block = move || {
        awaited.wait();
        ended.open();
    };
    pool.submit(Task::new(pool, block));
    pool.submit(Task::new(pool, latches[0].opener()));
    latches[1].wait();
    close(pool);
}

fn submit_first(pool: &Arc<Pool<Task>>, latch: &Latch) {
    pool.ensure_worker().expect("the first worker");
    pool.submit(Task::new(pool, latch.opener()));
}

/// Ends the workers.
fn close(pool: &Pool<Task>) {
    pool.close();
    assert!(pool.wait_for_quiet(Duration::MAX), "workers end");
}

/// A stream of one item.
struct Task {
    pool: Arc<Pool<Self>>,
    work: Once<Box<dyn FnOnce() + Send>>,
}

impl Task {
    fn new(pool: &Arc<Pool<Self>>, work: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Arc::new(Self { pool: Arc::clone(pool), work: Once::new(Box::new(work)) })
    }
}

sync::local! {
    static HAND: Hand<Task> = Hand::new();
}

impl Serve for Task {
    type Shared = ();

    const THREADS: &'static str = "model";

    fn pool(&self) -> &Arc<Pool<Self>> {
        &self.pool
    }

    /// The least urgent: what is urgent lies on no tray.
    fn level(&self) -> usize {
        LEVELS - 1
    }

    fn is_still_needed(&self) -> bool {
        true
    }

    fn serve(this: &Arc<Self>, _seat: &Seat<Self>) -> bool {
        this.work.take().map(|work| work()).is_some()
    }

    fn hand() -> &'static LocalKey<Hand<Self>> {
        &HAND
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Task")
    }
}

/// A way to wait that the pool cannot see.
#[derive(Clone, Default)]
struct Latch(Arc<(Mutex<bool>, Condvar)>);

impl Latch {
    fn open(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_one();
    }

    fn opener(&self) -> impl FnOnce() + Send + 'static {
        let latch = self.clone();
        move || latch.open()
    }

    fn wait(&self) {
        let mut open = lock(&self.0.0);
        while !*open {
            open = sync::wait(&self.0.1, open);
        }
    }
}
