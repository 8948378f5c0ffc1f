//! Runs without the program round them: as a library has them, several in one process.

use std::{sync::mpsc, thread, time::Duration};

use syncpoint_cli::{
    engine::Run,
    plan::{DeviceName, Plan},
    report::{CutShort, Report, State, Verdict},
    scratch::Scratch,
};

fn plan(text: &str) -> Plan {
    Plan::parse("engine.toml".as_ref(), text, &DeviceName::HOST)
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn run(plan: &Plan) -> Run<'_> {
    Run::prepare(plan).unwrap_or_else(|refusal| panic!("{refusal}"))
}

/// Steps of a millisecond in a row, each on a stream of its own of these devices, and waiting for the one before.
fn chain(devices: &[&str]) -> String {
    let link = |(place, device): (usize, &&str)| {
        let wait =
            if place == 0 { String::new() } else { format!("wait = [\"p{}\"]\n", place - 1) };
        format!(
            "[[stream]]\nname = \"s{place}\"\ndevice = \"{device}\"\n\
             [[step]]\nname = \"x{place}\"\nstream = \"s{place}\"\n{wait}delay = \"1ms\"\nrecord = \"p{place}\"\n"
        )
    };
    devices.iter().enumerate().map(link).collect()
}

/// Two streams; the second waits for the first.
fn two() -> String {
    chain(&["host:0", "host:0"])
}

fn end(report: &Report, step: usize) -> Duration {
    report.steps[step].end.unwrap_or_else(|| panic!("step {step} has not ended"))
}

#[test]
fn a_step_never_begins_before_what_it_waits_for_has_ended() {
    let plan = plan(&two());
    let report = run(&plan).go(None, |_| {});
    assert_eq!(report.verdict(), Verdict::Complete);
    assert!(report.steps[1].start >= Some(end(&report, 0)));
    assert!(end(&report, 0) >= Duration::from_millis(1));
    assert_eq!(report.wall, end(&report, 1));
    assert_eq!(report.clock.error, None);
}

#[test]
fn runs_at_once_in_one_process_do_not_meet() {
    let runs = (0..8).map(|_| thread::spawn(|| run(&plan(&two())).go(None, |_| {}).verdict()));
    for run in runs.collect::<Vec<_>>() {
        assert_eq!(run.join().ok(), Some(Verdict::Complete));
    }
}

#[test]
fn a_run_that_is_dropped_unrun_runs_nothing() {
    let folder = Scratch::new().expect("a folder");
    let touched = folder.folder().join("touched");
    let command = format!("command = [\"touch\", {:?}]", touched.display().to_string());
    let touching = plan(&two().replacen("delay = \"1ms\"", &command, 1));
    drop(run(&touching));
    // What the dropped run might have left on the device would be done before this.
    assert_eq!(run(&plan(&two())).go(None, |_| {}).verdict(), Verdict::Complete);
    assert!(!touched.exists());
    assert_eq!(run(&touching).go(None, |_| {}).verdict(), Verdict::Complete);
    assert!(touched.exists());
}

#[test]
fn the_first_stop_ends_a_run_and_later_ones_change_nothing() {
    let plan = plan(&two().replace("1ms", "1000s"));
    let run = run(&plan);
    let stopper = run.stopper();
    let (begun, hears) = mpsc::channel();
    let stops = thread::spawn(move || {
        hears.recv().expect("the run begins");
        (stopper.stop(), stopper.stop())
    });
    let report = run.go(None, |progress| {
        if progress.running.contains(&0) {
            begun.send(()).ok();
        }
    });
    assert_eq!(stops.join().ok(), Some((true, false)));
    assert_eq!(report.cut_short, Some(CutShort::Interrupted));
    assert!(report.steps.iter().all(|step| step.state == State::Unfinished));
    let held: Vec<usize> = report.held.iter().map(|hold| hold.step).collect();
    assert_eq!(held, [1, 0]);
}

#[test]
fn a_run_that_is_over_cannot_be_stopped() {
    let plan = plan(&two());
    let run = run(&plan);
    let stopper = run.stopper();
    assert_eq!(run.go(None, |_| {}).verdict(), Verdict::Complete);
    assert!(!stopper.stop());
}

#[test]
fn progress_grows_to_its_end() {
    let plan = plan(&two());
    let mut seen = Vec::new();
    let report = run(&plan).go(None, |progress| {
        assert_eq!(progress.total, 2);
        assert!(progress.running.len() + progress.ended <= 2);
        seen.push(progress.ended);
    });
    assert_eq!(report.verdict(), Verdict::Complete);
    assert!(seen.is_sorted() && seen.first() == Some(&0), "{seen:?}");
}

#[test]
fn waits_order_steps_across_backends_and_the_report_says_how_far_their_clocks_are_apart() {
    let plan = plan(&chain(&["host:0", "sim:0", "host:0"]));
    let report = run(&plan).go(None, |_| {});
    assert_eq!(report.verdict(), Verdict::Complete);
    assert!(report.steps[2].start >= Some(end(&report, 0)));
    assert!(report.clock.error.is_some());
    assert!(report.clock.name.contains("host:0") && report.clock.name.contains("sim:0"));
}
