//! Where the trace of a run goes: a file that is opened before the run, or standard output.

use std::{
    fmt::Display,
    fs::{self, File},
    io::BufWriter,
    path::Path,
};

use super::{arguments, print, run::Refused};
use crate::{chrome, report::Report};

/// A place for a trace, known to be one before the run, so that a bad path costs no run.
pub(super) struct Trace<'a> {
    path: &'a Path,
    /// None for standard output.
    file: Option<File>,
}

impl<'a> Trace<'a> {
    /// Opens the place, if one is asked for; what was in a file is gone.
    pub(super) fn open(
        arguments: &'a arguments::Run,
        pipeline: &Path,
    ) -> Result<Option<Self>, Refused> {
        let Some(path) = &arguments.trace else {
            return Ok(None);
        };
        let file = (!arguments.traces_to_output()).then(|| create(path, pipeline)).transpose()?;
        Ok(Some(Self { path, file }))
    }

    pub(super) fn write(self, report: &Report) -> Result<(), Refused> {
        let written = match &self.file {
            Some(file) => chrome::write(report, BufWriter::new(file)),
            None => print::result(|output| chrome::write(report, output)),
        };
        written.map_err(|error| refusal(self.path, &error))
    }
}

fn create(path: &Path, pipeline: &Path) -> Result<File, Refused> {
    if fs::canonicalize(path)
        .is_ok_and(|path| fs::canonicalize(pipeline).is_ok_and(|pipeline| path == pipeline))
    {
        return Err(refusal(path, &"it is the pipeline"));
    }
    File::create(path).map_err(|error| refusal(path, &error))
}

fn refusal(path: &Path, reason: &dyn Display) -> Refused {
    let path = path.display();
    format!("{path}: the trace cannot be written: {reason}; choose another path for --trace").into()
}
