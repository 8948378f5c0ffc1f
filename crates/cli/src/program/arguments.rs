//! The arguments of the program, and its help.

use std::{path::PathBuf, time::Duration};

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
  syncpoint run examples/files.toml --trace trace.json    # for ui.perfetto.dev";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Devices(Devices),
    Run(Run),
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
#[derive(Debug, Args)]
#[command(after_help = exit::TABLE, after_long_help = format!("{FILE}\n\n{}", exit::TABLE))]
pub(super) struct Run {
    /// The pipeline
    #[arg(value_name = "FILE.toml")]
    pub(super) file: PathBuf,

    /// The device of streams and buffers for which the file names none
    #[arg(long, value_name = "NAME", default_value_t = DeviceName::HOST)]
    pub(super) device: DeviceName,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub(super) json: bool,

    /// Write a Chrome trace, with arrows from record to wait, also if the run fails or is cut short
    ///
    /// <https://ui.perfetto.dev> opens it.
    #[arg(long, value_name = "OUT.json")]
    pub(super) trace: Option<PathBuf>,

    /// End the run after this time, such as 30s or 1.5min, and tell what was waited for
    ///
    /// Commands are told to end (SIGTERM) and killed a second later if they do not.
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    pub(super) timeout: Option<Duration>,
}

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
