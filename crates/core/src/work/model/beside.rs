//! Models of a tray beside those that come and go: one that waits inside the library, and one beyond the base that leaves.

use std::sync::Arc;
use std::time::Duration;

use loom::thread;

use super::{Hand, Latch, Pool, Seat, Serve, Task, close};
use crate::blocking::{self, Blocking};
use crate::model::{catches, holds};
use crate::work::worker;

#[test]
fn what_lies_on_the_tray_of_a_worker_that_waits_inside_the_library_is_served() {
    holds(2, || one_stream_frees_the_other_and_waits_inside_the_library(|_pool| ()));
}

#[test]
fn a_wait_inside_the_library_that_calls_nobody_to_the_tray_is_caught() {
    #[derive(Debug)]
    struct CountsOnly(Arc<Pool<Task>>);
    impl Blocking for CountsOnly {
        fn begin(&self) {
            let mut crew = self.0.crew();
            crew.blocked += 1;
            self.0.note_crew(&crew);
        }

        fn end(&self) {
            self.0.crew().blocked -= 1;
        }
    }
    fn counts_only(pool: &Arc<Pool<Task>>) {
        blocking::set_blocking(Some(Arc::new(CountsOnly(Arc::clone(pool)))));
    }
    let check = || one_stream_frees_the_other_and_waits_inside_the_library(counts_only);
    catches("deadlock", || holds(2, check));
}

#[test]
fn a_worker_beyond_the_base_that_leaves_strands_nothing_that_is_offered() {
    fn serves_until_it_leaves(pool: &Arc<Pool<Task>>) {
        let seat = Arc::default();
        while let Some(task) = worker::wait_for_work(pool, &seat) {
            Task::serve(&task, &seat);
        }
    }
    holds(3, || one_stream_is_offered_beside_a_worker_beyond_the_base(serves_until_it_leaves));
}

#[test]
fn a_worker_beyond_the_base_that_leaves_though_it_was_called_is_caught() {
    fn leaves_whatever_came(pool: &Arc<Pool<Task>>) {
        let mut crew = pool.crew();
        crew.idle += 1;
        pool.note_crew(&crew);
        crew = pool.sleep(crew, Some(Duration::ZERO));
        crew.idle -= 1;
        pool.note_crew(&crew);
    }
    let check = || one_stream_is_offered_beside_a_worker_beyond_the_base(leaves_whatever_came);
    catches("deadlock", || holds(3, check));
}

/// The work of one stream sets another free, publishes nothing, and waits inside the library until that has run.
fn one_stream_frees_the_other_and_waits_inside_the_library(listen: fn(&Arc<Pool<Task>>)) {
    let pool = Pool::modelled((), 1);
    pool.ensure_worker().expect("the first worker");
    let latches = [Latch::default(), Latch::default()];
    let [awaited, ended] = latches.clone();
    let freed = Task::new(&pool, latches[0].opener());
    let own = Arc::clone(&pool);
    let free = move || {
        listen(&own);
        Hand::keep_or_submit(freed);
        let told = blocking::tell();
        awaited.wait();
        drop(told);
        ended.open();
    };
    pool.submit(Task::new(&pool, free));
    latches[1].wait();
    close(&pool);
}

/// A worker sets a stream free, offers it and stays where it is, beside one that is more than the base and may leave. The
/// watch serves it where it is told to look.
fn one_stream_is_offered_beside_a_worker_beyond_the_base(work: fn(&Arc<Pool<Task>>)) {
    let pool = Pool::watched((), 1);
    pool.count_workers(2);
    let seat = Arc::<Seat<Task>>::default();
    pool.crew().seats.push(Arc::clone(&seat));
    let surplus = Arc::clone(&pool);
    thread::spawn(move || {
        work(&surplus);
        surplus.end_worker();
    });
    let (served, own) = (Latch::default(), Arc::clone(&pool));
    let opener = served.opener();
    let freed = Task::new(&pool, move || {
        opener();
        own.watch().arm(&own);
    });
    let kept = Hand::keep_on_tray(&seat, &pool);
    Hand::keep_or_submit(freed);
    Hand::<Task>::publish();
    pool.watch().wait_until_armed();
    let left = seat.tray.take();
    if let Some(task) = &left {
        Task::serve(task, &seat);
    }
    served.wait();
    drop((kept, left));
    pool.leave(&seat);
    close(&pool);
}
