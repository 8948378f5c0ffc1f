//! A folder of its own for each test, and the program started in it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use syncpoint_cli::scratch::Scratch;

/// Where the program is: as `SYNCPOINT_PROGRAM` says, where another build of it is tried.
pub(crate) fn path() -> String {
    let named = env::var("SYNCPOINT_PROGRAM");
    named.unwrap_or_else(|_not_said| env!("CARGO_BIN_EXE_syncpoint").to_owned())
}

/// The program, with nothing in its environment that changes what it prints.
pub(crate) fn program() -> Command {
    let mut command = Command::new(path());
    command.env_remove("COLUMNS").env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

/// The folder of the example pipelines.
pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// A folder that is removed at the end of its test.
pub(crate) struct Scene(Scratch);

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scene {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self(Scratch::new().expect("a folder"))
    }

    /// A folder with a pipeline of commands: each its stream, its name, what it waits for, and what a shell is to do.
    /// Each records its own name.
    pub(crate) fn of_commands(steps: &[(&str, &str, &[&str], &str)]) -> Self {
        let scene = Self::new();
        scene.write("pipeline.toml", &commands(steps));
        scene
    }

    /// A file of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.folder().join(name)
    }

    /// Writes a file of the folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    /// What a file of the folder says, if it is there.
    pub(crate) fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    /// The program in this folder.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.0.folder()).args(arguments);
        command
    }

    /// Runs the program in this folder to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.program(arguments).output().expect("the program starts").into()
    }

    /// Runs the pipeline of this folder, and reads the report.
    pub(crate) fn report(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let ended = self.run(&[&["run", "pipeline.toml", "--json"], arguments].concat());
        (ended.status, ended.json())
    }
}

impl Ended {
    /// What it wrote, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// The text of a pipeline of commands.
fn commands(steps: &[(&str, &str, &[&str], &str)]) -> String {
    let mut streams: Vec<&str> = steps.iter().map(|step| step.0).collect();
    streams.sort_unstable();
    streams.dedup();
    let streams = streams.iter().map(|name| format!("[[stream]]\nname = {name:?}\n"));
    let step = |(stream, name, wait, script): &(&str, &str, &[&str], &str)| {
        format!(
            "[[step]]\nname = {name:?}\nstream = {stream:?}\nwait = {wait:?}\nrecord = {name:?}\n\
             command = [\"sh\", \"-c\", {script:?}]\n"
        )
    };
    streams.chain(steps.iter().map(step)).collect::<Vec<_>>().join("\n")
}

/// A step of a report, by its name.
#[track_caller]
pub(crate) fn step<'r>(report: &'r Value, name: &str) -> &'r Value {
    let steps = report["steps"].as_array().expect("a list of steps");
    let found = steps.iter().find(|step| step["name"] == name);
    found.unwrap_or_else(|| panic!("there is no step {name}"))
}

/// The states of the steps of a report, in the order of the file.
pub(crate) fn states(report: &Value) -> Vec<&str> {
    let steps = report["steps"].as_array().expect("a list of steps");
    steps.iter().filter_map(|step| step["state"].as_str()).collect()
}
