//! The arguments of the program, and its help.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand};

use super::exit;
use crate::plan::{DeviceName, parse_time};

/// Runs pipelines of ordered, timed work on the streams of any device.
///
/// A pipeline is a TOML file that declares streams and steps. Steps of one stream run in order; different streams run at
/// once, except where a step waits for what another records. syncpoint runs it and says what ran when, how long each
/// step took on the device's own clock, what waited for what, and where the critical path lies. No GPU is needed.
#[derive(Debug, Parser)]
#[command(name = "syncpoint", version, max_term_width = 100, after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  syncpoint devices
  syncpoint run examples/overlap.toml
  syncpoint run examples/files.toml --trace trace.json    # for ui.perfetto.dev
  syncpoint bench --filter trip";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Devices(Devices),
    Run(Run),
    Bench(Bench),
}

/// Lists the devices of this machine.
///
/// For each backend that this program knows: its devices with what they can do, their clock and its resolution; or why
/// it has none here, and what was searched.
#[derive(Debug, Args)]
pub(super) struct Devices {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs a pipeline and reports on it.
///
/// Prints a table of the steps (stream, start, length, what each waited for), a picture of the streams over time, how
/// much ran at once, and the critical path. A step that fails takes only those with it that depend on it. Commands of
/// the pipeline run without input, each in a process group of its own; what one leaves running there is killed when it
/// ends. Only if syncpoint itself is killed (SIGKILL) do its commands live on.
///
/// Ctrl-C (INT), TERM and HUP end the run with its commands, and the report is still written. One of them that was
/// ignored when syncpoint was started stays ignored, as INT is in a script's background job (`syncpoint run x.toml &`)
/// and HUP is under `nohup`.
#[derive(Debug, Args)]
#[command(after_help = exit::TABLE, after_long_help = format!("{FILE}\n\n{}", exit::TABLE))]
pub(super) struct Run {
    /// The pipeline; - reads it from standard input
    ///
    /// Commands run in the folder of the file, and in the current folder if it comes from standard input.
    #[arg(value_name = "FILE.toml")]
    pub(super) file: PathBuf,

    /// The device of streams and buffers for which the file names none, such as host:0 or host
    #[arg(long, value_name = "NAME", default_value_t = DeviceName::HOST)]
    pub(super) device: DeviceName,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub(super) json: bool,

    /// Write a Chrome trace, with arrows from record to wait, also if the run fails or is cut short
    ///
    /// The page ui.perfetto.dev opens it. With - it goes to standard output, and the report to standard error; --json
    /// cannot be given then.
    #[arg(long, value_name = "OUT.json")]
    pub(super) trace: Option<PathBuf>,

    /// End the run after this time, such as 30s or 1.5min, and tell what was waited for
    ///
    /// Commands are told to end (SIGTERM) and killed a second later if they do not.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(super) timeout: Option<Duration>,
}

/// Measures what operations cost on a device of this machine.
///
/// Prints a table: what it takes to enqueue, record, wait, query, synchronize, to hop from stream to stream, and to wake
/// who sleeps; each the median of short samples. Built with the feature `rivals` it measures beside each what people
/// use instead, in the same run, and draws the ratios.
#[derive(Debug, Args)]
pub(super) struct Bench {
    /// The device, such as host:0 or sim
    #[arg(long, value_name = "NAME", default_value_t = DeviceName::HOST)]
    pub(super) device: DeviceName,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub(super) json: bool,

    /// Measure only cases whose name contains this text
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(super) filter: String,

    /// Take few samples: to see that it works, not for figures
    #[arg(long)]
    pub(super) quick: bool,
}

impl Run {
    /// Whether the pipeline comes from standard input.
    pub(super) fn reads_input(&self) -> bool {
        self.file == Path::new(STANDARD)
    }

    /// Whether the trace goes to standard output, which then has no room for the report.
    pub(super) fn traces_to_output(&self) -> bool {
        let outputs = [STANDARD, "/dev/stdout"].map(Path::new);
        self.trace.as_deref().is_some_and(|path| outputs.contains(&path))
    }
}

/// What stands for standard input or standard output.
const STANDARD: &str = "-";

/// What a file looks like, for the long help.
const FILE: &str = "\
A file:
  [[stream]]
  name = \"load\"

  [[stream]]
  name = \"compute\"
  priority = -1               # lower is served first
  device = \"host:0\"           # if not given, that of --device

  [[buffer]]
  name = \"batch\"
  bytes = \"64 MiB\"

  [[step]]
  name = \"read\"
  stream = \"load\"
  fill = { buffer = \"batch\", value = 7 }
  record = \"loaded\"

  [[step]]
  name = \"train\"
  stream = \"compute\"
  wait = [\"loaded\"]
  delay = \"5ms\"               # or copy = { from = \"a\", to = \"b\" },
                              # or command = [\"gzip\", \"{scratch}/a.txt\"]

In the texts of a command {scratch} is a folder that the run makes empty and
removes at its end.";
