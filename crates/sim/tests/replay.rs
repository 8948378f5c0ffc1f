//! A seed and a program give the same run, byte for byte; and the runs of many seeds differ.
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod common;

use std::collections::HashSet;
use std::time::Duration;

use syncpoint::sim::Sim;
use syncpoint::{Event, EventOptions, Gate, Result, Stream};

use common::Draws;

/// A program that uses everything, drawn from a seed of its own; its log.
fn run(seed: u64, program: u64) -> Result<String> {
    let builder = Sim::builder().seed(seed).devices(2).late(Duration::from_micros(5));
    let sim = builder.host_work(Duration::from_micros(3)).stepped().build();
    let mut draws = Draws::new(program);
    let devices = [sim.device(0)?, sim.device(1)?];
    let streams: Vec<Stream> =
        (0..6).map(|index: usize| devices[index % 2].stream()).collect::<Result<_>>()?;
    let buffers = [devices[0].buffer(64 << 10)?, devices[1].buffer(64 << 10)?];
    let event = Event::new(EventOptions::new());
    let mut gates = Vec::new();
    for _ in 0..200 {
        let index = draws.index(streams.len());
        let (stream, buffer) = (&streams[index], &buffers[index % 2]);
        match draws.below(10) {
            0 => stream.fill(buffer, 0..draws.below(64 << 10), 7)?,
            1 => stream.copy(buffer, 0..1024, buffer, 2048..3072)?,
            2 => stream.delay(Duration::from_nanos(draws.below(20_000)))?,
            3 => stream.enqueue(|| ())?,
            4 => stream.wait_stream(&streams[draws.index(streams.len())])?,
            5 if index.is_multiple_of(2) => event.record(stream)?,
            5 | 6 => stream.wait_event(&event)?,
            7 => {
                let gate = Gate::new();
                stream.wait(&gate.point())?;
                gates.push(gate);
            }
            8 => drop(gates.pop().map(|gate| gate.open()).transpose()?),
            _ => drop(sim.step()),
        }
    }
    for gate in gates {
        gate.open()?;
        sim.step();
    }
    sim.run_until_idle();
    for stream in &streams {
        assert!(stream.query()?, "{stream} must be idle once nothing is left to happen");
    }
    Ok(sim.log())
}

#[test]
fn the_same_seed_and_program_replay_byte_for_byte() -> Result<()> {
    for seed in 0..200 {
        assert_eq!(run(seed, seed % 20)?, run(seed, seed % 20)?, "seed {seed}");
    }
    Ok(())
}

#[test]
fn seeds_bring_different_orders() -> Result<()> {
    let logs: HashSet<String> = (0..50).map(|seed| run(seed, 3)).collect::<Result<_>>()?;
    assert_eq!(logs.len(), 50);
    Ok(())
}

#[test]
fn nothing_moves_by_itself_in_a_stepped_world() -> Result<()> {
    let sim = Sim::builder().stepped().build();
    let stream = sim.device(0)?.stream()?;
    stream.delay(Duration::from_micros(1))?;
    let point = stream.record()?;
    for _ in 0..100 {
        assert!(!point.query()?);
    }
    assert_eq!((sim.log(), sim.now()), (String::new(), Duration::ZERO));
    stream.synchronize()?;
    assert!(point.query()?);
    Ok(())
}

#[test]
fn a_wait_moves_a_stepped_world_however_it_waits() -> Result<()> {
    use syncpoint::Wait;

    let sim = Sim::builder().stepped().build();
    let stream = sim.device(0)?.stream()?;
    for wait in [Wait::Adaptive, Wait::Spin, Wait::Yield, Wait::Block, Wait::NoHelp] {
        stream.enqueue(|| ())?;
        stream.delay(Duration::from_secs(1))?;
        stream.record()?.synchronize_with(wait, None)?;
        stream.delay(Duration::from_secs(1))?;
        stream.record()?.synchronize_with(wait, Some(Duration::from_secs(60)))?;
    }
    stream.delay(Duration::from_secs(1))?;
    sim.device(0)?.synchronize()?;
    let point = stream.record()?;
    syncpoint::wait_all(&[point])
}

#[test]
fn work_may_wait_inside_for_another_stream_of_a_stepped_world() -> Result<()> {
    let sim = Sim::builder().stepped().build();
    let device = sim.device(0)?;
    let (a, b) = (device.stream()?, device.stream()?);
    b.delay(Duration::from_micros(3))?;
    b.enqueue(|| ())?;
    let inner = b.record()?;
    a.enqueue(move || inner.synchronize())?;
    a.synchronize()
}
