//! While nobody observes, nothing is numbered. One test in a process of its own: others are numbered while they observe.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};

use syncpoint::trace::Record;
use syncpoint::{Gate, Stream, observe};
use syncpoint_conformance::patience::{PATIENCE, settle};

#[test]
fn what_nobody_observes_takes_no_number() {
    let device = syncpoint::open("host:0").unwrap();
    let (stream, event) = (device.stream().unwrap(), device.event());
    let before = numbers_of_one_record(&stream);
    for _ in 0..100 {
        let (other, gate, buffer) =
            (device.stream().unwrap(), Gate::new(), device.buffer(8).unwrap());
        other.wait(&gate.point()).unwrap();
        gate.open().unwrap();
        stream.enqueue(|| ()).unwrap();
        stream.fill(&buffer, 0..8, 1).unwrap();
        event.record(&stream).unwrap();
        other.wait_event(&event).unwrap();
        other.record_timed().unwrap().notify(drop).unwrap();
        event.query().unwrap();
        settle(&other.record().unwrap());
    }
    let after = numbers_of_one_record(&stream);
    assert_eq!(*after.first().unwrap(), before.last().unwrap() + 1, "numbers went by unheard");
}

/// The numbers that an observer hears while one record is made, and nothing else happens: the stream is held meanwhile.
fn numbers_of_one_record(stream: &Stream) -> Vec<u64> {
    let gate = Gate::new();
    settle(&stream.record().unwrap());
    stream.wait(&gate.point()).unwrap();
    let numbers = heard_of_one_record(stream);
    gate.open().unwrap();
    settle(&stream.record().unwrap());
    numbers
}

fn heard_of_one_record(stream: &Stream) -> Vec<u64> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let watch = observe(move |record: &Record| ear.lock().unwrap().push(record.sequence));
    stream.record().unwrap();
    watch.end(PATIENCE).unwrap();
    let mut numbers = heard.lock().unwrap().clone();
    numbers.sort_unstable();
    numbers
}
