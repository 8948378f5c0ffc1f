//! Waits between simulated devices and the host, in both directions, and what is held for them.
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use syncpoint::sim::Sim;
use syncpoint::{Gate, Kind, Result, Stream};

type Journal = Arc<Mutex<Vec<String>>>;

fn note(stream: &Stream, journal: &Journal, line: impl Into<String>) -> Result<()> {
    let (journal, line) = (Arc::clone(journal), line.into());
    stream.enqueue(move || journal.lock().expect("no writer panics").push(line))
}

fn lines(journal: &Journal) -> Vec<String> {
    journal.lock().expect("no writer panics").clone()
}

/// A chain host → sim:0 → host → sim:1 → … keeps its order, whoever moves the world.
fn chain(sim: &Sim) -> Result<()> {
    let (host, journal) = (syncpoint::open("host:0")?, Journal::default());
    let streams =
        [host.stream()?, sim.device(0)?.stream()?, host.stream()?, sim.device(1)?.stream()?];
    let gate = Gate::new();
    streams[0].wait(&gate.point())?;
    let mut expected = Vec::new();
    for hop in 0..200 {
        let (stream, next) = (&streams[hop % 4], &streams[(hop + 1) % 4]);
        note(stream, &journal, hop.to_string())?;
        if hop % 3 == 0 {
            stream.delay(Duration::from_micros(1))?;
        }
        next.wait_stream(stream)?;
        expected.push(hop.to_string());
    }
    assert!(lines(&journal).is_empty());
    gate.open()?;
    for stream in &streams {
        stream.synchronize_timeout(Duration::from_secs(20))?;
    }
    assert_eq!(lines(&journal), expected);
    Ok(())
}

#[test]
fn a_chain_between_host_and_simulated_devices_keeps_its_order() -> Result<()> {
    chain(&Sim::builder().devices(2).build())
}

#[test]
fn such_a_chain_is_moved_by_the_thread_that_waits_where_the_world_is_stepped() -> Result<()> {
    chain(&Sim::builder().devices(2).stepped().build())
}

#[test]
fn a_host_stream_waits_for_a_simulated_one_and_the_other_way_round() -> Result<()> {
    let sim = Sim::builder().build();
    let (host, device) = (syncpoint::open("host:0")?.stream()?, sim.device(0)?.stream()?);
    let gate = Gate::new();
    device.wait(&gate.point())?;
    device.delay(Duration::from_micros(1))?;
    host.wait_stream(&device)?;
    let end = host.record()?;
    assert_eq!(
        end.synchronize_timeout(Duration::from_millis(5)).unwrap_err().kind(),
        Kind::TimedOut
    );
    gate.open()?;
    end.synchronize()?;

    let gate = Gate::new();
    host.wait(&gate.point())?;
    device.wait_stream(&host)?;
    device.delay(Duration::from_micros(1))?;
    let end = device.record()?;
    assert_eq!(
        end.synchronize_timeout(Duration::from_millis(5)).unwrap_err().kind(),
        Kind::TimedOut
    );
    gate.open()?;
    end.synchronize()
}

#[test]
fn a_failure_crosses_from_host_to_device_and_back() -> Result<()> {
    let sim = Sim::builder().devices(2).build();
    let host = syncpoint::open("host:0")?;
    let (first, last) = (host.stream()?, host.stream()?);
    let (near, far) = (sim.device(0)?.stream()?, sim.device(1)?.stream()?);
    let gate = Gate::new();
    first.wait(&gate.point())?;
    first.enqueue(|| Err::<(), _>("no disk"))?;
    near.wait_stream(&first)?;
    far.wait_stream(&near)?;
    last.wait_stream(&far)?;
    let points = [first.record()?, near.record()?, far.record()?, last.record()?];
    gate.open()?;
    let failures: Vec<_> = points.iter().map(|point| point.synchronize().unwrap_err()).collect();
    assert!(failures.iter().all(|failure| failure.is_same(&failures[0])), "{failures:?}");
    Ok(())
}

#[test]
fn a_wait_across_devices_orders_their_work() -> Result<()> {
    for seed in 0..50 {
        let sim = Sim::builder().seed(seed).devices(3).stepped().build();
        let streams = [0, 1, 2].map(|device| sim.device(device).and_then(|device| device.stream()));
        let [a, b, c] = streams;
        let (a, b, c) = (a?, b?, c?);
        a.delay(Duration::from_micros(5))?;
        b.wait_stream(&a)?;
        b.delay(Duration::from_micros(1))?;
        c.wait_stream(&b)?;
        c.synchronize()?;
        let log = sim.log();
        let at = |words: &str| log.find(words).unwrap_or_else(|| panic!("{words} in {log}"));
        assert!(at("sim:0/0  ends 1") < at("sim:1/0  ends 2"));
        assert!(at("sim:1/0  ends 2") < at("sim:2/0  ends 1"));
    }
    Ok(())
}

#[test]
fn two_worlds_wait_for_each_other_through_the_host() -> Result<()> {
    let (one, other) = (Sim::builder().build(), Sim::builder().build());
    let (a, b) = (one.device(0)?.stream()?, other.device(0)?.stream()?);
    let gate = Gate::new();
    a.wait(&gate.point())?;
    for _ in 0..20 {
        a.delay(Duration::from_micros(1))?;
        b.wait_stream(&a)?;
        b.delay(Duration::from_micros(1))?;
        a.wait_stream(&b)?;
    }
    assert_eq!(other.operations(0)?, 0, "what waits for another world is held");
    gate.open()?;
    a.synchronize_timeout(Duration::from_secs(20))?;
    assert_eq!(one.operations(0)?, 20);
    Ok(())
}

#[test]
fn what_is_behind_a_gate_is_held_on_the_host_and_counted() -> Result<()> {
    let sim = Sim::builder().stepped().build();
    let stream = sim.device(0)?.stream()?;
    let gate = Gate::new();
    stream.wait(&gate.point())?;
    stream.delay(Duration::from_micros(1))?;
    sim.run_until_idle();
    assert_eq!((stream.statistics().held, sim.operations(0)?), (2, 0));
    gate.open()?;
    sim.run_until_idle();
    assert_eq!((stream.statistics().held, sim.operations(0)?), (0, 1));
    assert_eq!(stream.statistics().driver_calls, 1);
    Ok(())
}

#[test]
fn submissions_run_once_in_the_order_of_the_stream_and_have_no_handle_here() -> Result<()> {
    let sim = Sim::builder().build();
    let (stream, journal) = (sim.device(0)?.stream()?, Journal::default());
    for index in 0..100 {
        note(&stream, &journal, format!("work {index}"))?;
        let lines = Arc::clone(&journal);
        stream.submit(move |submission| {
            assert!(submission.native::<u64>().is_none());
            lines.lock().expect("no writer panics").push(format!("submission {index}"));
        })?;
    }
    stream.synchronize()?;
    let expected =
        (0..100).flat_map(|index| [format!("work {index}"), format!("submission {index}")]);
    assert_eq!(lines(&journal), expected.collect::<Vec<_>>());
    Ok(())
}

#[test]
fn host_work_sees_what_the_device_wrote_and_the_device_what_the_host_did() -> Result<()> {
    for seed in 0..50 {
        let sim = Sim::builder().seed(seed).stepped().build();
        let device = sim.device(0)?;
        let (stream, buffer) = (device.stream()?, device.buffer(16)?);
        stream.fill(&buffer, 0..8, 7)?;
        let seen = buffer.clone();
        stream.enqueue(move || -> Result<()> {
            assert_eq!(seen.to_vec(0..8)?, [7; 8]);
            seen.write(0, &[9; 8])
        })?;
        stream.copy(&buffer, 0..8, &buffer, 8..16)?;
        stream.synchronize()?;
        assert_eq!(buffer.to_vec(8..16)?, [9; 8], "seed {seed}");
    }
    Ok(())
}

#[test]
fn more_urgent_host_work_begins_first() -> Result<()> {
    use syncpoint::StreamOptions;

    for seed in 0..20 {
        let sim = Sim::builder().seed(seed).stepped().build();
        let (device, journal, gate) = (sim.device(0)?, Journal::default(), Gate::new());
        let greatest = device.priority_range().greatest();
        let streams: Vec<Stream> = (greatest..=0)
            .rev()
            .map(|priority| device.stream_with(StreamOptions::new().with_priority(priority)))
            .collect::<Result<_>>()?;
        for stream in &streams {
            stream.wait(&gate.point())?;
            note(stream, &journal, stream.priority().to_string())?;
        }
        gate.open()?;
        sim.run_until_idle();
        assert_eq!(lines(&journal), ["-3", "-2", "-1", "0"], "seed {seed}");
    }
    Ok(())
}

#[test]
fn a_step_by_hand_beside_the_thread_of_an_automatic_world_strands_nothing() -> Result<()> {
    let sim = Sim::builder().build();
    let stream = sim.device(0)?.stream()?;
    for _ in 0..60_000 {
        stream.delay(Duration::from_micros(1))?;
        stream.delay(Duration::from_micros(1))?;
        let end = stream.record()?;
        sim.step();
        end.synchronize_timeout(Duration::from_secs(3))?;
    }
    Ok(())
}
