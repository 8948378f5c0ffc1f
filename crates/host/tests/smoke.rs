//! The main path of the host backend, end to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use syncpoint::{Gate, Kind, Result};

#[test]
fn work_on_two_streams_runs_in_the_order_of_their_points() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let (a, b) = (device.stream()?, device.stream()?);
    let count = Arc::new(AtomicUsize::new(0));
    for round in 0..1000_usize {
        let counter = Arc::clone(&count);
        a.enqueue(move || assert_eq!(counter.fetch_add(1, Ordering::Relaxed), 2 * round))?;
        b.wait_stream(&a)?;
        let counter = Arc::clone(&count);
        b.enqueue(move || assert_eq!(counter.fetch_add(1, Ordering::Relaxed), 2 * round + 1))?;
        a.wait_stream(&b)?;
    }
    a.synchronize()?;
    assert_eq!(count.load(Ordering::Relaxed), 2000);
    Ok(())
}

#[test]
fn a_gate_holds_a_stream_back() -> Result<()> {
    let stream = syncpoint::open("host:0")?.stream()?;
    let gate = Gate::new();
    stream.wait(&gate.point())?;
    stream.enqueue(|| ())?;
    let done = stream.record()?;
    assert!(!done.query()?);
    let error = done.synchronize_timeout(Duration::from_millis(5)).unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut);
    println!("{error}");
    gate.open()?;
    done.synchronize()
}

#[test]
fn a_failure_reaches_a_dependant() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let (a, b) = (device.stream()?, device.stream()?);
    a.enqueue(|| Err::<(), _>("no disk"))?;
    b.wait_stream(&a)
        .or_else(|error| if error.kind() == Kind::Failed { Ok(()) } else { Err(error) })?;
    let error = a.synchronize().unwrap_err();
    println!("{error}");
    let other = b.synchronize().unwrap_err();
    assert!(error.is_same(&other));
    Ok(())
}

#[test]
fn deep_pipelines_and_delays_complete() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let streams: Vec<_> = (0..64).map(|_| device.stream()).collect::<Result<_>>()?;
    let start = streams[0].record_timed()?;
    streams[0].delay(Duration::from_millis(2))?;
    for pair in streams.windows(2) {
        pair[1].wait_stream(&pair[0])?;
        pair[1].enqueue(|| ())?;
    }
    let end = streams[63].record_timed()?;
    end.synchronize()?;
    assert!(end.elapsed_since(&start)? >= Duration::from_millis(2));
    Ok(())
}
