//! What the host backend costs, beside its rivals in the same run: `cargo bench -p syncpoint-host`.
//!
//! Machines are noisy, so every row alternates short samples of ours and of the rival and gives both medians and their
//! ratio. Rows that wake threads differ tenfold with the placement of the threads: run the whole once as it is and once
//! under `taskset -c 0`. `-- NAME` runs the rows whose name contains `NAME`.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

mod enqueue;
mod hop;
mod measure;
mod point;
mod rival;
mod trip;

use measure::Row;

fn main() {
    let wanted =
        std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    println!("{:<44} {:>12} {:>12} {:>8}  rival", "row", "ns", "rival ns", "ratio");
    let rows = [enqueue::rows(), point::rows(), trip::rows(), hop::rows()];
    for (name, row) in rows.into_iter().flatten() {
        if name.contains(&wanted) {
            print(name, &row());
        }
    }
}

fn print(name: &str, row: &Row) {
    let (rival, rival_nanos) = row.rival.unwrap_or(("-", f64::NAN));
    let ratio = row.nanos / rival_nanos;
    println!("{name:<44} {:>12.1} {rival_nanos:>12.1} {ratio:>8.3}  {rival}", row.nanos);
}
