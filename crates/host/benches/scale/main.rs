//! How the host backend scales: `cargo bench -p syncpoint-host --bench scale`.
//!
//! Every figure is the median over several processes of its own (`--processes N`, 3 unless it is chosen). A random graph
//! is built behind a gate and then run, on streams of ours and on tasks of tokio, and then runs while it is built;
//! `--streams N --events M` runs that one
//! size, otherwise all sizes are. `-- NAME` runs the tables whose name contains `NAME`: graph, memory, record,
//! timeout, fault, drop.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures are rounded"
)]

mod figures;
mod graph;
mod idle;
mod ours;
mod record;
mod rival;
mod table;
mod trouble;

use syncpoint_conformance::allocation;

use figures::Figures;
use graph::Graph;

syncpoint_conformance::counting_allocator!();

/// The argument by which this program is asked for figures of one process.
const ALONE: &str = "--alone";

type Measure = fn(&[usize]) -> Figures;

/// Figures of this process, under the name by which they are asked for.
const MEASURES: [(&str, Measure); 13] = [
    ("ours", |size| ours::measure(&graph(size))),
    ("tokio once", |size| rival::measure::<rival::Once>(&graph(size))),
    ("tokio counted", |size| rival::measure::<rival::Counted>(&graph(size))),
    ("ours fed", |size| ours::measure_fed(&graph(size))),
    ("tokio once fed", |size| rival::measure_fed::<rival::Once>(&graph(size))),
    ("tokio counted fed", |size| rival::measure_fed::<rival::Counted>(&graph(size))),
    ("idle ours", |_| idle::ours()),
    ("idle tokio", |_| idle::tokio()),
    ("record", |threads| record::each_its_own(threads)),
    ("record one", |threads| record::all_on_one(threads)),
    ("timeout", |_| trouble::timeouts()),
    ("fault", |_| trouble::faults()),
    ("drop", |_| trouble::drops()),
];

/// The same graph in every process.
const SEED: u64 = 7;

fn graph(size: &[usize]) -> Graph {
    Graph::draw(size[0], size[1], SEED)
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.split_first() {
        Some((first, rest)) if first == ALONE => alone(rest),
        _ => table::print(&table::Wanted::read(&arguments)),
    }
}

/// `NAME time|count [NUMBER]..`
fn alone(arguments: &[String]) {
    let [name, how, numbers @ ..] = arguments else { return };
    let (_, measure) = MEASURES.iter().find(|(known, _)| known == name).expect("a known name");
    let numbers = numbers.iter().map(|number| number.parse().expect("a number"));
    let numbers: Vec<usize> = numbers.collect();
    if how == "count" {
        allocation::count();
    }
    measure(&numbers).print();
}
