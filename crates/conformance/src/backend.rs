//! What a backend says of itself to be tried: its devices, what it can do, and where it is excepted.

use syncpoint::{Device, Mode, Point, Result, Stream};

/// Makes a stream of a device in a mode other than managed.
pub type MakeStream = fn(&Device, Mode) -> Result<Stream>;

/// Has others launch on a stream what is not over before the point is settled.
pub type HoldStream = fn(&Stream, Point);

/// A backend on trial.
#[derive(Clone, Copy, Debug)]
pub struct Backend {
    pub(crate) name: &'static str,
    pub(crate) open: fn() -> Result<Vec<Device>>,
    pub(crate) foreign: Option<fn() -> Result<Device>>,
    pub(crate) blocking_work: bool,
    pub(crate) outlives_fork: bool,
    pub(crate) others: Option<MakeStream>,
    pub(crate) hold: Option<HoldStream>,
    pub(crate) standing: usize,
    pub(crate) lack: Option<fn() -> Option<String>>,
    pub(crate) unsupported: &'static [Exception],
    pub(crate) known_failures: &'static [Exception],
}

/// Laws that a backend is excepted from, with the reason.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a pair of words, written in tables")]
pub struct Exception {
    /// Which ones.
    pub laws: Laws,
    /// Why they do not hold here.
    pub reason: &'static str,
}

impl Exception {
    /// Whether a law is one of them.
    pub(crate) fn covers(&self, law: &str) -> bool {
        match self.laws {
            Laws::These(laws) => laws.contains(&law),
            Laws::AllBut(laws) => !laws.contains(&law),
        }
    }
}

/// Some of the laws, by their names.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "written in tables")]
pub enum Laws {
    /// Those that are named.
    These(&'static [&'static str]),
    /// Those that are not.
    AllBut(&'static [&'static str]),
}

impl Laws {
    pub(crate) fn names(self) -> &'static [&'static str] {
        let (Self::These(names) | Self::AllBut(names)) = self;
        names
    }
}

/// What cases do elsewhere where a child of a fork cannot use the driver. What they do with the devices of the process that
/// forks they do all the same, so these are tried, and hold as far as that goes.
pub const IN_CHILDREN: Exception = Exception {
    laws: Laws::These(&[
        "a_fork_child_is_told_so",
        "exit_never_hangs",
        "an_exported_event_orders_another_process",
        "a_dead_peer_is_an_error_not_a_hang",
    ]),
    reason: "a child of a fork cannot use the driver: what the case has a child do with a device opened there it does with one \
             of host, and to open one of the backend is refused there; tests of the backend's own try it in programs that \
             did not fork",
};

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
            hold: None,
            standing: usize::MAX,
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

    /// The same where a stream that others launch on too can neither wait for a gate nor run functions of the host: what
    /// others launch there holds it, and cases put work of the device in place of functions that they need not see run.
    #[must_use]
    pub fn held_by_others(self, hold: HoldStream) -> Self {
        Self { hold: Some(hold), ..self }
    }

    /// The same where the device itself holds streams that others launch on too, and lets the others go on beside no more than
    /// so many.
    #[must_use]
    pub fn with_standing(self, standing: usize) -> Self {
        Self { standing, ..self }
    }

    /// The same where a child of a fork cannot use the driver: [`IN_CHILDREN`] says what that changes.
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
