//! A checked pipeline: streams, buffers and steps whose names are known to agree.

use std::{ops::Range, path::PathBuf, time::Duration};

use super::device::DeviceName;
use crate::graph::Edge;

/// A pipeline that can run: every name in it is declared, every wait has its record, and nothing waits in a circle.
///
/// Steps, streams and buffers are named by their place in the lists, which keep the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(super) file: PathBuf,
    /// What the file says, to show the line of a thing that cannot be had.
    pub(super) text: String,
    pub(super) streams: Vec<Stream>,
    pub(super) buffers: Vec<Buffer>,
    pub(super) steps: Vec<Step>,
    pub(super) order: Vec<usize>,
}

impl Plan {
    /// The file that it was read from.
    pub fn file(&self) -> &std::path::Path {
        &self.file
    }

    /// The streams. There is at least one.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// The buffers.
    pub fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// The steps. There is at least one.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Every step, each after all that it waits for: the order to put them on their streams.
    ///
    /// A point can be waited for once it is recorded, and the file may name it before. Where nothing else is asked,
    /// the order is that of the file.
    pub fn order(&self) -> &[usize] {
        &self.order
    }
}

/// A stream to make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stream {
    /// Its name, one of its own among the streams.
    pub name: String,
    /// Its priority; lower is served first. None is the least urgent that the device has.
    pub priority: Option<i32>,
    /// The device to make it on.
    pub device: DeviceName,
    /// Where the file names the device; its header where it does not.
    pub(crate) device_at: Range<usize>,
    /// Where the file gives the priority.
    pub(crate) priority_at: Range<usize>,
}

/// A buffer to make before the first step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Buffer {
    /// Its name, one of its own among the buffers.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The device whose memory it is.
    pub device: DeviceName,
    /// Where the file names the device; its header where it does not.
    pub(crate) device_at: Range<usize>,
    /// Where the file gives the length.
    pub(crate) bytes_at: Range<usize>,
}

/// One step: a piece of work on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Its name, one of its own among the steps.
    pub name: String,
    /// The stream that it runs on.
    pub stream: usize,
    /// What it does.
    pub work: Work,
    /// What it comes after: the step before it on its stream, if there is one, then its waits in the file's order.
    pub after: Vec<Edge>,
    /// The name of the point that is recorded behind it, if any.
    pub record: Option<String>,
    /// Its header in the file.
    pub(crate) at: Range<usize>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// Runs a program on the host; its failure is the step's.
    Command(Command),
    /// Writes one byte value over the beginning of a buffer.
    Fill {
        /// The buffer.
        buffer: usize,
        /// How many bytes; never more than the buffer has.
        bytes: u64,
        /// The value of each byte.
        value: u8,
    },
    /// Copies the beginning of one buffer over the beginning of another, or of itself.
    Copy {
        /// The buffer to read.
        from: usize,
        /// The buffer to write.
        to: usize,
        /// How many bytes; never more than either buffer has.
        bytes: u64,
    },
    /// Keeps the stream busy for a time.
    Delay(Duration),
}

impl Work {
    /// The word that gives a step this work in a file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::Fill { .. } => "fill",
            Self::Copy { .. } => "copy",
            Self::Delay(_) => "delay",
        }
    }
}

/// A program to run, with no shell between.
///
/// In each text `{scratch}` stands for the folder of [`Scratch`](crate::scratch::Scratch).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// The program: a name that is looked up on the path, or a path.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The folder to run it in, relative to the folder of the file; none is the folder of the file itself.
    pub folder: Option<String>,
    /// Variables set besides those that the program is born with.
    pub environment: Vec<(String, String)>,
}

impl Command {
    /// Every text of it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let words = std::iter::once(&self.program).chain(&self.arguments).chain(&self.folder);
        words.chain(self.environment.iter().map(|(_, value)| value)).map(String::as_str)
    }
}
