//! Wait reports: what a wait that ran out was waiting for, and why that did not come.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::thread;

use syncpoint_base::PerProcess;

use crate::contract::Edge;
use crate::gate::GateCell;
use crate::graph;
use crate::place::Place;
use crate::point::{Point, State};
use crate::sync::process::{Mutex, lock};
use crate::timeline::{Owner, Timeline};

/// What a wait that ran out was waiting for: a chain from the awaited point to what nobody has done yet.
///
/// Its text is for people; the methods are for programs. A snapshot: by the time it is read, things may have moved.
#[derive(Clone, Debug)]
pub struct WaitReport {
    awaited: Point,
    links: Vec<Link>,
    end: End,
    host_waits: Vec<HostWait>,
}

/// One stream of the chain: how far it is, and what it waits for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Link {
    /// The point that the chain needs of this stream.
    pub needed: Point,
    /// The largest value that the stream had completed.
    pub completed: u64,
    /// What the stream waits for, and where that wait was asked for; `None` where it waits for nothing.
    pub waits_for: Option<(Point, Place)>,
}

/// How the chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The last stream waits for nothing: it has work to do or its work still runs.
    Working,
    /// A gate that no stream is going to open: only the host can. Where the gate was made.
    Unopened(Place),
    /// An event of another process, which has not come so far. Where this process asked to wait for it.
    Elsewhere(Place),
    /// A counter that others raise, and that has not come so far.
    Others,
    /// A counter that others raise, and of which the driver refused to tell the last time, in these words.
    Unheard(String),
    /// The chain comes back to a stream that it came from: nobody can go on.
    Cycle,
    /// The last stream is gone with its process or device.
    Gone,
    /// It completed while the report was written.
    Settled,
}

/// A host thread that waits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostWait {
    /// The thread's name, or its id.
    pub thread: String,
    /// What it waits for.
    pub point: Point,
    /// Where it waits.
    pub place: Place,
}

impl WaitReport {
    /// What stands between a point and its completion, as it is known now.
    pub(crate) fn of(point: &Point) -> Self {
        let (links, end) = follow(point);
        let host_waits = lock(&HOST_WAITS).values().cloned().collect();
        Self { awaited: point.clone(), links, end, host_waits }
    }

    /// The point that was waited for.
    pub fn awaited(&self) -> &Point {
        &self.awaited
    }

    /// The streams between the point and the end of the chain, in order.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// How the chain ends.
    pub fn end(&self) -> &End {
        &self.end
    }

    /// The other host threads that waited at that moment.
    pub fn host_waits(&self) -> &[HostWait] {
        &self.host_waits
    }
}

/// Follows what a point waits for, one outstanding wait at a time: the oldest of each stream is the one that holds it. A
/// chain that comes back to a stream before that wait has found its work, and behind it a cycle.
fn follow(point: &Point) -> (Vec<Link>, End) {
    let (mut links, mut left) = (Vec::new(), HashMap::new());
    let mut point = point.clone();
    loop {
        if !matches!(point.known(), State::Pending) {
            return (links, End::Settled);
        }
        let timeline = point.timeline().id();
        if left.get(&timeline).is_some_and(|own| *own <= point.value()) {
            return (links, End::Cycle);
        }
        let next = match point.timeline().owner() {
            Owner::Gate(gate) => {
                gate.opener().map(|opener| (1, opener)).ok_or_else(|| unopened(gate))
            }
            Owner::Foreign(_) => {
                links.push(Link::of(&point, None));
                Err(others(point.timeline()))
            }
            Owner::Stream(_) | Owner::Capture(_) => step(&point, &mut links),
        };
        match next {
            Ok((own, next)) => {
                left.insert(timeline, own);
                point = next;
            }
            Err(end) => return (links, end),
        }
    }
}

fn others(timeline: &Timeline) -> End {
    timeline.refusal_of_others().map_or(End::Others, |error| End::Unheard(error.to_string()))
}

fn unopened(gate: &GateCell) -> End {
    if gate.is_elsewhere() { End::Elsewhere(gate.place()) } else { End::Unopened(gate.place()) }
}

/// Adds the link of a pending point's stream; gives the stream's value and the point of the wait that holds it.
fn step(point: &Point, links: &mut Vec<Link>) -> Result<(u64, Point), End> {
    if point.timeline().stream().is_none() {
        return Err(End::Gone);
    }
    let oldest = graph::edges(point, 0)
        .into_iter()
        .find(|edge| !matches!(edge.point.known(), State::Complete));
    links.push(Link::of(point, oldest.as_ref()));
    oldest.map(|edge| (edge.own, edge.point)).ok_or(End::Working)
}

impl Link {
    /// How far the timeline of a needed point is, and by which wait it is held.
    fn of(needed: &Point, held: Option<&Edge>) -> Self {
        let waits_for = held.map(|edge| (edge.point.clone(), edge.place));
        Self { needed: needed.clone(), completed: needed.timeline().completed(), waits_for }
    }
}

impl fmt::Display for WaitReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (awaited, place) = (&self.awaited, self.awaited.place());
        let came = if awaited.timeline().is_gate() { "made" } else { "recorded" };
        write!(formatter, "{awaited} ({came} at {place}) is not complete")?;
        for link in &self.links {
            write!(formatter, "\n  {link}")?;
        }
        fmt::Display::fmt(&self.end, formatter)?;
        for wait in &self.host_waits {
            write!(formatter, "\n  {wait}")?;
        }
        Ok(())
    }
}

/// Goes on from the last link.
impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Working => {
                formatter.write_str(" and waits for nothing: its work still runs or is about to")
            }
            Self::Unopened(place) => {
                write!(
                    formatter,
                    "\n  the gate was made at {place}; no stream is going to open it, only the host can"
                )
            }
            Self::Elsewhere(place) => write!(
                formatter,
                "\n  which another process has to complete; this one waits for it at {place}"
            ),
            Self::Others => {
                formatter.write_str(" and is raised by others, who have not come so far")
            }
            Self::Unheard(refusal) => {
                write!(formatter, " and is raised by others, and cannot be asked: {refusal}")
            }
            Self::Cycle => {
                formatter.write_str("\n  which is where the chain began: a cycle, nobody can go on")
            }
            Self::Gone => formatter.write_str("\n  whose stream is gone"),
            Self::Settled => formatter.write_str("\n  which has completed meanwhile"),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (timeline, needed) = (self.needed.timeline(), self.needed.value());
        write!(formatter, "{timeline} has completed {} of {needed}", self.completed)?;
        match &self.waits_for {
            Some((point, place)) => write!(formatter, " and waits for {point} (asked at {place})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for HostWait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "thread {} waits for {} at {}", self.thread, self.point, self.place)
    }
}

/// The host threads that sleep in a wait, by the order in which they began. Guards nothing but itself.
static HOST_WAITS: PerProcess<Mutex<BTreeMap<u64, HostWait>>> = PerProcess::new(Mutex::default);

/// A host wait on the list, until it is dropped.
pub(crate) struct Listed(u64);

/// Lists that this thread waits, for the reports of others.
pub(crate) fn list_host_wait(point: &Point, place: Place) -> Listed {
    let key = crate::id::next();
    let wait = HostWait { thread: thread_name(), point: point.clone(), place };
    lock(&HOST_WAITS).insert(key, wait);
    Listed(key)
}

fn thread_name() -> String {
    let thread = thread::current();
    thread.name().map_or_else(|| format!("{:?}", thread.id()), |name| format!("{name:?}"))
}

impl Drop for Listed {
    fn drop(&mut self) {
        let wait = lock(&HOST_WAITS).remove(&self.0);
        drop(wait);
    }
}

#[cfg(all(test, not(syncpoint_loom)))]
mod tests {
    use super::*;
    use crate::gate::Gate;

    /// The words behind the first line's place, which differs from test to test.
    fn words_after_place(report: &WaitReport) -> String {
        report.to_string().split_once(')').map_or_else(String::new, |(_, rest)| rest.to_owned())
    }

    #[test]
    fn what_completed_while_the_report_was_written_is_said_to_have() {
        let gate = Gate::new();
        gate.open().unwrap();
        let report = WaitReport { host_waits: Vec::new(), ..WaitReport::of(&gate.point()) };
        assert_eq!((report.links().len(), report.end()), (0, &End::Settled));
        assert_eq!(words_after_place(&report), " is not complete\n  which has completed meanwhile");
    }

    #[test]
    fn what_another_process_has_to_complete_is_said_with_the_place_of_the_wait() {
        let place = Place::caller();
        let gate = Gate::of_others("of event 7, imported", place);
        let report = WaitReport { host_waits: Vec::new(), ..WaitReport::of(&gate.point()) };
        assert_eq!(report.end(), &End::Elsewhere(place));
        let expected = format!(
            " is not complete\n  which another process has to complete; this one waits for it at {place}"
        );
        assert_eq!(words_after_place(&report), expected);
    }
}
