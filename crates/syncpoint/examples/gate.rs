//! A gate holds a stream back until the host opens it, and says so when somebody waits too long.
#![expect(clippy::print_stdout, clippy::panic_in_result_fn, reason = "an example shows and checks")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use syncpoint::{Gate, Kind, Result};

fn main() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let stream = device.stream()?;
    let ran = Arc::new(AtomicBool::new(false));

    let gate = Gate::named("settings loaded");
    stream.wait(&gate.point())?; // the stream waits; this thread goes on
    let mark = Arc::clone(&ran);
    stream.enqueue(move || mark.store(true, Ordering::Release))?;
    let done = stream.record()?;

    // Nobody opened the gate: the wait runs out, and the error names the gate and where it was made.
    match done.synchronize_timeout(Duration::from_millis(20)) {
        Err(error) if error.kind() == Kind::TimedOut => println!("too early:\n  {error}\n"),
        other => panic!("the gate is closed, and yet the wait ended with {other:?}"),
    }
    assert!(!ran.load(Ordering::Acquire), "work behind a closed gate does not run");

    gate.open()?;
    done.synchronize()?;
    assert!(ran.load(Ordering::Acquire), "work behind an open gate runs");
    println!("the gate is open, and the work behind it ran");

    // A stream can open a gate too: the other waits exactly until the first has come so far.
    let (first, second) = (device.stream()?, device.stream()?);
    let handed_over = Gate::named("handed over");
    second.wait(&handed_over.point())?;
    first.open(&handed_over)?;
    second.synchronize()?;
    println!("a stream opened a gate for another");

    // A gate that is forgotten fails, so that nobody waits for ever.
    let forgotten = Gate::named("forgotten");
    second.wait(&forgotten.point())?;
    drop(forgotten);
    let failure = second.synchronize().err();
    println!("a forgotten gate:\n  {}", failure.as_ref().map_or("", |error| error.message()));
    assert!(failure.is_some(), "a gate that is dropped unopened fails who waits for it");
    Ok(())
}
