//! The cases: what is measured, by name.

mod block;
mod enqueue;
mod fan;
mod fill;
mod hop;
mod point;
mod trip;
mod wake;

use std::time::Duration;

use syncpoint::Device;

use super::{
    costs::Figures,
    rival,
    sample::{self, Effort, Prepared, Trouble},
    work,
};

// What a rival does as often, or in the same way.
#[cfg(feature = "rivals")]
pub(super) use {
    enqueue::{DEPTH, RUNNING},
    fan::WIDTH,
    fill::{BYTES, TURN},
    hop::HOPS,
    point::COUNT,
    trip::PIPELINES,
    wake::{ROUNDS, woken},
};

/// One thing that is measured.
#[derive(Debug)]
pub struct Case {
    name: &'static str,
    prepare: fn(&Device) -> Prepared,
    /// How many samples it gives at most: one where the first changes what the next would find, few where each is long.
    most: usize,
}

impl Case {
    const fn new(name: &'static str, prepare: fn(&Device) -> Prepared) -> Self {
        Self { name, prepare, most: usize::MAX }
    }

    const fn few(name: &'static str, prepare: fn(&Device) -> Prepared) -> Self {
        Self { name, prepare, most: 5 }
    }

    const fn once(name: &'static str, prepare: fn(&Device) -> Prepared) -> Self {
        Self { name, prepare, most: 1 }
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Measures, beside the rival if there is one.
    pub(super) fn measure(&self, device: &Device, effort: Effort) -> Result<Figures, Trouble> {
        let samples = effort.samples().min(self.most);
        let mut ours = (self.prepare)(device)?;
        let Some((rival, prepare)) = rival::of(self.name, device) else {
            return Ok((sample::alone(samples, &mut ours)?, None));
        };
        let (nanos, rivals) = sample::beside(samples, &mut ours, &mut prepare()?)?;
        Ok((nanos, Some((rival, rivals))))
    }
}

/// The cases whose name contains this text, in their order; if there is none, the names of all.
///
/// # Errors
///
/// The names of all cases.
pub fn select(filter: &str) -> Result<Vec<&'static Case>, Vec<&'static str>> {
    let found: Vec<_> = CASES.iter().filter(|case| case.name.contains(filter)).collect();
    if found.is_empty() { Err(CASES.iter().map(Case::name).collect()) } else { Ok(found) }
}

/// The cases that leave threads behind come last.
const CASES: &[Case] = &[
    Case::new("enqueue, busy stream, empty", |device| enqueue::busy(device, work::empty)),
    Case::new("enqueue, busy stream, 8 bytes", |device| enqueue::busy(device, work::word)),
    Case::new("enqueue, busy stream, 64 bytes", |device| enqueue::busy(device, work::block)),
    Case::new("enqueue to done, worker beside", enqueue::running),
    Case::new("record, idle stream", point::record),
    Case::new("record and query, idle stream", point::record_query),
    Case::new("timed record, idle stream", point::record_timed),
    Case::new("query, complete point", point::query),
    Case::new("wait, complete point", point::wait),
    Case::new("wait, point of a busy stream", point::wait_pending),
    Case::new("stream, made and dropped", |device| Ok(point::make(device))),
    Case::new("trip, in a loop", trip::in_a_loop),
    Case::new("trip, 50 us between", |device| trip::apart(device, Duration::from_micros(50), 50)),
    Case::new("trip, 1 ms between", |device| trip::apart(device, Duration::from_millis(1), 8)),
    Case::new("pipeline of 2 streams", |device| trip::pipeline(device, 2)),
    Case::new("pipeline of 8 streams", |device| trip::pipeline(device, 8)),
    Case::new("pipeline of 64 streams", |device| trip::pipeline(device, 64)),
    Case::new("fill", fill::alone),
    Case::new("fill and record", fill::record),
    Case::new("fill, another stream waits for it", fill::wait),
    Case::new("fill and query", fill::query),
    Case::few("hop, enqueue and run, 2 streams", |device| hop::both(device, 2)),
    Case::few("hop, enqueue and run, 16 streams", |device| hop::both(device, 16)),
    Case::few("hop, enqueue and run, 1000 streams", |device| hop::both(device, 1000)),
    Case::few("hop, run, 2 streams", |device| hop::run(device, 2)),
    Case::few("hop, run, 16 streams", |device| hop::run(device, 16)),
    Case::few("hop, run, 1000 streams", |device| hop::run(device, 1000)),
    Case::new("1 to 1000 to 1 streams, each", fan::out_and_in),
    Case::new("synchronize, both sides asleep", wake::synchronize),
    Case::new("gate opened to work begun", wake::gate),
    Case::new("notify, work done to called", wake::notify),
    Case::new("await, work done to woken", wake::awaiting),
    Case::once("delay behind 8 that block", |device| block::delay(device, 8)),
    Case::once("delay behind 64 that block", |device| block::delay(device, 64)),
    Case::once("delay behind 256 that block", |device| block::delay(device, 256)),
];

#[cfg(test)]
mod tests {
    use super::{super::measure, *};

    #[test]
    fn a_case_is_found_by_any_part_of_its_name() {
        let names =
            |filter| select(filter).map(|found| found.iter().map(|case| case.name).collect());
        assert_eq!(names("ms bet"), Ok(vec!["trip, 1 ms between"]));
        assert_eq!(names("").map(|all: Vec<_>| all.len()), Ok(CASES.len()));
        assert!(names("no such").is_err_and(|all| all.len() == CASES.len()));
    }

    #[test]
    fn what_the_device_cannot_do_is_left_out_with_the_reason() {
        const LACKING: &Case = &Case::new("timed record", |_| Err("it keeps no time".into()));
        let device = syncpoint::open("host:0").unwrap();
        let cases = [&[LACKING], select("query, complete").unwrap().as_slice()].concat();
        let mut begun = Vec::new();
        let costs = measure(&device, &cases, Effort::Quick, |case| begun.push(case.name));
        assert_eq!(begun, ["timed record", "query, complete point"]);
        assert_eq!(costs.rows.len(), 1);
        let [left_out] = &costs.left_out[..] else { panic!("{costs:?}") };
        assert_eq!(
            (left_out.name.as_str(), left_out.reason.as_str()),
            ("timed record", "it keeps no time")
        );
    }

    #[test]
    fn names_differ_and_fit_the_table() {
        for (place, case) in CASES.iter().enumerate() {
            assert!(case.name.len() <= 34, "{} leaves no room for figures", case.name);
            assert!(CASES[..place].iter().all(|other| other.name != case.name), "{}", case.name);
        }
    }
}
