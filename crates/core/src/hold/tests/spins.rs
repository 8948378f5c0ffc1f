//! Whether a wait of the host spins before it sleeps, seen by how it looks at the device meanwhile.

use std::time::{Duration, Instant};

use super::double::Bench;
use super::work;
use crate::error::Kind;
use crate::event::Event;
use crate::event_options::EventOptions;
use crate::wait::{Wait, wait_as_with};

/// Long enough for a spin that a busy machine interrupts.
const TIME: Duration = Duration::from_millis(2);

/// More than a busy machine interrupts.
const TRIES: usize = 1000;

/// One way to wait for an event, which runs out.
type Waits = fn(&Event) -> crate::Result<()>;

/// An event whose point does not come.
fn pending(bench: &Bench<false>, options: EventOptions) -> Event {
    let (stream, event) = (bench.stream(), bench.device().event_with(options).unwrap());
    let _end = work(&stream);
    event.record(&stream).unwrap();
    event
}

#[test]
fn each_wait_for_a_blocking_event_sleeps_at_once_unless_it_is_told_how() {
    wait_as_with(64);
    let bench = Bench::<false>::new();
    let plain = pending(&bench, EventOptions::new());
    let blocking = pending(&bench, EventOptions::builder().blocking().build().unwrap());
    let waits: [(Waits, [bool; 2]); 3] = [
        (|event| event.synchronize_timeout(TIME), [true, false]),
        (|event| event.synchronize_deadline(Instant::now() + TIME), [true, false]),
        (|event| event.synchronize_with(Wait::NoHelp, Some(TIME)), [true, true]),
    ];
    for (way, (waits, spins)) in waits.into_iter().enumerate() {
        for (event, spins) in [&plain, &blocking].into_iter().zip(spins) {
            let seen_to_spin = || {
                assert_eq!(waits(event).unwrap_err().kind(), Kind::TimedOut);
                bench.has_spun()
            };
            // On a busy machine the time may be over before the thread looks at all.
            let tries = if spins { TRIES } else { 1 };
            assert_eq!((0..tries).any(|_| seen_to_spin()), spins, "way {way}, {event}");
        }
    }
}
