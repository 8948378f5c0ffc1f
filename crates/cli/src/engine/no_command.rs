//! Where there are no process groups: a command is refused, because nothing could end all of it.

use std::{
    process,
    sync::{Arc, mpsc::Sender},
};

use syncpoint::{Error, Result, Stream};

use super::{children::Children, event::Event};

/// A command that will not run.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) step: usize,
    pub(super) command: process::Command,
    pub(super) children: Arc<Children>,
    pub(super) events: Sender<Event>,
}

/// Refuses.
pub(super) fn enqueue(_stream: &Stream, job: Job, _name: &str) -> Result<()> {
    drop((job.step, job.command, job.children, job.events));
    let message =
        "commands need process groups, which this system has not; give the step other work";
    Err(Error::unsupported(message))
}
