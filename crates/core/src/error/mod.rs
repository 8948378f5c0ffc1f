//! The one public error: what to do about it, what happened, where it began.

mod kind;
mod origin;

use std::fmt;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

pub use kind::{Kind, Reason};
pub use origin::Origin;

use crate::report::WaitReport;
use crate::sync::process::OnceLock;

/// The result of every fallible call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
///
/// One word wide and cheap to clone: a failure that a million points share is one allocation. [`kind`](Self::kind)
/// says what to do; the message says what was asked, of which object, and the remedy.
///
/// # Examples
/// The kind decides, the message tells:
/// ```
/// # use syncpoint::{Error, Kind, Reason};
/// fn advice(error: &Error) -> &'static str {
///     match error.kind() {
///         Kind::Misuse(Reason::NotComplete) => "synchronize first",
///         Kind::TimedOut => "nothing changed: wait again, or look at the report",
///         _ => "give up",
///     }
/// }
/// # let _ = advice;
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    /// Set once at most: by whoever made the error, or by the operation that a driver refused. `None`: it will have none,
    /// because it was no operation that the driver told of it.
    origin: OnceLock<Option<Origin>>,
    code: Option<Code>,
    report: Option<WaitReport>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// A driver's own number and name for an error.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Code {
    number: i64,
    name: String,
    /// The thread that the driver told it: it alone knows in which operation.
    heard_by: ThreadId,
}

impl Error {
    /// An error of a kind, with its message: lower case, what was asked of which object, `; ` and the remedy.
    #[cold]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            origin: OnceLock::new(),
            code: None,
            report: None,
            source: None,
        }))
    }

    /// A mistake of the caller's, for a precise reason.
    #[cold]
    pub fn misuse(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Kind::Misuse(reason), message)
    }

    /// What cannot be asked of work that is captured.
    #[cold]
    pub(crate) fn captured() -> Self {
        let message = "work of a capture runs when its graph is launched, and never by itself; ask outside the \
            capture, or record an external event in it";
        Self::misuse(Reason::Capturing, message)
    }

    /// Something that this device cannot do; the message names the remedy.
    #[cold]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, message)
    }

    /// A failure of earlier work.
    #[cold]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// A wait that ran out after this long, with what was known then.
    #[cold]
    pub(crate) fn timed_out(after: Duration, report: WaitReport) -> Self {
        let message = format!("the wait ran out after {after:?}; nothing changed: {report}");
        Self::new(Kind::TimedOut, message).with(|inner| inner.report = Some(report))
    }

    /// The same error, and first of all what it means for who asked.
    #[cold]
    pub(crate) fn told_as(self, meaning: &str) -> Self {
        self.with(|inner| inner.message = format!("{meaning}: {}", inner.message))
    }

    /// The same error, and last of all who waited for whom.
    #[cold]
    pub(crate) fn reporting(self, report: WaitReport) -> Self {
        self.with(|inner| {
            inner.message = format!("{}: {report}", inner.message);
            inner.report = Some(report);
        })
    }

    /// The same error, begun at `origin`. An origin once set stays: the first cause is what users need.
    #[cold]
    #[must_use]
    pub fn at(self, origin: Origin) -> Self {
        self.with(|inner| {
            if !matches!(inner.origin.get(), Some(Some(_first))) {
                inner.origin = OnceLock::from(Some(origin));
            }
        })
    }

    /// Notes which operation a driver refused, for all who have this very error: where it breaks a device, others have it
    /// already. Only of what a driver said to this thread: any other mistake is the call that returned it, or says where
    /// it began, and what another thread was told began in a call of that one's.
    #[cold]
    pub(crate) fn began_at(&self, origin: impl FnOnce() -> Origin) {
        if self.was_heard_here() {
            self.0.origin.get_or_init(|| Some(origin()));
        }
    }

    /// The same error for a call that comes later, and for which the driver was not asked: where it has no origin yet, this
    /// thread was told of it outside every operation.
    #[cold]
    pub(crate) fn of_before(&self) -> Self {
        if self.was_heard_here() {
            self.0.origin.get_or_init(|| None);
        }
        self.clone()
    }

    fn was_heard_here(&self) -> bool {
        self.0.code.as_ref().is_some_and(|code| code.heard_by == thread::current().id())
    }

    /// The same error with the driver's own number and name for it, on the thread that the driver told it.
    #[cold]
    #[must_use]
    pub fn with_code(self, number: i64, name: impl Into<String>) -> Self {
        let (name, heard_by) = (name.into(), thread::current().id());
        self.with(|inner| inner.code = Some(Code { number, name, heard_by }))
    }

    /// The same error as what stays: that a wait ran out tells whoever meets it that nothing changed, and to wait again.
    #[cold]
    pub(crate) fn that_stays(self, of: &impl fmt::Display) -> Self {
        if self.kind() != Kind::TimedOut {
            return self;
        }
        let message = format!("{of} was failed by a wait that ran out: {}", self.message());
        Self::failed(message).caused_by(self)
    }

    /// The same error, caused by another.
    #[cold]
    #[must_use]
    pub fn caused_by(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = Arc::from(source.into());
        self.with(|inner| inner.source = Some(source))
    }

    /// What to do about it.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Where it began: the operation, its stream and its place in the source. `None` where the mistake is the call
    /// that returned the error, and where a driver told of it when nobody had asked for work: it told a query, or a thread
    /// of ours that looked how far the device is. It stays so for whoever is refused with that error later.
    pub fn origin(&self) -> Option<&Origin> {
        self.0.origin.get().and_then(Option::as_ref)
    }

    /// The driver's own number and name for the error, where a driver reported it.
    pub fn code(&self) -> Option<(i64, &str)> {
        self.0.code.as_ref().map(|code| (code.number, code.name.as_str()))
    }

    /// What was known when a wait ran out: whom it waited for, and why that did not come.
    pub fn report(&self) -> Option<&WaitReport> {
        self.0.report.as_ref()
    }

    /// The message alone, without origin and code.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether both are the very same failure, not only equal in words.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::try_unwrap(self.0).unwrap_or_else(|shared| Inner::clone(&shared));
        change(&mut inner);
        Self(Arc::new(inner))
    }
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self {
            kind: self.kind,
            message: self.message.clone(),
            origin: self.origin.clone(),
            code: self.code.clone(),
            report: self.report.clone(),
            source: self.source.clone(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)?;
        if let Some(code) = &self.0.code {
            write!(formatter, " ({} {})", code.name, code.number)?;
        }
        if let Some(origin) = self.origin() {
            write!(formatter, " ({origin})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("origin", &self.origin())
            .field("code", &self.0.code)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source: &(dyn std::error::Error + 'static) = self.0.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn the_first_origin_stays() {
        let error = Error::failed("work failed").at(Origin::new("enqueue", "stream 1"));
        let error = error.at(Origin::new("wait", "stream 2"));
        assert_eq!(error.origin().map(Origin::operation), Some("enqueue"));
    }

    #[test]
    fn what_a_driver_says_begins_in_the_call_of_the_thread_that_hears_it() {
        let origin = || Origin::new("fill", "stream 1");
        let heard = || Error::new(Kind::Driver, "cuMemsetD8Async failed").with_code(999, "UNKNOWN");
        let error = heard();
        thread::scope(|scope| scope.spawn(|| error.began_at(origin)).join().unwrap());
        assert!(error.origin().is_none(), "another thread heard it");
        error.began_at(origin);
        assert_eq!(error.origin(), Some(&origin().placed(error.origin().unwrap().place())));
        let of_before = heard();
        assert!(of_before.of_before().is_same(&of_before));
        of_before.began_at(origin);
        assert!(of_before.origin().is_none(), "it was heard outside every operation");
    }

    #[test]
    fn a_message_carries_the_code_of_the_driver() {
        let error = Error::new(Kind::Driver, "cuEventRecord failed").with_code(700, "ILLEGAL");
        assert_eq!(error.to_string(), "cuEventRecord failed (ILLEGAL 700)");
        assert_eq!(error.code(), Some((700, "ILLEGAL")));
    }
}
