//! The parts of the JSON form that lead from step to step: edges, holds, and the critical path.

use serde::Serialize;

use super::{name, nanos};
use crate::{
    graph::{Edge, Why},
    report::{CriticalPath, Hold, Link, Report},
};

#[derive(Serialize)]
pub(super) struct EdgeForm<'r> {
    step: Option<&'r str>,
    why: &'static str,
    point: Option<&'r str>,
}

#[derive(Serialize)]
pub(super) struct HoldForm<'r> {
    step: Option<&'r str>,
    edge: Option<EdgeForm<'r>>,
}

#[derive(Serialize)]
pub(super) struct PathForm<'r> {
    work_ns: u64,
    links: Vec<LinkForm<'r>>,
}

#[derive(Serialize)]
pub(super) struct LinkForm<'r> {
    step: Option<&'r str>,
    edge: Option<EdgeForm<'r>>,
    gap_ns: u64,
    held_by: Option<&'r str>,
}

impl<'r> EdgeForm<'r> {
    pub(super) fn of(report: &'r Report, edge: &'r Edge) -> Self {
        let (why, point) = match &edge.why {
            Why::Order => ("order", None),
            Why::Wait(point) => ("wait", Some(point.as_str())),
        };
        Self { step: name(report, edge.from), why, point }
    }
}

impl<'r> HoldForm<'r> {
    pub(super) fn of(report: &'r Report, hold: &'r Hold) -> Self {
        let edge = hold.edge.as_ref().map(|edge| EdgeForm::of(report, edge));
        Self { step: name(report, hold.step), edge }
    }
}

impl<'r> PathForm<'r> {
    pub(super) fn of(report: &'r Report, path: CriticalPath) -> Self {
        let links = path.links.into_iter().map(|link| LinkForm::of(report, &link)).collect();
        Self { work_ns: nanos(path.work), links }
    }
}

impl<'r> LinkForm<'r> {
    pub(super) fn of(report: &'r Report, link: &Link) -> Self {
        // The edge of a link is a copy; the one in the report lives as long as the document.
        let after = &report.steps[link.step].after;
        let edge = link.edge.as_ref().and_then(|edge| after.iter().find(|known| *known == edge));
        Self {
            step: name(report, link.step),
            edge: edge.map(|edge| EdgeForm::of(report, edge)),
            gap_ns: nanos(link.gap),
            held_by: link.held_by.and_then(|step| name(report, step)),
        }
    }
}
