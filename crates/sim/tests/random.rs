//! Random programs of device work, held against a naive oracle: the order of ends in the log, and who fails.
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod common;

use std::collections::HashMap;
use std::time::Duration;

use syncpoint::sim::{Fault, Sim};
use syncpoint::{Gate, Kind, Point, Result, State, Stream};

use common::Draws;

/// A program as the oracle sees it: one entry for each value of each stream.
#[derive(Default)]
struct Plan {
    /// What the item of a value waits for.
    waits: HashMap<(Name, u64), (Name, u64)>,
    /// The last value of each stream.
    last: HashMap<Name, u64>,
    points: Vec<(Name, u64, Point)>,
}

impl Plan {
    /// Everything that has to be over before a value is, itself included.
    fn past(&self, of: (Name, u64)) -> Vec<(Name, u64)> {
        let (mut upto, mut left): (HashMap<Name, u64>, _) = (HashMap::new(), vec![of]);
        while let Some((name, value)) = left.pop() {
            let seen = upto.insert(name, value.max(upto.get(&name).copied().unwrap_or(0)));
            for earlier in seen.unwrap_or(0) + 1..=value {
                left.extend(self.waits.get(&(name, earlier)).copied());
            }
        }
        upto.into_iter().collect()
    }
}

/// Draws and enqueues a program; behind a gate, or half of it before anything may move.
fn enqueue(sim: &Sim, draws: &mut Draws, gate: &Gate) -> Result<(Plan, Vec<Stream>)> {
    let names: Vec<Name> = (0..6).map(|index| (index % 2, index / 2)).collect();
    let streams: Vec<Stream> =
        (0..6).map(|index| sim.device(index % 2)?.stream()).collect::<Result<_>>()?;
    let mut plan = Plan::default();
    for (index, stream) in streams.iter().enumerate() {
        if draws.below(2) == 0 {
            stream.wait(&gate.point())?;
        }
        plan.last.insert(names[index], stream.timeline().enqueued());
    }
    for _ in 0..120 {
        let index = draws.index(streams.len());
        let (name, stream) = (names[index], &streams[index]);
        match draws.below(8) {
            0..=3 => stream.delay(Duration::from_nanos(draws.below(5000)))?,
            4 => stream.enqueue(|| ())?,
            5 => drop(sim.step()),
            _ => {
                let other = draws.index(streams.len());
                let before = stream.timeline().enqueued();
                stream.wait_stream(&streams[other])?;
                if stream.timeline().enqueued() > before {
                    plan.waits.insert((name, before + 1), (names[other], plan.last[&names[other]]));
                }
            }
        }
        plan.last.insert(name, stream.timeline().enqueued());
        plan.points.push((name, stream.timeline().enqueued(), stream.record()?));
    }
    Ok((plan, streams))
}

#[test]
fn work_ends_only_after_everything_that_it_is_ordered_behind() -> Result<()> {
    for seed in 0..300 {
        let late = Duration::from_micros(seed % 7);
        let sim = Sim::builder().seed(seed).devices(2).late(late).stepped().build();
        let (mut draws, gate) = (Draws::new(seed), Gate::new());
        let (plan, _streams) = enqueue(&sim, &mut draws, &gate)?;
        gate.open()?;
        sim.run_until_idle();
        for (name, value, point) in &plan.points {
            assert!(matches!(point.state(), State::Complete), "seed {seed}: {name:?} {value}");
        }
        let lines = lines(&sim.log());
        let ends = ends(&lines);
        for (of, at) in &ends {
            for (name, upto) in plan.past(*of) {
                for value in (1..=upto).filter(|value| (name, *value) != *of) {
                    let before = ends.get(&(name, value));
                    assert!(before.is_none_or(|before| before < at), "seed {seed}: {of:?}");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn exactly_what_is_ordered_behind_a_failure_fails() -> Result<()> {
    let mut failures = 0;
    for seed in 0..300 {
        let late = Duration::from_micros(seed % 7);
        let sim = Sim::builder().seed(seed).devices(2).late(late).stepped().build();
        let (mut draws, gate) = (Draws::new(seed), Gate::new());
        let device = u32::try_from(seed % 2).expect("it is small");
        sim.plan(device, 1 + draws.below(60), Fault::Fail)?;
        // A stream that has failed refuses; then the program is shorter.
        let Ok((plan, _streams)) = enqueue(&sim, &mut draws, &gate) else { continue };
        gate.open()?;
        sim.run_until_idle();
        let log = sim.log();
        let failed = lines(&log).into_iter().find(|line| line.verb == "fails");
        let Some(failed) = failed else { continue };
        failures += 1;
        for (name, value, point) in &plan.points {
            let mut past = plan.past((*name, *value)).into_iter();
            let behind = past.any(|(of, upto)| of == failed.stream && upto >= failed.value);
            match point.state() {
                State::Complete => assert!(!behind, "seed {seed}: {name:?} {value}\n{log}"),
                State::Failed(error) => {
                    assert!(behind, "seed {seed}: {name:?} {value}: {error}\n{log}");
                    assert_eq!(error.kind(), Kind::Failed);
                }
                state => panic!("seed {seed}: {name:?} {value} is {state:?}\n{log}"),
            }
        }
    }
    assert!(failures > 100, "the test must see failures: {failures}");
    Ok(())
}

/// A stream as the log names it: its device, and which stream of it, from 0.
type Name = (u64, u64);

/// One line of the log about a stream.
#[derive(Clone, Debug)]
struct Line {
    stream: Name,
    /// `ends`, `fails`, `tells`, `ran` or `asked,`.
    verb: String,
    value: u64,
}

/// The lines of a log that are about streams.
fn lines(log: &str) -> Vec<Line> {
    log.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<Line> {
    let (_nanos, rest) = text.split_once(" ns  sim:")?;
    let (device, rest) = rest.split_once('/')?;
    let (number, rest) = rest.split_once("  ")?;
    let mut words = rest.split_whitespace();
    let verb = words.next()?.to_owned();
    let value = words.find_map(|word| word.trim_end_matches(':').parse().ok())?;
    let stream = (device.parse().ok()?, number.parse().ok()?);
    Some(Line { stream, verb, value })
}

/// Where in the log each value ended, was found to fail, or ran on the host.
fn ends(lines: &[Line]) -> HashMap<(Name, u64), usize> {
    let is_end = |line: &&Line| ["ends", "fails", "ran"].contains(&line.verb.as_str());
    let ends = lines.iter().enumerate().filter(|(_, line)| is_end(line));
    ends.map(|(index, line)| ((line.stream, line.value), index)).collect()
}
