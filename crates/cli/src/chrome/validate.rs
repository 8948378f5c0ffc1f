//! Checks a trace for what viewers need: times, nesting, pairs of arrow ends, and names.

use std::{
    collections::{BTreeMap, HashMap},
    error, fmt, io,
};

use serde::Deserialize;
use serde_json::Value;

/// Checks a trace of the kinds of event that [`write`](super::write) uses.
///
/// These hold of a valid trace:
/// - every time is above 0, every length is 0 or more;
/// - the events of one track come in the order of time, and its slices lie one in the other or one after the other;
/// - every arrow has one start and one end of the same name, does not run backwards, and each end lies in a slice;
/// - every process and every track that is used has a name, and every track has its place.
///
/// Times are compared by the nanosecond, exactly up to 104 days.
///
/// # Errors
///
/// [`Faults`]: everything that is wrong.
pub fn validate(reader: impl io::Read) -> Result<Summary, Faults> {
    let trace: Trace = match serde_json::from_reader(reader) {
        Ok(trace) => trace,
        Err(error) => return Err(Faults(vec![format!("the trace cannot be read: {error}")])),
    };
    let mut check = Check::default();
    for (place, event) in trace.events.iter().enumerate() {
        if let Err(fault) = check.event(event) {
            check.faults.push(format!("event {place} {fault}"));
        }
    }
    check.finish()
}

/// What a valid trace holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Tracks with a name.
    pub tracks: usize,
    /// Slices.
    pub slices: usize,
    /// Arrows.
    pub arrows: usize,
}

/// What is wrong with a trace: at least one thing, each in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("\n"))
    }
}

impl error::Error for Faults {}

#[derive(Deserialize)]
struct Trace {
    #[serde(rename = "traceEvents")]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    ph: String,
    name: String,
    pid: u64,
    tid: u64,
    ts: Option<f64>,
    dur: Option<f64>,
    id: Option<u64>,
    bp: Option<String>,
    #[serde(default)]
    args: Value,
}

type Line = (u64, u64);

/// What has been seen so far.
#[derive(Default)]
struct Check {
    faults: Vec<String>,
    tracks: BTreeMap<Line, Track>,
    processes: BTreeMap<u64, bool>,
    arrows: HashMap<u64, Arrow>,
    summary: Summary,
}

#[derive(Default)]
struct Track {
    named: bool,
    placed: bool,
    used: bool,
    /// The time of the event before.
    last: i128,
    /// The slices that are open, each with its start and end, the innermost last.
    open: Vec<(i128, i128)>,
}

#[derive(Default)]
struct Arrow {
    starts: Vec<(i128, String)>,
    ends: Vec<(i128, String)>,
}

impl Check {
    fn event(&mut self, event: &Event) -> Result<(), String> {
        match event.ph.as_str() {
            "M" => self.metadata(event),
            "X" => self.slice(event),
            "s" => self.arrow(event, |arrow| &mut arrow.starts),
            "f" if event.bp.as_deref() != Some("e") => {
                Err("ends an arrow without bp = \"e\", so it is bound to the next slice".into())
            }
            "f" => self.arrow(event, |arrow| &mut arrow.ends),
            phase => Err(format!("has the phase {phase:?}, which is not used here")),
        }
    }

    fn metadata(&mut self, event: &Event) -> Result<(), String> {
        let named = event.args["name"].as_str().is_some_and(|name| !name.is_empty());
        let placed = event.args["sort_index"].is_u64();
        let track = self.tracks.entry((event.pid, event.tid));
        match event.name.as_str() {
            "process_name" if named => *self.processes.entry(event.pid).or_default() = true,
            "thread_name" if named => track.or_default().named = true,
            "thread_sort_index" if placed => track.or_default().placed = true,
            "process_sort_index" if placed => {}
            name => return Err(format!("is metadata {name:?} that says nothing")),
        }
        Ok(())
    }

    /// Goes to an event's time on its track, and closes the slices that end before it.
    fn arrive(&mut self, event: &Event) -> Result<(&mut Track, i128), String> {
        let time = nanos(event.ts).filter(|&time| time > 0);
        let time = time.ok_or("has no time, or one that is not above 0")?;
        self.processes.entry(event.pid).or_default();
        let track = self.tracks.entry((event.pid, event.tid)).or_default();
        track.used = true;
        if time < track.last {
            return Err(format!("lies {} ns before the event before it", track.last - time));
        }
        track.last = time;
        Ok((track, time))
    }

    fn slice(&mut self, event: &Event) -> Result<(), String> {
        if event.name.is_empty() {
            return Err("is a slice without a name".into());
        }
        let length = nanos(event.dur).filter(|&length| length >= 0);
        let length = length.ok_or("has no length, or a negative one")?;
        let (track, start) = self.arrive(event)?;
        track.open.retain(|&(_, end)| end > start);
        if track.open.last().is_some_and(|&(_, end)| start + length > end) {
            return Err("begins in a slice and ends after it".into());
        }
        track.open.push((start, start + length));
        self.summary.slices += 1;
        Ok(())
    }

    fn arrow(
        &mut self,
        event: &Event,
        side: fn(&mut Arrow) -> &mut Vec<(i128, String)>,
    ) -> Result<(), String> {
        let id = event.id.ok_or("is the end of an arrow without a number")?;
        let (track, time) = self.arrive(event)?;
        // A slice is over at its end, but one of no length holds its start.
        if !track.open.iter().any(|&(start, end)| time < end || time == start) {
            return Err("is the end of an arrow outside of every slice".into());
        }
        side(self.arrows.entry(id).or_default()).push((time, event.name.clone()));
        Ok(())
    }

    fn finish(mut self) -> Result<Summary, Faults> {
        for (id, arrow) in &self.arrows {
            match (&arrow.starts[..], &arrow.ends[..]) {
                ([start], [end]) if start.1 != end.1 => {
                    self.faults.push(format!("arrow {id} has two names"));
                }
                ([start], [end]) if start.0 > end.0 => {
                    self.faults.push(format!("arrow {id} runs backwards"));
                }
                ([_], [_]) => self.summary.arrows += 1,
                (starts, ends) => self.faults.push(format!(
                    "arrow {id} has {} starts and {} ends",
                    starts.len(),
                    ends.len()
                )),
            }
        }
        for ((pid, tid), track) in &self.tracks {
            if !(track.named && track.placed) {
                self.faults.push(format!("track {tid} of process {pid} has no name or no place"));
            }
        }
        for (pid, _) in self.processes.iter().filter(|(_, named)| !**named) {
            self.faults.push(format!("process {pid} has no name"));
        }
        self.summary.tracks = self.tracks.len();
        if self.faults.is_empty() { Ok(self.summary) } else { Err(Faults(self.faults)) }
    }
}

/// Microseconds as whole nanoseconds; none if there is no such number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float too large for the type becomes its largest value"
)]
fn nanos(micros: Option<f64>) -> Option<i128> {
    micros.filter(|micros| micros.is_finite()).map(|micros| (micros * 1_000.0).round() as i128)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A valid trace: two tracks, a slice on each, an arrow between.
    fn valid() -> Vec<Value> {
        vec![
            json!({"ph":"M","name":"process_name","pid":1,"tid":0,"args":{"name":"host:0"}}),
            json!({"ph":"M","name":"thread_name","pid":1,"tid":1,"args":{"name":"a"}}),
            json!({"ph":"M","name":"thread_sort_index","pid":1,"tid":1,"args":{"sort_index":0}}),
            json!({"ph":"X","name":"one","pid":1,"tid":1,"ts":1.0,"dur":2.0}),
            json!({"ph":"s","name":"p","pid":1,"tid":1,"ts":2.999,"id":1}),
            json!({"ph":"M","name":"thread_name","pid":1,"tid":2,"args":{"name":"b"}}),
            json!({"ph":"M","name":"thread_sort_index","pid":1,"tid":2,"args":{"sort_index":1}}),
            json!({"ph":"X","name":"two","pid":1,"tid":2,"ts":3.0,"dur":2.0}),
            json!({"ph":"f","bp":"e","name":"p","pid":1,"tid":2,"ts":3.0,"id":1}),
        ]
    }

    fn check(events: &[Value]) -> Result<Summary, String> {
        let trace = json!({ "traceEvents": events }).to_string();
        validate(trace.as_bytes()).map_err(|faults| faults.to_string())
    }

    /// The faults of the valid trace with one event changed.
    fn changed(place: usize, change: impl FnOnce(&mut Value)) -> String {
        let mut events = valid();
        change(&mut events[place]);
        check(&events).unwrap_err()
    }

    #[test]
    fn a_valid_trace_is_counted() {
        assert_eq!(check(&valid()), Ok(Summary { tracks: 2, slices: 2, arrows: 1 }));
    }

    #[test]
    fn times_of_zero_and_negative_lengths_are_faults() {
        let message = changed(3, |event| event["ts"] = json!(0));
        assert!(message.contains("not above 0"), "{message}");
        let message = changed(3, |event| event["dur"] = json!(-1));
        assert!(message.contains("negative"), "{message}");
    }

    #[test]
    fn slices_that_overlap_are_a_fault_and_nested_ones_are_not() {
        let with = |ts: f64, dur: f64| {
            let mut events = valid();
            events.push(json!({"ph":"X","name":"three","pid":1,"tid":2,"ts":ts,"dur":dur}));
            check(&events)
        };
        assert!(with(4.0, 1.0).is_ok());
        assert!(with(5.0, 9.0).is_ok());
        assert_eq!(with(4.0, 1.001), Err("event 9 begins in a slice and ends after it".into()));
    }

    #[test]
    fn a_track_that_goes_back_in_time_is_a_fault() {
        let mut events = valid();
        events.push(json!({"ph":"X","name":"three","pid":1,"tid":2,"ts":2.0,"dur":1.0}));
        assert_eq!(check(&events), Err("event 9 lies 1000 ns before the event before it".into()));
    }

    #[test]
    fn every_arrow_has_two_ends_inside_slices() {
        let message = changed(8, |event| event["id"] = json!(2));
        assert!(message.contains("arrow 1 has 1 starts and 0 ends"), "{message}");
        let message = changed(8, |event| event["ts"] = json!(5.0));
        assert!(message.contains("outside of every slice"), "{message}");
        let message = changed(8, |event| event["name"] = json!("q"));
        assert!(message.contains("two names"), "{message}");
        let message = changed(8, |event| event["bp"] = json!(null));
        assert!(message.contains("bound to the next slice"), "{message}");
    }

    #[test]
    fn an_arrow_that_runs_backwards_is_a_fault() {
        let mut events = valid();
        events[7]["ts"] = json!(1.5);
        events[8]["ts"] = json!(1.5);
        assert_eq!(check(&events), Err("arrow 1 runs backwards".into()));
    }

    #[test]
    fn what_is_used_has_a_name() {
        for (place, what) in
            [(0, "process 1 has no name"), (5, "track 2 of process 1 has no name or no place")]
        {
            let mut events = valid();
            events.remove(place);
            assert_eq!(check(&events), Err(what.into()));
        }
    }

    #[test]
    fn what_is_no_trace_is_told() {
        assert!(validate("[]".as_bytes()).is_err());
        assert!(validate("{\"traceEvents\":[{\"ph\":\"X\"}]}".as_bytes()).is_err());
        assert!(validate("{".as_bytes()).is_err());
    }
}
