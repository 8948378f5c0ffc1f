//! Pools: what they lend is clean and lent to one holder, and they may go before what they lent.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{
    Device, EventOptions, EventPool, EventState, Gate, Kind, Loan, PoolStatistics, Stream,
    StreamPool,
};

/// Long enough for the slowest machine; a stream that never comes back would last for ever.
const DEADLINE: Duration = Duration::from_secs(60);

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

fn counts(statistics: PoolStatistics) -> (usize, usize, usize) {
    (statistics.in_use, statistics.idle, statistics.high_water)
}

#[test]
fn a_lent_event_is_as_new() {
    let (device, pool) = (host(), EventPool::new());
    let stream = device.stream().unwrap();
    let mut ids = HashSet::new();
    for _ in 0..100 {
        let event = pool.event(&device, EventOptions::timed()).unwrap();
        assert!(ids.insert(event.id()), "an id is never reused");
        assert!(matches!(event.state(), EventState::NeverRecorded));
        event.record_once(&stream).unwrap();
        assert!(event.timed_point().is_ok());
    }
    assert_eq!(counts(pool.statistics()), (0, 1, 1), "one event served all");
}

#[test]
fn events_are_kept_apart_by_device_and_options() {
    let (device, other, pool) = (host(), syncpoint_host::open("host:1"), EventPool::new());
    drop(pool.event(&device, EventOptions::timed()).unwrap());
    drop(pool.event(&other, EventOptions::new()).unwrap());
    let event = pool.event(&device, EventOptions::new()).unwrap();
    assert!(!event.options().timing());
    assert_eq!(event.device(), Some(device));
    assert_eq!(counts(pool.statistics()), (1, 2, 1));
}

#[test]
fn a_bounded_pool_refuses_and_lends_again_once_one_is_back() {
    let (device, pool) = (host(), EventPool::bounded(2));
    let options = EventOptions::new();
    let (one, _two) =
        (pool.event(&device, options).unwrap(), pool.event(&device, options).unwrap());
    let error = pool.event(&device, options).unwrap_err();
    assert_eq!(error.kind(), Kind::Exhausted);
    assert!(error.message().contains("2 of at most 2"), "{error}");
    drop(one);
    pool.event(&device, options).unwrap().keep();
    assert_eq!(counts(pool.statistics()), (1, 0, 2), "what is kept is out of the pool's hands");
}

#[test]
fn a_bounded_pool_keeps_no_more_idle_than_its_bound() {
    let (device, pool) = (host(), EventPool::bounded(2));
    let error = pool.warm_up(&device, EventOptions::new(), 3).unwrap_err();
    assert_eq!(error.kind(), Kind::Exhausted);
    assert_eq!(counts(pool.statistics()), (0, 2, 0), "those made before stay");
}

#[test]
fn a_pool_warms_up_empties_and_says_where_its_loans_were_made() {
    let (device, pool) = (host(), EventPool::new());
    pool.warm_up(&device, EventOptions::new(), 5).unwrap();
    assert_eq!(counts(pool.statistics()), (0, 5, 0));
    let event = pool.event(&device, EventOptions::new()).unwrap();
    if cfg!(debug_assertions) {
        assert!(pool.loans()[0].to_string().contains("pool.rs"), "{:?}", pool.loans());
    }
    pool.empty_cache();
    assert_eq!(counts(pool.statistics()), (1, 0, 1));
    drop(pool);
    event.record(&device.stream().unwrap()).unwrap();
    event.synchronize().unwrap();
}

/// Waits until the pool counts as expected: a stream comes back on whatever thread completes its work.
fn until(pool: &StreamPool, expected: (usize, usize)) {
    let begin = Instant::now();
    loop {
        let statistics = pool.statistics();
        if (statistics.in_use, statistics.idle) == expected {
            return;
        }
        assert!(begin.elapsed() < DEADLINE, "{statistics:?} never became {expected:?}");
        thread::yield_now();
    }
}

#[test]
fn a_stream_is_lent_to_one_holder_and_comes_back_when_its_work_is_complete() {
    let pool = StreamPool::bounded(&host(), 40);
    let loans: Vec<Loan<Stream>> = (0..40).map(|_| pool.stream(0).unwrap()).collect();
    let ids: HashSet<u64> = loans.iter().map(|stream| stream.id()).collect();
    assert_eq!(ids.len(), 40, "no two are the same stream");
    let gate = Gate::new();
    for stream in &loans {
        stream.wait(&gate.point()).unwrap();
    }
    drop(loans);
    assert_eq!(pool.statistics().in_use, 40, "their work is not complete");
    assert_eq!(pool.stream(0).unwrap_err().kind(), Kind::Exhausted);
    gate.open().unwrap();
    until(&pool, (0, 40));
    assert!(ids.contains(&pool.stream(0).unwrap().id()), "an idle stream is lent again");
}

/// Both pools lend through one counter, and an event is as new each time: only a stream shows which one it is.
#[test]
fn what_came_back_last_is_lent_first() {
    let pool = StreamPool::new(&host());
    let loans: Vec<Loan<Stream>> = (0..3).map(|_| pool.stream(0).unwrap()).collect();
    let ids: Vec<u64> = loans.iter().map(|stream| stream.id()).collect();
    for stream in loans {
        drop(stream);
    }
    let again: Vec<Loan<Stream>> = (0..3).map(|_| pool.stream(0).unwrap()).collect();
    let again: Vec<u64> = again.iter().map(|stream| stream.id()).collect();
    assert_eq!(again, [ids[2], ids[1], ids[0]]);
}

#[test]
fn a_pool_of_streams_warms_up_to_its_bound_and_empties() {
    let pool = StreamPool::bounded(&host(), 3);
    pool.warm_up(0, 2).unwrap();
    assert_eq!(counts(pool.statistics()), (0, 2, 0));
    let error = pool.warm_up(-1, 2).unwrap_err();
    assert_eq!(error.kind(), Kind::Exhausted);
    assert_eq!(counts(pool.statistics()), (0, 3, 0), "those made before stay");
    let loan = pool.stream(0).unwrap();
    let idle = pool.stream(0).unwrap().id();
    pool.empty_cache();
    assert_eq!(counts(pool.statistics()), (1, 0, 2), "what is lent is not touched");
    assert!(pool.stream(0).unwrap().id() > idle, "what was idle is gone");
    drop(loan);
    assert_eq!(counts(pool.statistics()), (0, 2, 2));
}

#[test]
fn a_stream_warmed_up_is_the_one_that_is_lent() {
    let pool = StreamPool::new(&host());
    pool.warm_up(0, 1).unwrap();
    let made_since = host().stream().unwrap();
    assert!(pool.stream(0).unwrap().id() < made_since.id(), "nothing is made where one is idle");
}

#[test]
fn a_pool_of_streams_says_where_its_loans_were_made() {
    if !cfg!(debug_assertions) {
        return assert!(StreamPool::new(&host()).loans().is_empty());
    }
    let pool = StreamPool::new(&host());
    let lines = [line!() + 1, line!() + 2];
    let first = pool.stream(0).unwrap();
    let second = pool.stream(-1).unwrap();
    let told = || pool.loans().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(), lines.map(|line| format!("{}:{line}", file!())));
    drop(first);
    assert_eq!(told(), [format!("{}:{}", file!(), lines[1])], "what is back is no leak");
    drop(second.keep());
    assert!(told().is_empty(), "what is kept is out of the pool's hands");
}

#[test]
fn a_failed_stream_is_given_up() {
    let pool = StreamPool::new(&host());
    let stream = pool.stream(-1).unwrap();
    let id = stream.id();
    stream.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    let end = stream.record().unwrap();
    drop(stream);
    end.synchronize().unwrap_err();
    until(&pool, (0, 0));
    assert_eq!(pool.statistics().given_up, 1);
    assert_ne!(pool.stream(-1).unwrap().id(), id);
}

#[test]
fn streams_may_come_back_after_their_pool_is_gone() {
    let pool = StreamPool::new(&host());
    let (stream, gate) = (pool.stream(0).unwrap(), Gate::new());
    stream.wait(&gate.point()).unwrap();
    let end = stream.record().unwrap();
    drop(pool);
    drop(stream);
    gate.open().unwrap();
    end.synchronize_timeout(DEADLINE).unwrap();
}

#[test]
fn threads_that_lend_and_bring_back_at_once_lose_nothing() {
    let (device, pool) = (host(), EventPool::bounded(4));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    drop(pool.event(&device, EventOptions::new()).unwrap());
                }
            });
        }
    });
    let (in_use, idle, high_water) = counts(pool.statistics());
    assert_eq!(in_use, 0);
    assert!(idle <= 4 && idle == high_water, "{idle} idle of at most {high_water} at once");
}
