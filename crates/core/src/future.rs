//! Completion: a point as a future, for any executor.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::error::Result;
use crate::graph;
use crate::point::Point;
use crate::timeline::Ticket;

/// The completion of a point, to be awaited on any executor.
///
/// Polling never blocks and never drives the device. The last waker polled with is the one woken, on success and on
/// failure. Dropping the future cancels nothing on the device.
///
/// # Examples
/// Await work:
/// ```
/// # async fn example() -> syncpoint::Result<()> {
/// let stream = syncpoint::open("host:0")?.stream()?;
/// stream.enqueue(|| { /* work */ })?;
/// stream.record()?.await
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Completion {
    /// `None` for what has no point: it is complete. An error is the outcome.
    point: Result<Option<Point>>,
    listed: Option<(Ticket, Waker)>,
}

impl Completion {
    pub(crate) fn new(point: Result<Option<Point>>) -> Self {
        Self { point, listed: None }
    }

    fn point(&self) -> Option<&Point> {
        self.point.as_ref().ok().and_then(Option::as_ref)
    }

    fn outcome(&self) -> Option<Result<()>> {
        match &self.point {
            Ok(point) => point.as_ref().map_or(Some(Ok(())), Point::outcome),
            Err(error) => Some(Err(error.clone())),
        }
    }

    /// Lists this waker, unless the same one is listed.
    fn list(&mut self, waker: &Waker) {
        if self.listed.as_ref().is_some_and(|(_, listed)| listed.will_wake(waker)) {
            return;
        }
        self.unlist();
        let Ok(Some(point)) = &self.point else { return };
        let ticket = point.timeline().register_users(point.value(), waker.clone());
        self.listed = ticket.map(|ticket| (ticket, waker.clone()));
        graph::expect(point);
    }

    fn unlist(&mut self) {
        let listed = self.listed.take();
        if let (Some((ticket, _)), Some(point)) = (listed, self.point()) {
            point.timeline().unregister(ticket);
        }
    }
}

impl Future for Completion {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.outcome().is_none() {
            self.list(context.waker());
        }
        // Asked again: it may have settled before it was listed, and then nobody wakes.
        let Some(outcome) = self.outcome() else { return Poll::Pending };
        self.unlist();
        if let (Some(point), Ok(())) = (self.point(), &outcome) {
            point.tell_complete();
        }
        Poll::Ready(outcome)
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.unlist();
    }
}
