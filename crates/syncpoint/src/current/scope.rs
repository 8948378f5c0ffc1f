//! Scopes: a stream is current inside a future, whichever threads poll it and whatever they poll between.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use syncpoint_core::Stream;

use super::frame::{self, Frame, Id};

/// Makes a stream and its device current inside a future: while it is polled, on whichever thread, and while it is
/// dropped; never for other tasks of the same thread.
///
/// What the future itself makes current inside, by guards or by setting, is put aside when it suspends and is back
/// when it goes on. Allocates once, to pin the future.
///
/// # Examples
/// Two tasks of one thread, each with a stream of its own:
/// ```
/// use std::pin::pin;
/// use std::sync::Arc;
/// use std::task::{Context, Poll, Waker};
/// use syncpoint::{current_stream, scope};
///
/// let device = syncpoint::open("host:0")?;
/// let (a, b) = (Arc::new(device.stream()?), Arc::new(device.stream()?));
/// let task = |stream| scope(stream, async { current_stream(&device) });
/// let (first, second) = (pin!(task(&a)), pin!(task(&b)));
///
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(matches!(second.poll(&mut context), Poll::Ready(Ok(stream)) if stream == b));
/// assert!(matches!(first.poll(&mut context), Poll::Ready(Ok(stream)) if stream == a));
/// # use std::future::Future;
/// # Ok::<(), syncpoint::Error>(())
/// ```
pub fn scope<F: IntoFuture>(stream: &Arc<Stream>, future: F) -> Scope<F::IntoFuture> {
    let frame = Frame::of_stream(stream);
    let id = frame.id();
    Scope { id, suspended: vec![frame], future: Some(Box::pin(future.into_future())) }
}

/// A future inside which a stream is current: what [`scope`] makes.
///
/// A panic of the future passes through, and what was current around the poll is current again.
#[must_use = "a future does nothing until it is awaited"]
pub struct Scope<F> {
    id: Id,
    /// The frames of this scope, its own first. Empty while it is polled: then they lie on the thread.
    suspended: Vec<Frame>,
    /// Taken when this is dropped, so that the future ends inside too.
    future: Option<Pin<Box<F>>>,
}

impl<F> Scope<F> {
    /// Does something to the future, inside.
    fn inside<T>(&mut self, act: impl FnOnce(&mut Option<Pin<Box<F>>>) -> T) -> T {
        let entered = Entered::new(self.id, &mut self.suspended);
        let result = act(&mut self.future);
        drop(entered);
        result
    }
}

impl<F: Future> Future for Scope<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.inside(|future| match future {
            Some(future) => future.as_mut().poll(context),
            None => unreachable!("only dropping a scope takes its future, and nobody polls after"),
        })
    }
}

impl<F> Drop for Scope<F> {
    fn drop(&mut self) {
        self.inside(|future| drop(future.take()));
    }
}

impl<F> fmt::Debug for Scope<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scope").field("suspended", &self.suspended).finish_non_exhaustive()
    }
}

/// The frames of a scope lie on this thread until this is dropped, by unwinding too.
struct Entered<'a> {
    id: Id,
    suspended: &'a mut Vec<Frame>,
}

impl<'a> Entered<'a> {
    fn new(id: Id, suspended: &'a mut Vec<Frame>) -> Self {
        frame::put(suspended);
        Self { id, suspended }
    }
}

impl Drop for Entered<'_> {
    /// All frames above the scope's own were made inside: they suspend with it.
    fn drop(&mut self) {
        if let Some(frames) = frame::take_from(self.id) {
            *self.suspended = frames;
        }
    }
}
