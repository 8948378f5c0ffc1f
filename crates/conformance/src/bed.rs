//! The test bed: the devices of one backend in one mode, and what cases do with them again and again.

use std::fmt;
use std::time::Duration;

#[cfg(unix)]
use syncpoint::Kind;
use syncpoint::{Device, Error, Gate, Mode, Result, Stream};

use crate::backend::{Backend, HoldStream, MakeStream};
use crate::busy::Busy;
use crate::run::tell;

/// One backend in one mode, for one case.
#[derive(Debug)]
#[cfg_attr(not(unix), expect(dead_code, reason = "what children open, where there are none"))]
pub struct TestBed {
    name: &'static str,
    mode: Mode,
    devices: Vec<Device>,
    foreign: Option<Device>,
    blocking_work: bool,
    others: Option<MakeStream>,
    /// How streams are held that nothing of ours can hold.
    hold: Option<HoldStream>,
    standing: usize,
    open: fn() -> Result<Vec<Device>>,
    /// What a child opens, where that is another backend's device.
    open_in_child: Option<fn() -> Result<Device>>,
}

impl TestBed {
    /// Opens the devices of a backend.
    pub(crate) fn new(backend: &Backend, mode: Mode) -> Self {
        let open = |opened: Result<_>| opened.expect("a backend on trial opens its devices");
        Self {
            name: backend.name,
            mode,
            devices: open((backend.open)()),
            foreign: backend.foreign.map(|foreign| {
                foreign().expect("the backend beside the one on trial opens its device")
            }),
            blocking_work: backend.blocking_work,
            others: backend.others,
            hold: backend.hold.filter(|_| mode != Mode::Managed),
            standing: if mode == Mode::Managed { usize::MAX } else { backend.standing },
            open: backend.open,
            open_in_child: backend.foreign.filter(|_| !backend.outlives_fork),
        }
    }

    /// How many streams may stand while others go on: as many as a case wants, or as the backend has room for.
    pub(crate) fn standing(&self, wanted: usize) -> usize {
        wanted.min(self.standing)
    }

    /// The first device.
    pub(crate) fn device(&self) -> &Device {
        self.devices.first().expect("a backend on trial has a device")
    }

    /// A second device, where the backend has one; its lack is told.
    pub(crate) fn second_device(&self) -> Option<&Device> {
        self.told(self.devices.get(1), "there is no second device")
    }

    /// A device of another backend, where one is built; its lack is told.
    pub(crate) fn foreign_device(&self) -> Option<&Device> {
        self.told(self.foreign.as_ref(), "there is no second backend")
    }

    /// A device opened in a child of this process: the backend's own, or another's where its driver cannot be used there.
    #[cfg(unix)]
    pub(crate) fn open_in_child(&self) -> Result<Device> {
        let Some(open) = self.open_in_child else { return Ok((self.open)()?.swap_remove(0)) };
        let refused =
            (self.open)().expect_err("a driver that stayed with the parent opens nothing");
        assert_eq!(refused.kind(), Kind::Unavailable, "{refused}");
        open()
    }

    fn told<T>(&self, part: Option<T>, lack: &str) -> Option<T> {
        if part.is_none() {
            tell(&format!("on {self} {lack}: a part of a case was left out"));
        }
        part
    }

    /// A stream of the first device, in the mode on trial.
    pub(crate) fn stream(&self) -> Result<Stream> {
        self.stream_on(self.device())
    }

    /// A stream of a device, in the mode on trial.
    pub(crate) fn stream_on(&self, device: &Device) -> Result<Stream> {
        match (self.mode, self.others) {
            (Mode::Managed, _) => device.stream(),
            (mode, Some(make)) => {
                let stream = make(device, mode)?;
                assert_eq!(stream.mode(), mode, "{stream}");
                Ok(stream)
            }
            (mode, None) => {
                Err(Error::unsupported(format!("{device} makes no {mode:?} stream yet")))
            }
        }
    }

    /// Several streams of the first device.
    pub(crate) fn streams<const N: usize>(&self) -> Result<[Stream; N]> {
        let streams = (0..N).map(|_| self.stream()).collect::<Result<Vec<_>>>()?;
        Ok(streams.try_into().expect("as many were made as were asked for"))
    }

    /// A stream that comes no further than to the gate.
    pub(crate) fn held_stream(&self) -> Result<(Stream, Gate)> {
        let (stream, gate) = (self.stream()?, Gate::new());
        self.hold(&stream, &gate)?;
        Ok((stream, gate))
    }

    /// Lets a stream come no further than to the gate.
    #[track_caller]
    pub(crate) fn hold(&self, stream: &Stream, gate: &Gate) -> Result<()> {
        match self.hold {
            None => stream.wait(&gate.point()),
            Some(hold) => {
                hold(stream, gate.point());
                Ok(())
            }
        }
    }

    /// Whether streams run functions of the host, and wait for gates.
    pub(crate) fn runs_functions(&self) -> bool {
        self.hold.is_none()
    }

    /// Puts something on a stream: a function, or, where the host can have none run there, work of the device.
    #[track_caller]
    pub(crate) fn work(&self, stream: &Stream) -> Result<()> {
        match self.hold {
            None => stream.enqueue(|| ()),
            Some(_) => stream.delay(SHORT),
        }
    }

    /// Has a function called in the order of a stream: as work of the host, or, where that is not to be had, to submit more.
    #[track_caller]
    pub(crate) fn calls<F>(&self, stream: &Stream, function: F) -> Result<()>
    where
        F: FnOnce() -> std::result::Result<(), String> + Send + 'static,
    {
        match self.hold {
            None => stream.enqueue(function),
            Some(_) => stream.submit(|_| function()),
        }
    }

    /// The same for threads, which do not have the bed.
    pub(crate) fn puts(&self) -> fn(&Stream) -> Result<()> {
        match self.hold {
            None => |stream| stream.enqueue(|| ()),
            Some(_) => |stream| stream.delay(SHORT),
        }
    }

    /// Puts a function on a stream that fails it.
    #[track_caller]
    pub(crate) fn fails(&self, stream: &Stream) -> Result<()> {
        self.calls(stream, || Err("on purpose".to_owned()))
    }

    /// Keeps a stream busy with work that runs until it is let go; `None` where work must not block.
    pub(crate) fn busy(&self, stream: &Stream) -> Result<Option<Busy>> {
        if !self.blocking_work || !self.runs_functions() {
            return Ok(None);
        }
        Busy::on(stream).map(Some)
    }
}

/// As long as work of a device that is nothing in itself.
const SHORT: Duration = Duration::from_micros(1);

impl fmt::Display for TestBed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({:?} streams)", self.name, self.mode)
    }
}
