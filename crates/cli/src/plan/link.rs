//! Names looked up across the whole file: from what each table declares to a plan whose parts agree.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
    path::Path,
};

use toml::Spanned;

use super::{
    circle,
    declare::{self, Declared},
    device::DeviceName,
    memory::{self, Memory},
    model::{Buffer, Plan, Step, Stream, Work},
    problem::Ledger,
    work,
};
use crate::graph::{self, Edge};

/// Where each name of one kind was declared first, and by which item. Sorted, so that a message is the same each time.
pub(super) type Names<'d> = BTreeMap<&'d str, (usize, &'d Spanned<String>)>;

/// Links a file. Answers none exactly when something is wrong, and then the ledger has it.
pub(super) fn link(
    declared: &Declared,
    file: &Path,
    default: &DeviceName,
    ledger: &Ledger<'_>,
) -> Option<Plan> {
    let streams = declared.streams.iter().map(|stream| stream.build(default)).collect();
    let buffers = declared.buffers.iter().map(|buffer| buffer.build(default)).collect();
    let linker = Linker::new(declared, default, ledger);
    let after = linker.edges();
    let steps: Vec<_> =
        declared.steps.iter().zip(&after).map(|(step, after)| linker.step(step, after)).collect();
    circle::tell(&declared.steps, &after, ledger);
    if !ledger.is_empty() {
        return None;
    }
    let order = graph::sort(&after.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let steps = steps.into_iter().collect::<Option<_>>()?;
    let (file, text) = (file.to_owned(), ledger.text().to_owned());
    Some(Plan { file, text, streams, buffers, steps, order })
}

impl declare::Stream {
    /// A stream without a name is built, too, so that places in the lists agree; its plan is never seen.
    fn build(&self, default: &DeviceName) -> Stream {
        let name = self.name.as_ref().map(|name| name.get_ref().clone()).unwrap_or_default();
        let (device, device_at) = placed(self.device.as_ref(), default, &self.span);
        let priority_at = self.priority.as_ref().map_or_else(|| self.span.clone(), Spanned::span);
        let priority = self.priority.as_ref().map(|priority| *priority.get_ref());
        Stream { name, priority, device, device_at, priority_at }
    }
}

impl declare::Buffer {
    fn build(&self, default: &DeviceName) -> Buffer {
        let name = self.name.as_ref().map(|name| name.get_ref().clone()).unwrap_or_default();
        let (device, device_at) = placed(self.device.as_ref(), default, &self.span);
        Buffer {
            name,
            bytes: *self.bytes.get_ref(),
            device,
            device_at,
            bytes_at: self.bytes.span(),
        }
    }
}

/// A device and where the file names it; the header of what is put there where the file does not.
fn placed(
    named: Option<&Spanned<DeviceName>>,
    default: &DeviceName,
    header: &Range<usize>,
) -> (DeviceName, Range<usize>) {
    match named {
        Some(device) => (device.get_ref().clone(), device.span()),
        None => (default.clone(), header.clone()),
    }
}

/// The names of a file, and the ways to look them up.
struct Linker<'d> {
    declared: &'d Declared,
    default: &'d DeviceName,
    ledger: &'d Ledger<'d>,
    streams: Names<'d>,
    memory: Memory<'d>,
    steps: Names<'d>,
    records: Names<'d>,
}

impl<'d> Linker<'d> {
    fn new(declared: &'d Declared, default: &'d DeviceName, ledger: &'d Ledger<'d>) -> Self {
        let streams = declared.streams.iter().map(|stream| &stream.name);
        let buffers = declared.buffers.iter().map(|buffer| &buffer.name);
        let steps = declared.steps.iter().map(|step| &step.name);
        Self {
            declared,
            default,
            ledger,
            streams: index("stream", streams, ledger),
            memory: Memory::new(&declared.buffers, default, index("buffer", buffers, ledger)),
            steps: index("step", steps, ledger),
            records: records(&declared.steps, ledger),
        }
    }

    fn step(&self, step: &declare::Step, after: &[Edge]) -> Option<Step> {
        let stream = self.stream(step);
        let device = stream.map(|stream| self.device(stream));
        let work = step.work.as_ref().and_then(|work| self.work(step, work, device));
        Some(Step {
            name: step.name.as_ref()?.get_ref().clone(),
            at: step.span.clone(),
            stream: stream?,
            work: work?,
            after: after.to_vec(),
            record: step.record.as_ref().map(|record| record.get_ref().clone()),
        })
    }

    fn device(&self, stream: usize) -> &'d DeviceName {
        self.declared.streams[stream].device.as_ref().map_or(self.default, Spanned::get_ref)
    }

    fn work(
        &self,
        step: &declare::Step,
        work: &work::Work,
        device: Option<&DeviceName>,
    ) -> Option<Work> {
        let place = memory::Place { step, device, ledger: self.ledger };
        match work {
            work::Work::Command(command) => {
                place.runs_commands()?;
                Some(Work::Command(command.clone()))
            }
            work::Work::Fill { buffer, bytes, value } => {
                let (buffer, bytes) = self.memory.fill(&place, buffer, bytes.as_ref())?;
                Some(Work::Fill { buffer, bytes, value: *value })
            }
            work::Work::Copy { from, to, bytes } => {
                let (from, to, bytes) = self.memory.copy(&place, from, to, bytes.as_ref())?;
                Some(Work::Copy { from, to, bytes })
            }
            work::Work::Delay(delay) => Some(Work::Delay(*delay)),
        }
    }

    /// The stream of a step; told if it is not declared.
    fn stream(&self, step: &declare::Step) -> Option<usize> {
        let wanted = step.stream.as_ref()?;
        if let Some((stream, _)) = self.streams.get(wanted.get_ref().as_str()) {
            return Some(*stream);
        }
        let remedy = remedy("stream", wanted.get_ref(), &self.streams, self.ledger);
        let message =
            format!("{} is on stream {:?}, which is not declared", step.label, wanted.get_ref());
        self.ledger.add(&wanted.span(), format!("{message}; {remedy}"));
        None
    }

    /// What each step comes after. Faults of waits are told here.
    fn edges(&self) -> Vec<Vec<Edge>> {
        let mut last = HashMap::new();
        let order = |(place, step): (usize, &declare::Step)| {
            let stream = step.stream.as_ref().map(|stream| stream.get_ref().as_str());
            let stream = stream.filter(|stream| self.streams.contains_key(stream));
            stream.and_then(|stream| last.insert(stream.to_owned(), place)).map(Edge::order)
        };
        let orders: Vec<_> = self.declared.steps.iter().enumerate().map(order).collect();
        let both = orders.into_iter().zip(&self.declared.steps);
        both.map(|(order, step)| order.into_iter().chain(self.waits(step)).collect()).collect()
    }

    /// The waits of a step, each once: a second wait for the same point changes nothing.
    fn waits(&self, step: &declare::Step) -> Vec<Edge> {
        let mut known = HashSet::new();
        let fresh = step.waits.iter().filter(|name| known.insert(name.get_ref()));
        fresh.filter_map(|name| self.wait(step, name)).collect()
    }

    fn wait(&self, step: &declare::Step, name: &Spanned<String>) -> Option<Edge> {
        if let Some((from, _)) = self.records.get(name.get_ref().as_str()) {
            return Some(Edge::wait(*from, name.get_ref()));
        }
        let message =
            format!("{} waits for {:?}, which no step records", step.label, name.get_ref());
        self.ledger.add(&name.span(), format!("{message}; {}", self.wait_remedy(name.get_ref())));
        None
    }

    /// A wait that names a step instead of its record is the likeliest slip, so it is looked for first.
    fn wait_remedy(&self, wanted: &str) -> String {
        let Some(&(place, _)) = self.steps.get(wanted) else {
            let near = self.ledger.nearest(wanted, self.records.keys().copied());
            let add = || format!("add record = {wanted:?} to the step that it means");
            return near.map_or_else(add, |near| format!("did you mean {near:?}?"));
        };
        let step = &self.declared.steps[place];
        let line = self.ledger.line(&step.span);
        match &step.record {
            Some(record) => format!(
                "step {wanted:?} on line {line} records {:?}: wait for that",
                record.get_ref()
            ),
            None => format!("add record = {wanted:?} to the step of this name on line {line}"),
        }
    }
}

/// Every name of one kind; a name declared again is told.
fn index<'d>(
    kind: &str,
    names: impl Iterator<Item = &'d Option<Spanned<String>>>,
    ledger: &Ledger<'_>,
) -> Names<'d> {
    let mut index = Names::new();
    for (place, name) in names.enumerate() {
        let Some(name) = name else { continue };
        if let Some((_, first)) = index.get(name.get_ref().as_str()) {
            let line = ledger.line(&first.span());
            let message = format!("a {kind} called {:?} is on line {line} already", name.get_ref());
            ledger.add(&name.span(), format!("{message}; give this one another name"));
        } else {
            index.insert(name.get_ref(), (place, name));
        }
    }
    index
}

/// Every recorded name; a name recorded again is told.
fn records<'d>(steps: &'d [declare::Step], ledger: &Ledger<'_>) -> Names<'d> {
    let mut records = Names::new();
    for (place, step) in steps.iter().enumerate() {
        let Some(name) = &step.record else { continue };
        if let Some((other, first)) = records.get(name.get_ref().as_str()) {
            let (other, line) = (&steps[*other].label, ledger.line(&first.span()));
            let message = format!(
                "{} records {:?}, which {other} records on line {line}",
                step.label,
                name.get_ref()
            );
            ledger.add(&name.span(), format!("{message}; give one of them another name"));
        } else {
            records.insert(name.get_ref(), (place, name));
        }
    }
    records
}

/// What to do about a name of this kind that is not declared.
pub(super) fn remedy(kind: &str, wanted: &str, names: &Names<'_>, ledger: &Ledger<'_>) -> String {
    match ledger.nearest(wanted, names.keys().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("add [[{kind}]] and below it name = {wanted:?}"),
    }
}
