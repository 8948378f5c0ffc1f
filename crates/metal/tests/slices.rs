//! Waits in slices on a full queue of others: one sleep for room, with its place in the line, its patience and its report.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod double;

use std::thread;
use std::time::{Duration, Instant};

use syncpoint::{Error, Gate, Kind, Point, Result, Slices, Stream};
use syncpoint_metal::protocol::{Limits, borrow};

use double::{Double, Queue};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// For how long nothing ends where whoever comes later passes those who stand in line.
const LULL: Duration = Duration::from_millis(50);

/// Has a stream fill the room of its queue behind a gate, and gives its end.
fn fill(stream: &Stream, gate: &Gate) -> Result<Point> {
    stream.wait(&gate.point())?;
    (0..3).try_for_each(|_| stream.record().map(drop))?;
    stream.record()
}

/// A slice that runs out before there is room.
#[track_caller]
fn run_out(slices: &mut Slices<'_>) -> Error {
    let late = slices.synchronize_deadline(Instant::now()).expect_err("it is full");
    assert_eq!(late.kind(), Kind::TimedOut, "{late}");
    late
}

#[test]
fn who_waits_in_slices_keeps_its_place_in_the_line_between_them() -> Result<()> {
    let (device, queue) = (Double::default().device(), Queue::ordinary());
    let theirs = borrow::<Double>(&device, queue.clone(), 8)?;
    let ours = borrow::<Double>(&device, queue, 8)?;
    for _ in 0..100 {
        let (gate, mut slices) = (Gate::new(), Slices::stream(&ours));
        let end = fill(&theirs, &gate)?;
        run_out(&mut slices);
        let begun = Instant::now();
        gate.open()?;
        end.synchronize_timeout(LONG)?;
        let later = thread::scope(|scope| {
            scope.spawn(|| theirs.synchronize_timeout(Duration::ZERO)).join().expect("it only asks")
        });
        let is_quick = begun.elapsed() < LULL;
        slices.synchronize_deadline(Instant::now() + LONG)?;
        if is_quick {
            let refused = later.expect_err("somebody stands before it");
            assert!(refused.message().contains("could put no mark"), "{refused}");
            return Ok(());
        }
    }
    panic!("this machine never came to the question within {LULL:?}");
}

/// Whether a wait finds room for its mark.
fn finds_room(stream: &Stream) -> bool {
    let late = stream.synchronize_timeout(Duration::ZERO).expect_err("it is behind a gate");
    assert_eq!(late.kind(), Kind::TimedOut, "{late}");
    !late.message().contains("could put no mark")
}

/// Where it would be found out: shortly after something has ended, somebody in line is not passed.
#[test]
fn who_has_got_room_stands_before_nobody_while_it_waits_for_its_work() -> Result<()> {
    let (device, queue) = (Double::default().device(), Queue::ordinary());
    let theirs = borrow::<Double>(&device, queue.clone(), 8)?;
    let ours = borrow::<Double>(&device, queue, 8)?;
    for _ in 0..100 {
        let (first, second, mut slices) = (Gate::new(), Gate::new(), Slices::stream(&ours));
        theirs.wait(&first.point())?;
        (0..3).try_for_each(|_| theirs.record().map(drop))?;
        let end = theirs.record()?;
        run_out(&mut slices);
        let begun = Instant::now();
        first.open()?;
        end.synchronize_timeout(LONG)?;
        ours.wait(&second.point())?;
        let late = run_out(&mut slices);
        let got = !late.message().contains("could put no mark");
        let others_too = thread::scope(|scope| {
            scope.spawn(|| finds_room(&theirs)).join().expect("it only asks")
        });
        let is_quick = begun.elapsed() < LULL;
        second.open()?;
        slices.synchronize_deadline(Instant::now() + LONG)?;
        if is_quick && got {
            assert!(others_too, "the place in line was kept");
            return Ok(());
        }
    }
    panic!("this machine never came to the question within {LULL:?}");
}

#[test]
fn who_waits_in_slices_loses_its_patience_as_who_waits_in_one() -> Result<()> {
    let limits = Limits { most: 8, patience: Duration::from_millis(100) };
    let (stream, gate) = (Double::default().device_within(limits).stream()?, Gate::new());
    Queue::of(&stream)?;
    fill(&stream, &gate)?;
    let (begun, mut slices) = (Instant::now(), Slices::stream(&stream));
    let refused = loop {
        let slice = Instant::now() + limits.patience / 5;
        let refused = slices.synchronize_deadline(slice).expect_err("it is full");
        if refused.kind() != Kind::TimedOut || begun.elapsed() > LONG {
            break refused;
        }
    };
    assert_eq!(refused.kind(), Kind::Exhausted, "{refused}");
    assert!(begun.elapsed() >= limits.patience, "not before that is over");
    gate.open()?;
    Ok(())
}

#[test]
fn a_wait_in_slices_that_runs_out_of_room_tells_what_is_full_and_what_is_before_it() -> Result<()> {
    let device = Double::default().device_within(Limits { most: 8, patience: 30 * LONG });
    let (stream, gate) = (device.stream()?, Gate::new());
    Queue::of(&stream)?;
    let end = fill(&stream, &gate)?;
    let mut slices = Slices::stream(&stream);
    let late = [run_out(&mut slices), run_out(&mut slices)];
    for late in late {
        assert!(late.message().contains("could put no mark"), "{late}");
        let report = late.report().expect("the stream's own work is before it");
        assert_eq!(report.awaited(), &end);
    }
    gate.open()?;
    slices.synchronize_deadline(Instant::now() + LONG)
}
