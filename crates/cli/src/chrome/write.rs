//! Writes a report as a Chrome trace, one event after the other.

use std::{io, time::Duration};

use serde::Serialize;

use super::{
    arrow::{Arrows, End},
    event::{Complete, Details, Flow, Metadata, Micros, Name, Other, SortIndex},
    track::{Slice, Track, tracks},
};
use crate::{
    graph::Why,
    report::{Report, State},
};

/// Writes the trace of a run. The writer is given many small pieces, so it should have a buffer.
///
/// # Errors
///
/// What the writer answers; the file is then incomplete.
pub fn write(report: &Report, writer: impl io::Write) -> io::Result<()> {
    let tracks = tracks(report);
    let arrows = Arrows::find(report, &tracks);
    let mut trace = Trace::begin(report, &arrows, writer)?;
    for (place, track) in tracks.iter().enumerate() {
        trace.track(place, track)?;
    }
    trace.end()
}

/// A trace being written.
struct Trace<'r, W> {
    report: &'r Report,
    arrows: &'r Arrows<'r>,
    critical: Vec<bool>,
    /// The devices, each a process of the viewer.
    devices: Vec<&'r str>,
    drawn: Vec<bool>,
    writer: W,
    separator: &'static str,
}

impl<'r, W: io::Write> Trace<'r, W> {
    fn begin(report: &'r Report, arrows: &'r Arrows<'r>, mut writer: W) -> io::Result<Self> {
        let critical = report.on_critical_path();
        let mut devices: Vec<&str> = Vec::new();
        for stream in &report.streams {
            if !devices.contains(&stream.device.as_str()) {
                devices.push(&stream.device);
            }
        }
        let drawn = vec![false; report.steps.len()];
        write!(writer, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        let mut trace = Self { report, arrows, critical, devices, drawn, writer, separator: "\n" };
        trace.processes()?;
        Ok(trace)
    }

    fn event(&mut self, event: &impl Serialize) -> io::Result<()> {
        self.writer.write_all(self.separator.as_bytes())?;
        self.separator = ",\n";
        Ok(serde_json::to_writer(&mut self.writer, event)?)
    }

    fn processes(&mut self) -> io::Result<()> {
        for (place, device) in self.devices.clone().into_iter().enumerate() {
            let name = Name { name: device.to_owned() };
            self.metadata("process_name", place + 1, 0, name)?;
            self.metadata("process_sort_index", place + 1, 0, SortIndex { sort_index: place })?;
        }
        Ok(())
    }

    fn metadata(
        &mut self,
        name: &'static str,
        pid: usize,
        tid: usize,
        args: impl Serialize,
    ) -> io::Result<()> {
        self.event(&Metadata { ph: "M", name, pid, tid, args })
    }

    fn track(&mut self, place: usize, track: &Track) -> io::Result<()> {
        let stream = &self.report.streams[track.stream];
        let device = self.devices.iter().position(|device| *device == stream.device);
        // Numbers behind those of the processes: viewers call a track of its process's number the main thread.
        let (pid, tid) = (device.unwrap_or_default() + 1, self.devices.len() + place + 1);
        let name = match track.lane {
            0 => stream.name.clone(),
            lane => format!("{} ({})", stream.name, lane + 1),
        };
        self.metadata("thread_name", pid, tid, Name { name })?;
        self.metadata("thread_sort_index", pid, tid, SortIndex { sort_index: place })?;
        for slice in &track.slices {
            self.slice(pid, tid, *slice)?;
            for end in &self.arrows.ends[slice.step] {
                self.arrow_end(pid, tid, end)?;
            }
        }
        Ok(())
    }

    fn slice(&mut self, pid: usize, tid: usize, slice: Slice) -> io::Result<()> {
        self.drawn[slice.step] = true;
        let step = &self.report.steps[slice.step];
        let (state, mark, reason) = match &step.state {
            State::Complete => ("complete", "", None),
            State::Failed { reason } => ("failed", " (failed)", Some(reason.as_str())),
            State::NotRun { .. } => ("not_run", " (not run)", None),
            State::Unfinished => ("unfinished", " (unfinished)", None),
        };
        let args = Details { state, reason, ..self.details(slice.step) };
        let name = format!("{}{mark}", step.name);
        let (ts, dur) = (Micros(slice.start), Micros(slice.end - slice.start));
        self.event(&Complete { ph: "X", name, cat: step.work, pid, tid, ts, dur, args })
    }

    fn details(&self, place: usize) -> Details<'r> {
        let step = &self.report.steps[place];
        let waits = step.after.iter().filter_map(|edge| match &edge.why {
            Why::Wait(point) => Some(point.as_str()),
            Why::Order => None,
        });
        Details {
            state: "",
            reason: None,
            critical_path: self.critical[place],
            waited_for: waits.collect(),
            reversed_waits: &self.arrows.reversed[place],
            output: &step.output.text,
        }
    }

    fn arrow_end(&mut self, pid: usize, tid: usize, end: &End<'_>) -> io::Result<()> {
        let (ph, bp) = if end.arrives { ("f", Some("e")) } else { ("s", None) };
        let (id, name, ts) = (end.arrow, end.point, Micros(end.time));
        self.event(&Flow { ph, bp, id, name, cat: "wait", pid, tid, ts })
    }

    fn end(mut self) -> io::Result<()> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let steps = self.report.steps.iter().zip(&self.drawn);
        let other = Other {
            pipeline: &self.report.pipeline,
            clock: &self.report.clock.name,
            resolution_ns: nanos(self.report.clock.resolution),
            error_ns: self.report.clock.error.map(nanos),
            began_ns: self.report.clock.began.map(|(time, _)| nanos(time)),
            began_error_ns: self.report.clock.began.map(|(_, error)| nanos(error)),
            without_slice: steps
                .filter(|(_, drawn)| !**drawn)
                .map(|(step, _)| step.name.as_str())
                .collect(),
        };
        write!(self.writer, "\n],\"otherData\":")?;
        serde_json::to_writer(&mut self.writer, &other)?;
        writeln!(self.writer, "}}")?;
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::{super::validate, *};
    use crate::{golden, report::sample};

    fn trace(report: &Report) -> String {
        let mut bytes = Vec::new();
        write(report, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_trace_of_a_pipeline_is_as_it_was() {
        let mut report = sample::timed(&[
            (0, 0, 30_000, &[]),
            (1, 30_500, 80_250, &[0]),
            (0, 30_000, 42_001, &[]),
            (1, 81_000, 90_000, &[1, 2]),
            (1, 0, 0, &[]),
        ]);
        report.steps[1].state = State::Failed { reason: "gzip ended \"badly\"".into() };
        (report.steps[3].state, report.steps[3].end) = (State::Unfinished, None);
        (report.steps[4].state, report.steps[4].start) = (State::NotRun { because: 1 }, None);
        golden::check("trace.json", &trace(&report));
    }

    #[test]
    fn devices_are_processes() {
        let mut report = sample::timed(&[(0, 0, 5, &[]), (1, 0, 5, &[]), (2, 0, 5, &[])]);
        report.streams[1].device = "sim:0".into();
        let trace: Value = serde_json::from_str(&trace(&report)).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        let slices = events.iter().filter(|event| event["ph"] == "X");
        let pids: Vec<_> = slices.map(|event| event["pid"].as_u64().unwrap()).collect();
        assert_eq!(pids, [1, 2, 1]);
    }

    #[test]
    fn a_writer_that_fails_is_told() {
        struct Full;
        impl io::Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = write(&sample::unrun(&[(0, &[])]), Full).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    proptest! {
        #[test]
        fn whatever_the_report_the_trace_is_valid(report in sample::random(14)) {
            let trace = trace(&report);
            let summary = match validate(trace.as_bytes()) {
                Ok(summary) => summary,
                Err(faults) => return Err(TestCaseError::fail(format!("{faults}\n{trace}"))),
            };
            let ran = (0..report.steps.len()).filter(|&step| report.interval(step).is_some());
            prop_assert_eq!(summary.slices, ran.count());
        }
    }
}
