//! The message for steps that wait for one another in a circle.

use toml::Spanned;

use super::{declare::Step, problem::Ledger};
use crate::graph::{self, Circle, Edge, Why};

/// Tells every knot of steps that wait for one another, by one of its circles.
pub(super) fn tell(steps: &[Step], after: &[Vec<Edge>], ledger: &Ledger<'_>) {
    let after: Vec<&[Edge]> = after.iter().map(Vec::as_slice).collect();
    for circle in graph::circles(&after) {
        tell_circle(steps, &circle, ledger);
    }
}

fn tell_circle(steps: &[Step], circle: &Circle, ledger: &Ledger<'_>) {
    let message = match circle.len() {
        1 => "a step waits for what it records itself; take out the wait".to_owned(),
        count => {
            format!("{count} steps wait in a circle, so none can begin; take out one of the waits")
        }
    };
    let notes = circle.iter().map(|(step, edge)| hop(steps, *step, edge, ledger)).collect();
    let span = circle.iter().find_map(|(step, edge)| wait_span(&steps[*step], edge));
    ledger.add_with_notes(&span.unwrap_or_default(), message, notes);
}

/// The place of a wait in the file; stream order has none.
fn wait_span(step: &Step, edge: &Edge) -> Option<std::ops::Range<usize>> {
    let Why::Wait(name) = &edge.why else {
        return None;
    };
    step.waits.iter().find(|wait| wait.get_ref() == name).map(Spanned::span)
}

/// One hop of the circle in words.
fn hop(steps: &[Step], step: usize, edge: &Edge, ledger: &Ledger<'_>) -> String {
    let (later, earlier) = (&steps[step], &steps[edge.from]);
    let on_line = |step: &Step| format!("{} (line {})", step.label, ledger.line(&step.span));
    match &edge.why {
        Why::Wait(name) => {
            format!("{} waits for {name:?}, which {} records", on_line(later), on_line(earlier))
        }
        Why::Order => {
            let stream = later.stream.as_ref().map_or("", |stream| stream.get_ref());
            format!("{} comes after {} on stream {stream:?}", on_line(later), on_line(earlier))
        }
    }
}
