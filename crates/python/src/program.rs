//! The program of the command line, inside an interpreter.

use std::path::Path;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use syncpoint_cli::engine::{self, Stopper};
use syncpoint_cli::plan::{DeviceName, Plan};
use syncpoint_cli::program;
use syncpoint_cli::report::{Report, Style};

/// Does what the arguments ask for, the first of which is the name of the program, and gives the status to exit with.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| program::main(arguments))
}

/// Runs the pipeline of a text, which errors call `name`, and gives the report: as JSON, and as text. `timeout` in seconds.
/// Ctrl-C ends the commands, and the run.
#[pyfunction]
pub(crate) fn run(
    py: Python<'_>,
    text: &str,
    name: &str,
    device: &str,
    timeout: Option<f64>,
) -> PyResult<(String, String)> {
    let device: DeviceName = device.parse().map_err(refused)?;
    // As with every wait: longer than any clock tells is for ever.
    let timeout = timeout.filter(|seconds| seconds.is_nan() || *seconds < FOR_EVER);
    let timeout = timeout.map(Duration::try_from_secs_f64).transpose().map_err(refused)?;
    let plan = Plan::parse(Path::new(name), text, &device).map_err(refused)?;
    let (report, raised) = py.detach(|| carry_out(&plan, timeout))?;
    raised.map_or_else(|| told(&report), Err)
}

/// Some thirty thousand years, in seconds.
const FOR_EVER: f64 = 1e12;

/// The report, and what a handler of a signal has raised meanwhile.
fn carry_out(plan: &Plan, timeout: Option<Duration>) -> PyResult<(Report, Option<PyErr>)> {
    let run = engine::Run::prepare(plan).map_err(refused)?;
    let (stopper, mut raised) = (run.stopper(), None);
    let report = run.go(timeout, |_progress| hear(&stopper, &mut raised));
    Ok((report, raised))
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method is of one lifetime, and a closure of every"
)]
fn hear(stopper: &Stopper, raised: &mut Option<PyErr>) {
    if let Err(error) = Python::attach(|py| py.check_signals()) {
        stopper.stop();
        *raised = Some(error);
    }
}

fn told(report: &Report) -> PyResult<(String, String)> {
    let mut json = Vec::new();
    report.json(&mut json).map_err(refused)?;
    let json = String::from_utf8(json).map_err(refused)?;
    Ok((json, report.text(Style::new(false, None))))
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn refused(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}
