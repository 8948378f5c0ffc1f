//! The drop of an imported event, for which a stream waits on its device: it asks no driver.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod fake;
mod sharing;

use std::sync::mpsc::channel;
use std::thread;

use syncpoint::Result;
use syncpoint_conformance::other::{Part, play};
use syncpoint_conformance::patience::{heard, say, settle, until};

use fake::Fake;
use sharing::{device, open, recorded, records_behind_a_latch, waiting};

/// The part that the other process plays.
const PARTS: [(&str, Part); 1] = [("records behind a latch", records_behind_a_latch)];

#[test]
fn the_other_process() {
    play(&PARTS);
}

/// Nobody else is asked in this process.
#[test]
fn an_imported_event_is_dropped_while_no_question_is_answered() -> Result<()> {
    let (fake, device, (other, handle)) = (Fake::used(), device()?, recorded());
    let event = open(&device, &handle)?;
    let (_stream, end, waits) = waiting(&device, &event)?;
    assert_eq!(waits, 1, "the device waits for it");
    let before = fake.count("cuEventQuery");
    fake.script("block cuEventQuery 1");
    let (dropped, told) = channel();
    let drops = thread::spawn(move || {
        drop(event);
        say(&dropped, ());
    });
    heard(&told, "the end of the drop");
    until("the question of a thread of ours", || fake.count("cuEventQuery") > before);
    fake.script("release");
    drops.join().expect("it does not panic");
    other.next();
    settle(&end);
    until("the end of the event", || fake.count("cuEventDestroy_v2") > 0);
    other.end();
    Ok(())
}
