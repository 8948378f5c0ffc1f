//! Misuse of events that no law has a case for: what a user may do wrong, and what it then does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use syncpoint::{Device, Event, EventOptions, Gate, Kind, Reason};
use syncpoint_conformance::patience::{PATIENCE, heard, refused, say, settle};

fn host() -> Device {
    syncpoint::open("host:0").unwrap()
}

/// Two timed events on one stream with time between them, both complete.
fn start_and_end() -> (Event, Event) {
    let stream = host().stream().unwrap();
    let events = [Event::new(EventOptions::timed()), Event::new(EventOptions::timed())];
    events[0].record(&stream).unwrap();
    stream.delay(Duration::from_millis(1)).unwrap();
    events[1].record(&stream).unwrap();
    settle(&events[1].point().unwrap());
    let [start, end] = events;
    (start, end)
}

#[test]
fn the_time_between_two_events_is_that_of_their_present_points() {
    let (start, end) = start_and_end();
    let first = end.elapsed_since(&start).unwrap();
    let stream = host().stream().unwrap();
    start.record(&stream).unwrap();
    settle(&start.point().unwrap());
    refused(end.elapsed_since(&start), Kind::Misuse(Reason::Reversed));
    end.record(&stream).unwrap();
    settle(&end.point().unwrap());
    let second = end.elapsed_since(&start).unwrap();
    assert!(first >= Duration::from_millis(1) && second != first);
}

#[test]
fn the_time_is_the_same_however_often_and_from_wherever_it_is_asked() {
    let (start, end) = start_and_end();
    let expected = end.elapsed_since(&start).unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    end.synchronize_timeout(PATIENCE).unwrap();
                    assert_eq!(end.elapsed_since(&start).unwrap(), expected);
                }
            });
        }
    });
}

#[test]
fn an_event_dropped_while_streams_and_hosts_wait_for_it_lets_them_finish() {
    let (stream, waiting, gate) = (host().stream().unwrap(), host().stream().unwrap(), Gate::new());
    let event = Event::new(EventOptions::new());
    stream.wait(&gate.point()).unwrap();
    event.record(&stream).unwrap();
    waiting.wait_event(&event).unwrap();
    let future = (&event).into_future();
    let point = event.point().unwrap();
    let hosts: Vec<_> = (0..3)
        .map(|_| {
            let point = point.clone();
            thread::spawn(move || point.synchronize_timeout(PATIENCE))
        })
        .collect();
    drop(event);
    gate.open().unwrap();
    settle(&waiting.record().unwrap());
    for host in hosts {
        host.join().unwrap().unwrap();
    }
    drop(future);
}

#[test]
fn an_option_that_the_host_lacks_is_refused_and_never_ignored() {
    let stream = host().stream().unwrap();
    let options = EventOptions::builder().external().build().unwrap();
    refused(host().event_with(options), Kind::Unsupported);
    let late = Event::new(options);
    refused(late.record(&stream), Kind::Unsupported);
    refused(late.record_once(&stream), Kind::Unsupported);
    assert!(late.device().is_none() && late.point().is_err());
}

#[test]
fn options_that_contradict_one_another_are_refused_when_they_are_built() {
    let builder = EventOptions::builder().timing().interprocess();
    refused(builder.build(), Kind::Misuse(Reason::Contradiction));
    let builder = EventOptions::builder().external().interprocess();
    refused(builder.build(), Kind::Misuse(Reason::Contradiction));
    let all = EventOptions::builder().timing().blocking().external().build().unwrap();
    assert!(all.timing() && all.blocking() && all.external() && !all.interprocess());
    assert_eq!(EventOptions::builder().build().unwrap(), EventOptions::default());
}

#[test]
fn an_event_that_blocks_has_its_waiter_sleep_where_another_has_it_help() {
    let blocking = EventOptions::builder().blocking().build().unwrap();
    let helped = |options| (0..2000).filter(|_| runs_on_its_waiter(options)).count();
    assert!(helped(EventOptions::new()) > 0, "in 2000 attempts a waiter never ran the work");
    assert_eq!(helped(blocking), 0, "a waiter that is to sleep ran the work");
}

/// Whether the thread that synchronizes an event of these options runs the work before it.
fn runs_on_its_waiter(options: EventOptions) -> bool {
    let (stream, (sender, receiver)) = (host().stream().unwrap(), channel());
    let event = host().event_with(options).unwrap();
    stream.enqueue(move || say(&sender, thread::current().id())).unwrap();
    event.record(&stream).unwrap();
    event.synchronize().unwrap();
    assert!(event.query().unwrap());
    heard(&receiver, "the thread of the work") == thread::current().id()
}

#[test]
fn events_are_told_apart_and_ordered_by_their_ids() {
    let events = [Event::new(EventOptions::new()), Event::new(EventOptions::new())];
    assert!(events[0] < events[1] && events[0] != events[1]);
    assert_eq!(events[0].cmp(&events[1]), events[0].id().cmp(&events[1].id()));
}

#[test]
fn a_record_needs_nothing_of_what_was_recorded_before() {
    let (stream, broken) = (host().stream().unwrap(), host().stream().unwrap());
    let event = Event::new(EventOptions::new());
    broken.enqueue(|| Err::<(), _>("on purpose")).unwrap();
    event.record(&broken).unwrap();
    refused(event.synchronize_timeout(PATIENCE), Kind::Failed);
    event.record(&stream).unwrap();
    assert!(event.query().unwrap(), "the failure belongs to the point of before");
}
