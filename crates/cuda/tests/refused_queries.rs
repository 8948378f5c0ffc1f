//! Queries that the poller is refused, alone in their process: the refusal may meet no other test.

#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

mod fake;

use std::pin::pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use syncpoint::{Kind, Result, Stream};
use syncpoint_conformance::patience::heard;

use fake::Fake;

/// So long that a busy machine asks before it is over.
const LONG: Duration = Duration::from_millis(300);

/// Has the stream begin anew as it is woken, inside the failure, and says when what it gives it then is complete.
struct BeginsAnew {
    stream: Stream,
    sender: Mutex<Option<Sender<Result<()>>>>,
}

impl Wake for BeginsAnew {
    fn wake(self: Arc<Self>) {
        let Some(sender) = self.sender.lock().expect("nobody panics").take() else { return };
        let failure = self.stream.recover().expect("it recovers").expect("it has failed");
        assert_eq!(failure.kind(), Kind::Driver);
        let later = self.stream.delay(LONG).and_then(|()| self.stream.record());
        let told = later.and_then(|point| point.notify(move |end| sender.send(end).unwrap_or(())));
        Box::leak(Box::new(told.expect("it is told")));
    }
}

#[test]
fn a_stream_that_begins_anew_as_its_refused_query_is_told_is_watched_on() -> Result<()> {
    let fake = Fake::used();
    let stream = syncpoint::cuda::open(0)?.stream()?;
    let (sender, receiver) = channel();
    stream.delay(LONG)?;
    let point = stream.record()?;
    let begins_anew = Arc::new(BeginsAnew { stream, sender: Mutex::new(Some(sender)) });
    let waker = Waker::from(begins_anew);
    let mut end = pin!(point.into_future());
    assert!(end.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    fake.script("fail cuEventQuery 1 999");
    heard(&receiver, "the end of what came later")
}
