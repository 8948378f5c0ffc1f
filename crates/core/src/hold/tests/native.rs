//! Events of the driver: owned by an event of ours in addition to its points, and taken in from others.

use super::assert_complete;
use super::double::Bench;
use crate::error::{Error, Kind, Reason};
use crate::event::{Event, EventState};
use crate::event_options::EventOptions;
use crate::gate::Gate;

fn bench() -> Bench<false> {
    Bench::lending(Some(7))
}

fn with_handle() -> EventOptions {
    EventOptions::builder().native_handle().build().unwrap()
}

#[test]
fn an_event_with_a_handle_records_its_point_and_the_drivers_event() {
    let bench = bench();
    let (stream, event) = (bench.stream(), bench.device().event_with(with_handle()).unwrap());
    stream.delay(std::time::Duration::ZERO).unwrap();
    event.record(&stream).unwrap();
    bench.assert_given(&["0.1 delay", "0.1 mark", "native record"]);
    bench.complete(0, 1);
    assert_complete(&event.point().unwrap());
}

#[test]
fn a_point_that_an_event_gets_while_it_is_recorded_once_stays_its_first() {
    let bench = bench();
    let (slow, quick) = (bench.stream(), bench.stream());
    let event = bench.device().event_with(EventOptions::timed()).unwrap();
    let (has_begun, go_on) = bench.pause_next();
    std::thread::scope(|scope| {
        let once = scope.spawn(|| event.record_once(&slow));
        has_begun.recv().unwrap();
        event.record(&quick).unwrap();
        go_on.send(()).unwrap();
        once.join().unwrap().unwrap();
    });
    assert_eq!(event.point().unwrap().timeline(), quick.timeline());
    event.record(&slow).unwrap();
    assert_eq!(event.point().unwrap().timeline(), slow.timeline(), "another record moves it");
}

#[test]
fn an_event_without_a_handle_has_none_to_give_out() {
    let bench = bench();
    let refused = bench.device().event().native().unwrap_err();
    assert_eq!(refused.kind(), Kind::Unsupported);
}

#[test]
fn the_handle_of_an_event_that_belongs_to_no_device_is_refused_and_later_stays_the_same() {
    let bench = bench();
    let event = Event::new(with_handle());
    assert_eq!(event.native().unwrap_err().kind(), Kind::Misuse(Reason::NotRecorded));
    event.record(&bench.stream()).unwrap();
    let address = |event: &Event| {
        let native = event.native().unwrap();
        std::ptr::from_ref(native.event().unwrap()).cast::<()>()
    };
    assert_eq!(address(&event), address(&event));
}

#[test]
fn a_device_without_native_events_refuses_the_option() {
    let host = syncpoint::open("host:0").unwrap();
    let options = syncpoint::EventOptions::builder().native_handle().build().unwrap();
    assert_eq!(host.event_with(options).unwrap_err().kind(), syncpoint::Kind::Unsupported);
}

#[test]
fn an_event_of_others_is_recorded_and_waited_for_on_the_device() {
    let bench = bench();
    let (stream, event) = (bench.stream(), bench.foreign_event(true, Gate::new().point()));
    event.record(&stream).unwrap();
    stream.wait_event(&event).unwrap();
    bench.assert_given(&["native record", "native wait"]);
    assert!(matches!(event.state(), EventState::Pending));
    assert_eq!(event.point().unwrap_err().kind(), Kind::Unsupported);
}

#[test]
fn an_event_of_others_that_the_device_cannot_wait_for_holds_the_stream_until_it_is_settled() {
    let bench = bench();
    let (stream, gate) = (bench.stream(), Gate::new());
    let event = bench.foreign_event(false, gate.point());
    stream.wait_event(&event).unwrap();
    stream.delay(std::time::Duration::ZERO).unwrap();
    bench.assert_given(&[]);
    gate.fail(Error::failed("their work failed")).unwrap();
    bench.run();
    assert!(stream.failure().unwrap().message().contains("their work failed"));
}

#[test]
fn an_event_of_others_with_nothing_to_record_refuses_and_says_whose_it_is() {
    let bench = bench();
    let event = bench.foreign_event(false, Gate::new().point());
    let refused = event.record(&bench.stream()).unwrap_err();
    assert_eq!(refused.kind(), Kind::Unsupported);
    assert!(refused.message().contains("another program's"), "{refused}");
}

#[test]
fn an_event_of_others_belongs_to_its_device() {
    let (here, elsewhere) = (bench(), bench());
    let event = here.foreign_event(true, Gate::new().point());
    let refused = event.record(&elsewhere.stream()).unwrap_err();
    assert_eq!(refused.kind(), Kind::Misuse(Reason::WrongDevice));
    elsewhere.assert_given(&[]);
}

#[test]
fn a_refused_record_of_the_drivers_event_is_told_to_the_caller_and_fails_no_stream() {
    let bench = bench();
    let (stream, event) = (bench.stream(), bench.device().event_with(with_handle()).unwrap());
    stream.delay(std::time::Duration::ZERO).unwrap();
    // After the mark of the point.
    bench.refuse_after(1, "no room");
    assert_eq!(event.record(&stream).unwrap_err().kind(), Kind::Driver);
    assert!(stream.failure().is_none());
    let event = bench.foreign_event(true, Gate::new().point());
    bench.refuse_next("no room");
    assert_eq!(stream.wait_event(&event).unwrap_err().kind(), Kind::Driver);
    assert!(stream.failure().is_none());
}

#[test]
fn an_event_of_others_is_recorded_in_a_capture_of_theirs() {
    let bench = bench();
    let (stream, event) = (bench.borrowed(), bench.foreign_event(true, Gate::new().point()));
    bench.capture(true);
    event.record(&stream).unwrap();
    bench.assert_given(&["native record"]);
    assert_eq!(stream.timeline().enqueued(), 0);
}
