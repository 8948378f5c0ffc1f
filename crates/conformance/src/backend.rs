//! What a backend says of itself to be tried: its devices, what it can do, and where it is excepted.

use syncpoint::{Device, Mode, Result, Stream};

/// Makes a stream of a device in a mode other than managed.
pub type MakeStream = fn(&Device, Mode) -> Result<Stream>;

/// A backend on trial.
#[derive(Clone, Copy, Debug)]
pub struct Backend {
    pub(crate) name: &'static str,
    pub(crate) open: fn() -> Result<Vec<Device>>,
    pub(crate) foreign: Option<fn() -> Result<Device>>,
    pub(crate) blocking_work: bool,
    pub(crate) outlives_fork: bool,
    pub(crate) others: Option<MakeStream>,
    pub(crate) lack: Option<fn() -> Option<String>>,
    pub(crate) unsupported: &'static [Exception],
    pub(crate) known_failures: &'static [Exception],
}

/// A law that a backend is excepted from, with the reason.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a pair of words, written in tables")]
pub struct Exception {
    /// The law.
    pub law: &'static str,
    /// Why it does not hold here.
    pub reason: &'static str,
}

impl Backend {
    /// A backend. `open` gives its devices, fresh ones where that can be had, because a case may shut one down.
    pub fn new(name: &'static str, open: fn() -> Result<Vec<Device>>) -> Self {
        Self {
            name,
            open,
            foreign: None,
            blocking_work: true,
            outlives_fork: true,
            others: None,
            lack: None,
            unsupported: &[],
            known_failures: &[],
        }
    }

    /// The same with a device of another backend, to wait across.
    #[must_use]
    pub fn beside(self, foreign: fn() -> Result<Device>) -> Self {
        Self { foreign: Some(foreign), ..self }
    }

    /// The same where an enqueued function must not block until the test lets it go: nothing else would run meanwhile.
    #[must_use]
    pub fn without_blocking_work(self) -> Self {
        Self { blocking_work: false, ..self }
    }

    /// The same with a way to make streams on which others launch too.
    #[must_use]
    pub fn with_others(self, make: MakeStream) -> Self {
        Self { others: Some(make), ..self }
    }

    /// The same where a child of a fork cannot use the driver. What a case does in a child with a device opened there it
    /// does with one of the other backend, and to open one of this is refused there.
    #[must_use]
    pub fn without_children(self) -> Self {
        Self { outlives_fork: false, ..self }
    }

    /// The same where the machine may lack what it needs: then `lack` says what, and its laws are skipped aloud.
    #[must_use]
    pub fn may_lack(self, lack: fn() -> Option<String>) -> Self {
        Self { lack: Some(lack), ..self }
    }

    /// The same with laws that it answers with `Unsupported`, or that are not built yet. Each is tried all the same,
    /// and must be answered so.
    #[must_use]
    pub fn unsupported(self, exceptions: &'static [Exception]) -> Self {
        Self { unsupported: exceptions, ..self }
    }

    /// The same with laws that it is known to break. Each is tried, and must fail.
    #[must_use]
    pub fn known_failures(self, exceptions: &'static [Exception]) -> Self {
        Self { known_failures: exceptions, ..self }
    }
}
