//! The pipeline file: what it may say, and how it becomes a [`Plan`] in which every name agrees.
//!
//! A file is [TOML](https://toml.io). It declares streams, buffers if it uses memory, and steps:
//!
//! ```
//! # use syncpoint_cli::plan::{DeviceName, Plan};
//! # let text = r#"
//! [[stream]]                  # work on one stream runs in order; streams run at once
//! name = "load"
//!
//! [[stream]]
//! name = "compute"
//! priority = -1               # lower is served first; if not given, last
//! device = "host:0"           # if not given, the device of the command line
//!
//! [[buffer]]
//! name = "batch"
//! bytes = "64 MiB"            # or a plain number of bytes
//!
//! [[step]]
//! name = "read"
//! stream = "load"
//! fill = { buffer = "batch", value = 7 }
//! record = "loaded"           # names the point behind this step
//!
//! [[step]]
//! name = "train"
//! stream = "compute"
//! wait = ["loaded"]           # does not begin before that point
//! delay = "5ms"
//! # "#;
//! # Plan::parse("example.toml".as_ref(), text, &DeviceName::HOST).unwrap();
//! ```
//!
//! The steps of one stream run in the order of the file. Across streams the order of the file says nothing: only waits
//! do, and a wait may name a point that is recorded further down. A step does exactly one thing:
//!
//! | Work | What it does |
//! |---|---|
//! | `command = ["gzip", "a.txt"]` | runs a program on the host, with no shell between; it succeeds if the program does |
//! | `fill = { buffer = "a", value = 7 }` | writes a byte value over a buffer, or over its first `bytes` |
//! | `copy = { from = "a", to = "b" }` | copies a buffer over another, or the first `bytes` of it |
//! | `delay = "5ms"` | keeps its stream busy; units are `ns`, `us`, `ms`, `s`, `min` |
//!
//! A command runs in the folder of the file, or in `dir`, which is relative to it; `env = { LANG = "C" }` sets variables
//! besides those it inherits. Where one of its texts says `{scratch}`, it is given the path of an empty folder that the
//! run makes, shares among its steps and removes at its end. It has no input and no terminal; the end of what it says is
//! kept for the report. It runs in a process group of its own, and what it leaves running there ends with it.
//!
//! Sizes have the units `B`, `kB`, `MB`, `GB`, `TB` (thousands) and `KiB`, `MiB`, `GiB`, `TiB` (1024s).

mod circle;
mod declare;
mod device;
mod fields;
mod link;
mod memory;
mod model;
mod name;
mod numbers;
mod problem;
mod quantity;
mod source;
mod syntax;
mod text;
mod work;

use std::{io, path::Path};

use toml::de::DeTable;

pub use device::{DeviceName, DeviceNameError};
pub use model::{Buffer, Command, Plan, Step, Stream, Work};
pub use numbers::parse_time;
pub(crate) use problem::Finding;
pub use problem::{Problem, Problems};

use declare::Declared;
use problem::Ledger;
use source::Source;

impl Plan {
    /// Reads a pipeline file; streams and buffers that name no device are put on `default`.
    ///
    /// # Errors
    ///
    /// [`Problems`]: the file cannot be read or is no regular file, or all that is wrong in it.
    pub fn load(file: &Path, default: &DeviceName) -> Result<Self, Problems> {
        Self::parse(file, &text::of_file(file)?, default)
    }

    /// Reads a pipeline from a stream, such as standard input; `name` is what messages call it, and commands run in the
    /// folder that it stands in.
    ///
    /// # Errors
    ///
    /// [`Problems`]: the stream cannot be read or has no end, or all that is wrong in it.
    pub fn read(
        name: &Path,
        stream: impl io::Read,
        default: &DeviceName,
    ) -> Result<Self, Problems> {
        Self::parse(name, &text::of_stream(name, stream)?, default)
    }

    /// Reads the text of a pipeline file; `file` is what messages call it, and commands run in its folder.
    ///
    /// # Errors
    ///
    /// [`Problems`]: all that is wrong in the text. Of a text that is not TOML, only that is told.
    pub fn parse(file: &Path, text: &str, default: &DeviceName) -> Result<Self, Problems> {
        let source = Source::new(text);
        let ledger = Ledger::new(&source);
        let plan = understand(&source, file, default, &ledger);
        plan.ok_or_else(|| ledger.close(file))
    }

    /// What was found while the plan was being carried out, told as if it had been found while it was read.
    pub(crate) fn problems(&self, findings: Vec<Finding>) -> Problems {
        let source = Source::new(&self.text);
        let ledger = Ledger::new(&source);
        for Finding { at, message } in findings {
            ledger.add(&at, message);
        }
        ledger.close(&self.file)
    }
}

/// The plan of a text; none exactly when the ledger has something to tell.
fn understand(
    source: &Source<'_>,
    file: &Path,
    default: &DeviceName,
    ledger: &Ledger<'_>,
) -> Option<Plan> {
    let (root, errors) = DeTable::parse_recoverable(source.text());
    // What a recovering parser makes of a broken text would only lead to misleading messages.
    if !errors.is_empty() {
        syntax::tell(&errors, source, ledger);
        return None;
    }
    let declared = Declared::read(root.get_ref(), ledger);
    link::link(&declared, file, default, ledger)
}
