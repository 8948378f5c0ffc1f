//! Pipelines on a device of CUDA, whose driver is the stand-in.

use super::support::{Ended, Scene};

/// A fill and a copy beside a delay of a quarter of a second, on streams of their own.
const PIPELINE: &str = r#"
[[stream]]
name = "transfer"

[[stream]]
name = "compute"

[[buffer]]
name = "in"
bytes = "1 MiB"

[[buffer]]
name = "out"
bytes = "1 MiB"

[[step]]
name = "compute"
stream = "compute"
delay = "250ms"

[[step]]
name = "fill"
stream = "transfer"
fill = { buffer = "in", value = 7 }

[[step]]
name = "copy"
stream = "transfer"
copy = { from = "in", to = "out" }
"#;

fn run(arguments: &[&str]) -> Ended {
    let scene = Scene::new();
    scene.write("pipeline.toml", PIPELINE);
    let mut program =
        scene.program(&[&["run", "pipeline.toml", "--device", "cuda:0"], arguments].concat());
    program.env("SYNCPOINT_CUDA_LIBRARY", syncpoint_cuda_fake::library());
    program.output().expect("the program starts").into()
}

/// A machine with other work to do may begin the fill later than the delay ends.
const TRIES: usize = 5;

#[test]
fn fills_and_copies_overlap_with_what_other_streams_do() {
    let seen: Vec<_> = (0..TRIES).map(|_| times()).take_while(|times| !overlap(times)).collect();
    assert!(seen.len() < TRIES, "they never overlap: {seen:?}");
}

/// When the three steps of a run began and ended, and for how long two of them ran together, in nanoseconds.
type Times = ([[u64; 2]; 3], u64);

fn overlap(([compute, fill, copy], together): &Times) -> bool {
    compute[0] < copy[1] && fill[0] < compute[1] && *together > 0
}

fn times() -> Times {
    let told = run(&["--json"]);
    assert_eq!((told.status, told.stderr.as_str()), (Some(0), ""));
    let report = told.json();
    let steps = [0, 1, 2].map(|step| {
        let step = &report["steps"][step];
        [&step["start_ns"], &step["end_ns"]].map(|time| time.as_u64().expect("a time"))
    });
    let [_compute, fill, copy] = steps;
    assert!(fill[1] <= copy[0], "one stream");
    (steps, report["overlap"]["together_ns"][2].as_u64().expect("a time"))
}

#[test]
fn when_the_run_began_is_told_with_how_far_that_may_be_off() {
    let told = run(&[]);
    assert_eq!((told.status, told.stderr.as_str()), (Some(0), ""));
    let clock =
        told.stdout.lines().find(|line| line.starts_with("clock: cuda:0")).expect("a clock");
    let (_, began) = clock.split_once(", run began at ").expect(clock);
    assert!(began.contains(" \u{b1} "), "{clock}");
    let report = run(&["--json"]).json();
    assert!(report["clock"]["began_error_ns"].as_u64().is_some_and(|nanos| nanos > 0));
}
