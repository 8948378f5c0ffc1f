//! The parts of the routine, in the order they run: the quickest to fail first.

use std::io::{self, Write};
use std::process::Command;

use crate::Result;
use crate::elsewhere;
use crate::fuzz;
use crate::package::{self, Package};
use crate::python;
use crate::sanitize;
use crate::step::Step;
use crate::vulkan;
use crate::workshop::Workshop;

/// One part of the routine.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// What holds when the part has passed.
    pub(crate) about: &'static str,
    /// Sees to what it needs beyond Rust, and says what is missing all the same, as the remedy.
    provide: fn(&Workshop) -> Option<String>,
    steps: fn(&Workshop) -> Vec<Step>,
    /// What its builds need, where they may be made ahead of it.
    pub(crate) ahead: Option<&'static [Package]>,
}

impl Part {
    /// Runs the steps of this part under a heading, until one fails. A part with nothing to run fails.
    pub(crate) fn perform(&self, workshop: &Workshop) -> Result<Ending> {
        writeln!(io::stdout(), "\n== {}: {}", self.name, self.about)?;
        match (self.provide)(workshop) {
            None => self.run(workshop).map(|()| Ending::Passed),
            Some(install) if package::all_is_needed() => {
                Err(format!("tools are missing, and this machine leaves nothing out: {install}")
                    .into())
            }
            Some(install) => Ok(Ending::Skipped(format!("tools are missing: {install}"))),
        }
    }

    /// What it builds in folders of its own.
    pub(crate) fn builds(&self, workshop: &Workshop) -> Vec<Command> {
        (self.steps)(workshop).iter().filter_map(|step| step.build(&workshop.root)).collect()
    }

    fn run(&self, workshop: &Workshop) -> Result<()> {
        let steps = (self.steps)(workshop);
        if steps.is_empty() {
            return Err("nothing to run was found".into());
        }
        steps.iter().try_for_each(|step| step.run(&workshop.root))
    }
}

/// How a part ended that did not fail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Passed,
    /// It could not be run here, with the remedy.
    Skipped(String),
}

/// Parts are told apart by name.
impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Part {}

pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "fmt",
        about: "the code is laid out as rustfmt lays it out",
        provide: nothing,
        steps: |_| vec![Step::cargo("fmt --all --check"), fuzz::laid_out()],
        ahead: None,
    },
    Part {
        name: "tidy",
        about: "the rules that no compiler knows hold, and the routine itself works",
        provide: nothing,
        steps: |_| vec![Step::cargo("test --package xtask"), fuzz::locked()],
        ahead: None,
    },
    Part {
        name: "clippy",
        about: "no lint is broken, in tests, examples and benches either",
        provide: nothing,
        steps: clippy,
        ahead: None,
    },
    Part {
        name: "doc",
        about: "the documentation builds and its links lead somewhere",
        provide: nothing,
        steps: doc,
        ahead: None,
    },
    Part {
        name: "unit",
        about: "the tests of every crate pass, with debug assertions",
        provide: nothing,
        steps: unit,
        ahead: None,
    },
    Part {
        name: "abort",
        about: "a program that cannot unwind looks for devices, whatever driver there is",
        provide: nothing,
        steps: abort,
        ahead: None,
    },
    Part {
        name: "doctest",
        about: "the examples in the documentation run",
        provide: nothing,
        steps: |_| vec![Step::cargo("test --doc --workspace")],
        ahead: None,
    },
    Part {
        name: "suite",
        about: "the laws hold on every backend, in optimized code",
        provide: nothing,
        steps: suite,
        ahead: None,
    },
    Part {
        name: "vulkan",
        about: "the laws hold on two drivers of Vulkan, and the Khronos layer has nothing to say",
        provide: |_| package::provide(package::VULKAN),
        steps: vulkan::steps,
        ahead: None,
    },
    Part {
        name: "model",
        about: "the protocols hold in every interleaving that loom can find",
        provide: nothing,
        steps: model,
        ahead: Some(&[]),
    },
    Part {
        name: "example",
        about: "every pipeline and every Rust example runs on the host",
        provide: nothing,
        steps: example,
        ahead: None,
    },
    Part {
        name: "clients",
        about: "programs of others run on the stand-in CUDA driver, unmodified",
        provide: python::provide_clients,
        steps: python::clients,
        ahead: None,
    },
    Part {
        name: "python",
        about: "the Python package is installed, does what it says, and its stubs are true",
        provide: python::provide_package,
        steps: python::package,
        ahead: None,
    },
    Part {
        name: "targets",
        about: "the code for macOS and Windows is free of errors and lints",
        provide: |_| package::provide(package::ELSEWHERE),
        steps: elsewhere::steps,
        ahead: None,
    },
    Part {
        name: "cost",
        about: "operations take as many instructions as is written down",
        provide: |_| package::provide(package::VALGRIND),
        steps: |_| vec![Step::cargo("xtask cost --check")],
        ahead: None,
    },
    Part {
        name: "asan",
        about: "the tests use no memory that is not theirs, and leak none",
        provide: |_| package::provide(package::ADDRESS_SANITIZER),
        steps: sanitize::address,
        ahead: Some(&[]),
    },
    Part {
        name: "tsan",
        about: "the tests have no data race, those of the standard library included",
        provide: |_| package::provide(package::THREAD_SANITIZER),
        steps: sanitize::thread,
        ahead: Some(package::THREAD_SANITIZER),
    },
    Part {
        name: "fuzz",
        about: "what is read from outside is answered, whatever it is",
        provide: |_| package::provide(package::FUZZER),
        steps: fuzz::steps,
        ahead: None,
    },
];

/// For a part that does with what comes with Rust.
fn nothing(_workshop: &Workshop) -> Option<String> {
    None
}

/// Once as everything is built by default, and once more with what only a feature builds.
fn clippy(_workshop: &Workshop) -> Vec<Step> {
    let step = |what| Step::cargo(&format!("clippy {what} --all-targets -- -D warnings"));
    vec![step("--workspace"), step("--package syncpoint-cli --features rivals")]
}

/// Libraries only: the program of the command line has the name of a library, and both would write the same pages.
fn doc(_workshop: &Workshop) -> Vec<Step> {
    vec![Step::cargo("doc --no-deps --workspace --lib").flags("RUSTDOCFLAGS", "-D warnings")]
}

/// What needs a driver of Vulkan is a part of its own. Benches are left to clippy and to `cargo bench`: run as tests they
/// take minutes and measure nothing. Rivals are built into the program by a feature alone, so what tests them is run with it.
fn unit(workshop: &Workshop) -> Vec<Step> {
    let selection =
        "--workspace --exclude xtask --exclude syncpoint-vulkan --lib --bins --tests --examples";
    let rivals = "--package syncpoint-cli --features rivals --lib --test program bench";
    vec![workshop.runner.step(selection), workshop.runner.step(rivals)]
}

/// The tests of `syncpoint devices` on a program in which a panic would be the end.
fn abort(workshop: &Workshop) -> Vec<Step> {
    let program = workshop.target.join("abort").join("syncpoint");
    let tests = workshop.runner.step("--package syncpoint-cli --test program devices");
    vec![
        Step::cargo("build --profile abort --package syncpoint-cli"),
        tests.flags("SYNCPOINT_PROGRAM", &program.to_string_lossy()),
    ]
}

/// CUDA in a step of its own, so that its crates are built once for this and for the part that counts.
fn suite(workshop: &Workshop) -> Vec<Step> {
    let step = |selection: &str| workshop.runner.step(&format!("--release {selection}"));
    let cuda = step("-p syncpoint-cuda --test conformance --test hardware");
    vec![step("-p syncpoint-conformance -p syncpoint-host -p syncpoint-sim --lib --tests"), cuda]
}

/// Only crates that have models, in a target folder of their own: the flag would rebuild everything back and forth.
fn model(workshop: &Workshop) -> Vec<Step> {
    let folder = workshop.target.join("loom");
    let step = Step::cargo(
        "test --release -p syncpoint-base -p syncpoint-core -p syncpoint-host -p syncpoint-metal -p syncpoint-vulkan --lib",
    )
    .built_in(&folder)
    .argument("model")
    .flags("RUSTFLAGS", "--cfg syncpoint_loom")
    .must_run_tests();
    vec![step]
}

fn example(workshop: &Workshop) -> Vec<Step> {
    let pipelines = workshop.pipelines.iter().map(|path| {
        Step::cargo("run --quiet --release --package syncpoint-cli -- run").argument(path)
    });
    let examples = workshop.examples.iter().map(|name| {
        Step::cargo("run --quiet --release --package syncpoint --example").argument(name)
    });
    pipelines.chain(examples).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::Runner;

    #[test]
    fn names_are_short_different_and_explained() {
        for (index, part) in PARTS.iter().enumerate() {
            assert!(part.name.len() <= 8, "{} does not fit the table", part.name);
            assert!(!PARTS[..index].contains(part), "{} comes twice", part.name);
            assert!(!part.about.is_empty(), "{} is not explained", part.name);
        }
    }

    #[test]
    fn a_part_with_nothing_to_run_fails() {
        let empty = Part {
            name: "empty",
            about: "a part that belongs to a test",
            provide: nothing,
            steps: |_| Vec::new(),
            ahead: None,
        };
        let message = empty.perform(&workshop(Runner::CargoTest)).unwrap_err().to_string();
        assert_eq!(message, "nothing to run was found");
    }

    #[test]
    fn a_part_ends_with_its_first_failing_step() {
        let failing = Part {
            name: "failing",
            about: "a part that belongs to a test",
            provide: nothing,
            steps: |_| vec![Step::cargo("--version").must_run_tests(), Step::cargo("--list")],
            ahead: None,
        };
        let message = failing.perform(&workshop(Runner::CargoTest)).unwrap_err().to_string();
        assert!(message.contains("cargo --version"), "{message}");
    }

    #[test]
    fn without_nextest_every_part_does_with_what_comes_with_rust() {
        let bare = workshop(Runner::CargoTest);
        for line in PARTS.iter().flat_map(|part| (part.steps)(&bare)).map(|step| step.to_string()) {
            assert!(!line.contains("nextest"), "{line}");
        }
    }

    #[test]
    fn every_pipeline_and_every_example_is_run() {
        let lines: Vec<String> =
            example(&workshop(Runner::CargoTest)).iter().map(Step::to_string).collect();
        let run = "cargo run --quiet --release --package";
        let pipeline = format!("{run} syncpoint-cli -- run examples/overlap.toml");
        assert_eq!(lines, [pipeline, format!("{run} syncpoint --example gate")]);
    }

    #[test]
    fn models_are_built_apart_under_their_own_flag() {
        let line = model(&workshop(Runner::CargoTest))[0].to_string();
        assert!(line.contains("--cfg syncpoint_loom"), "{line}");
        assert!(line.ends_with("--lib --target-dir /tmp/target/loom model"), "{line}");
    }

    fn workshop(runner: Runner) -> Workshop {
        Workshop {
            root: ".".into(),
            target: "/tmp/target".into(),
            runner,
            pipelines: vec!["examples/overlap.toml".to_owned()],
            examples: vec!["gate".to_owned()],
        }
    }
}
