//! Tests of counters of others, over one that the test raises.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use super::*;
use crate::error::Error;
use crate::point::{Point, State};
use crate::report::End;
use crate::sync::{Condvar, Mutex, lock, wait_at_most};
use crate::wait::SLICE;

/// Long beyond any machine's hiccup.
const LONG: Duration = Duration::from_secs(20);

/// A counter that the test raises.
#[derive(Debug)]
struct Double {
    state: Mutex<Said>,
    raised: Condvar,
    /// Tells the value that each sleep is for, and when it begins.
    sleeps: Sender<(u64, Instant)>,
    /// Told at the drop, with the name of the thread.
    end: Sender<Option<String>>,
}

#[derive(Debug, Default)]
struct Said {
    value: u64,
    refusal: Option<Error>,
    /// Each sleep is over at once, and says this.
    at_once: Option<bool>,
    /// With what the next look is refused, and then every second one.
    by_turns: Option<Error>,
    looks: u32,
}

impl ForeignCounter for Double {
    fn look(&self) -> Result<u64> {
        let mut state = lock(&self.state);
        state.looks += 1;
        let by_turns = state.by_turns.clone().filter(|_| state.looks % 2 == 1);
        state.refusal.clone().or(by_turns).map_or(Ok(state.value), Err)
    }

    fn sleep(&self, value: u64, slice: Duration) -> Result<bool> {
        self.sleeps.send((value, Instant::now())).unwrap_or(());
        let mut state = lock(&self.state);
        if let Some(come) = state.at_once {
            return Ok(come);
        }
        if state.value < value && state.refusal.is_none() {
            state = wait_at_most(&self.raised, state, slice);
        }
        state.refusal.clone().map_or(Ok(state.value >= value), Err)
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.end.send(thread::current().name().map(str::to_owned)).unwrap_or(());
    }
}

impl Double {
    fn say(&self, value: u64, refusal: Option<Error>) {
        self.change(Said { value, refusal, ..Said::default() });
    }

    fn change(&self, said: Said) {
        *lock(&self.state) = said;
        self.raised.notify_all();
    }
}

struct Bed {
    double: Arc<Double>,
    timeline: Timeline,
    sleeps: Receiver<(u64, Instant)>,
    end: Receiver<Option<String>>,
}

fn bed() -> Bed {
    let ((sleeps, slept), (end, ended)) = (channel(), channel());
    let state = Mutex::new(Said::default());
    let double = Arc::new(Double { state, raised: Condvar::new(), sleeps, end });
    let counter: Arc<dyn ForeignCounter> = Arc::<Double>::clone(&double);
    let timeline = Timeline::of_counter(counter, Some("theirs"));
    Bed { double, timeline, sleeps: slept, end: ended }
}

fn lost() -> Error {
    Error::new(Kind::DeviceLost, "their device is lost; open it anew")
}

fn unknown() -> Error {
    Error::new(Kind::Driver, "error 13 of the driver, which does not say what it is")
}

fn notified(point: &Point) -> Receiver<Result<()>> {
    let (sender, told) = channel();
    let notification = point.notify(move |outcome| sender.send(outcome).unwrap_or(()));
    drop(notification.unwrap());
    told
}

#[test]
fn a_point_completes_when_others_raise_the_counter() {
    let Bed { double, timeline, .. } = bed();
    let point = timeline.point(3);
    assert!(!point.query().unwrap());
    double.say(2, None);
    assert!(!point.query().unwrap() && timeline.point(2).query().unwrap());
    double.say(7, None);
    assert!(point.query().unwrap());
    assert_eq!((timeline.completed(), timeline.enqueued()), (7, 7));
}

#[test]
fn who_waits_for_less_than_another_is_told_first() {
    let Bed { double, timeline, sleeps, .. } = bed();
    let late = notified(&timeline.point(9));
    assert_eq!(sleeps.recv_timeout(LONG).map(|(value, _begin)| value), Ok(1));
    let early = notified(&timeline.point(2));
    double.say(2, None);
    early.recv_timeout(LONG).unwrap().unwrap();
    assert!(late.try_recv().is_err());
    double.say(9, None);
    late.recv_timeout(LONG).unwrap().unwrap();
}

#[test]
fn a_lost_counter_fails_what_it_had_not_come_to_and_wakes_every_waiter() {
    let Bed { double, timeline, .. } = bed();
    let (early, late) = (timeline.point(2), timeline.point(3));
    let told = notified(&late);
    double.say(2, None);
    assert!(early.query().unwrap());
    double.say(u64::MAX, Some(lost()));
    assert_eq!(told.recv_timeout(LONG).unwrap().unwrap_err().kind(), Kind::DeviceLost);
    assert_eq!(late.synchronize().unwrap_err().kind(), Kind::DeviceLost);
    double.say(u64::MAX, None);
    assert_eq!(late.query().unwrap_err().kind(), Kind::DeviceLost, "a failure stays");
    assert!(early.query().unwrap(), "what is complete stays complete");
}

#[test]
fn a_look_that_is_refused_once_is_made_again() {
    let Bed { double, timeline, .. } = bed();
    let point = timeline.point(1);
    double.say(1, Some(Error::new(Kind::Exhausted, "no memory for the call; free some")));
    assert!(matches!(point.state(), State::Pending));
    let told = notified(&point);
    double.say(1, None);
    told.recv_timeout(LONG).unwrap().unwrap();
}

#[test]
fn a_counter_that_refuses_every_look_for_a_second_is_lost_and_wakes_every_waiter() {
    let Bed { double, timeline, .. } = bed();
    double.say(0, Some(unknown()));
    let told = notified(&timeline.point(1));
    let error = told.recv_timeout(LONG).unwrap().unwrap_err();
    assert_eq!(error.kind(), Kind::DeviceLost);
    assert!(error.to_string().contains("error 13 of the driver"), "{error}");
    assert_eq!(timeline.point(2).synchronize().unwrap_err().kind(), Kind::DeviceLost);
}

#[test]
fn a_counter_that_refuses_every_query_for_a_second_is_lost_also_where_nobody_waits() {
    let Bed { double, timeline, .. } = bed();
    double.say(0, Some(unknown()));
    let (point, begin) = (timeline.point(1), Instant::now());
    let error = loop {
        match point.query() {
            Ok(come) => assert!(!come && begin.elapsed() < LONG, "nobody hears of it"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::DeviceLost);
    assert!(error.to_string().contains("error 13 of the driver"), "{error}");
}

#[test]
fn a_sleep_that_ends_early_is_begun_anew_soon_and_keeps_no_core_busy() {
    let Bed { double, timeline, sleeps, .. } = bed();
    double.change(Said { at_once: Some(false), ..Said::default() });
    let told = notified(&timeline.point(1));
    // Twenty that each waited for a slice would take a second; the quickest of many is no matter of the machine's.
    let begins: Vec<_> = (0..200).map(|_| sleeps.recv_timeout(LONG).unwrap().1).collect();
    // Behind the first, whose pauses grow.
    let quickest = begins[20..].windows(21).map(|twenty| twenty[20] - twenty[0]).min().unwrap();
    assert!(quickest < SLICE * 10, "{quickest:?}");
    assert!(quickest > Duration::from_millis(10), "{quickest:?}");
    double.say(1, None);
    told.recv_timeout(LONG).unwrap().unwrap();
}

#[test]
fn a_counter_that_is_said_to_have_come_and_has_not_is_lost_after_a_while_and_keeps_no_core_busy() {
    let Bed { double, timeline, sleeps, .. } = bed();
    double.change(Said { at_once: Some(true), ..Said::default() });
    let told = notified(&timeline.point(1));
    let error = told.recv_timeout(LONG).unwrap().unwrap_err();
    assert_eq!(error.kind(), Kind::DeviceLost);
    assert!(
        error.to_string().contains("is said to have come to 1, and said to be at 0"),
        "{error}"
    );
    let rounds = sleeps.try_iter().count();
    assert!(rounds <= 20, "{rounds} sleeps that were none");
}

#[test]
fn a_counter_that_is_refused_and_contradicts_by_turns_is_lost_after_a_while() {
    let Bed { double, timeline, .. } = bed();
    double.change(Said { at_once: Some(true), by_turns: Some(unknown()), ..Said::default() });
    let told = notified(&timeline.point(1));
    assert_eq!(told.recv_timeout(LONG).unwrap().unwrap_err().kind(), Kind::DeviceLost);
}

#[test]
fn a_point_beyond_what_a_timeline_holds_fails_once_the_counter_is_there() {
    let Bed { double, timeline, .. } = bed();
    let (last, beyond) = (timeline.point(LOST - 1), timeline.point(LOST + 7));
    let (last, beyond) = (notified(&last), notified(&beyond));
    double.say(LOST + 9, None);
    last.recv_timeout(LONG).unwrap().unwrap();
    let error = beyond.recv_timeout(LONG).unwrap().unwrap_err();
    assert_eq!(error.kind(), Kind::Misuse(Reason::OutOfRange));
}

#[test]
fn nobody_sleeps_for_a_counter_that_nobody_waits_for() {
    let Bed { double, timeline, sleeps, .. } = bed();
    let point = timeline.point(1);
    let error = point.synchronize_timeout(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut);
    // The thread that was called looks, finds nobody, and ends no wait of anybody's.
    let (foreign, begin) = (timeline.foreign().unwrap(), Instant::now());
    while foreign.call.is_there() {
        assert!(begin.elapsed() < LONG, "the thread stays for nobody");
        thread::yield_now();
    }
    while sleeps.try_recv().is_ok() {}
    assert!(!point.query().unwrap());
    assert!(sleeps.try_recv().is_err());
    let told = notified(&point);
    double.say(1, None);
    told.recv_timeout(LONG).unwrap().unwrap();
}

#[test]
fn a_wait_that_runs_out_says_that_others_have_to_go_on() {
    let Bed { double, timeline, .. } = bed();
    double.say(2, None);
    let error = timeline.point(5).synchronize_timeout(Duration::ZERO).unwrap_err();
    let report = error.report().unwrap();
    assert_eq!((report.end(), report.links()[0].completed), (&End::Others, 2));
    let words = report.to_string();
    let expected = "has completed 2 of 5 and is raised by others, who have not come so far";
    assert!(words.contains(expected), "{words}");
    assert!(words.starts_with("point 5 of timeline "), "{words}");
}

#[test]
fn a_wait_that_runs_out_says_that_nobody_could_ask_others() {
    let Bed { double, timeline, .. } = bed();
    double.say(0, Some(unknown()));
    let error = timeline.point(5).synchronize_timeout(Duration::ZERO).unwrap_err();
    let report = error.report().unwrap();
    assert!(matches!(report.end(), End::Unheard(words) if words.contains("error 13")));
    let words = report.to_string();
    assert!(words.contains("and cannot be asked: error 13 of the driver"), "{words}");
}

#[test]
fn a_counter_is_dropped_on_a_thread_of_ours_with_its_last_point() {
    let Bed { double, timeline, end, .. } = bed();
    let point = timeline.point(1);
    drop((double, timeline));
    assert!(end.try_recv().is_err(), "the point keeps it");
    drop(point);
    assert_eq!(end.recv_timeout(LONG).unwrap().as_deref(), Some("syncpoint-reap"));
}

#[test]
fn values_beyond_what_a_timeline_holds_are_its_largest() {
    let seen = Seen(AtomicU64::new(0));
    assert_eq!(seen.raise(u64::MAX), Some(LOST - 1));
    assert_eq!((seen.next(), seen.is_lost()), (LOST, false));
    assert_eq!((seen.lose(), seen.lose(), seen.raise(1)), (Some(LOST - 1), None, None));
}
