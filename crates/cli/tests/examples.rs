//! The example pipelines are right, and the one on files does what it says with programs that are there.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use syncpoint_cli::{
    plan::{DeviceName, Plan, Work},
    scratch::Scratch,
};

/// The programs that examples may use: all of Debian's essential packages.
const PROGRAMS: [&str; 6] = ["cmp", "cp", "gzip", "sha256sum", "tar", "wc"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn load(name: impl AsRef<Path>) -> Plan {
    Plan::load(&folder().join(name), &DeviceName::HOST)
        .unwrap_or_else(|problems| panic!("{problems}"))
}

/// The names of all that is in the folder.
fn files() -> io::Result<BTreeSet<PathBuf>> {
    fs::read_dir(folder())?.map(|file| Ok(PathBuf::from(file?.file_name()))).collect()
}

#[test]
fn every_example_is_accepted() {
    let mut pipelines = files().expect("the examples are there");
    pipelines.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    assert!(pipelines.len() >= 2, "the examples are gone");
    for pipeline in &pipelines {
        load(pipeline);
    }
}

#[test]
fn overlap_needs_no_program_and_no_certain_device() {
    let sim: DeviceName = "sim:0".parse().expect("a device");
    let plan =
        Plan::load(&folder().join("overlap.toml"), &sim).unwrap_or_else(|error| panic!("{error}"));
    assert!(plan.streams().iter().all(|stream| stream.device == sim));
    assert_eq!(plan.first_use_of_scratch(), None);
}

#[test]
fn files_does_what_it_says_and_leaves_nothing_behind() {
    let (plan, before) = (load("files.toml"), files().expect("the examples are there"));
    assert!(plan.first_use_of_scratch().is_some());
    let scratch = Scratch::new().expect("a scratch folder");
    for &step in plan.order() {
        let step = &plan.steps()[step];
        let Work::Command(command) = &step.work else { panic!("{} is not a command", step.name) };
        assert!(
            PROGRAMS.contains(&command.program.as_str()),
            "{} is not everywhere",
            command.program
        );
        let output = command.process(&plan, Some(&scratch)).output().expect("the program starts");
        assert!(
            output.status.success(),
            "{}: {}",
            step.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    scratch.remove().expect("the scratch folder goes");
    assert_eq!(files().expect("the examples are there"), before);
}
