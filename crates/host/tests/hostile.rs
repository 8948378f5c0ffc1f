//! Errors of users' work that misbehave themselves.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt;
use std::time::Duration;

use syncpoint::{Kind, Stream};

/// Long enough for the slowest machine; a stream whose worker died would last for ever.
const DEADLINE: Duration = Duration::from_secs(60);

fn stream() -> Stream {
    syncpoint::open("host:0").unwrap().stream().unwrap()
}

/// An error that panics when it is put into words.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new("no words"));
    }
}

impl std::error::Error for Unspeakable {}

#[test]
fn an_error_that_panics_when_asked_for_its_words_fails_its_stream_and_no_more() {
    let stream = stream();
    stream.enqueue(|| Err::<(), _>(Unspeakable)).unwrap();
    let error = stream.record().unwrap().synchronize_timeout(DEADLINE).unwrap_err();
    assert_eq!(error.kind(), Kind::Failed);
    assert!(error.message().contains("no words"), "{error}");
    stream.recover().unwrap();
    stream.enqueue(|| ()).unwrap();
    stream.synchronize_timeout(DEADLINE).unwrap();
}
