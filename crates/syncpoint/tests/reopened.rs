//! A device that was shut down is opened again by its name, as what it refuses says.

#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::Duration;

use syncpoint::{Kind, Result, default_stream, open};

#[test]
fn a_device_that_was_shut_down_is_opened_again_by_its_name() -> Result<()> {
    for name in ["host:0", "sim:0"] {
        let ended = open(name)?;
        assert_eq!(ended, open(name)?, "one for everybody");
        ended.shutdown(Duration::from_secs(60))?;
        let refused = ended.stream().expect_err("it was shut down");
        assert_eq!(refused.kind(), Kind::Unavailable);
        assert!(refused.message().contains("open it again"), "{refused}");
        let again = open(name)?;
        assert_ne!(again, ended);
        assert_eq!(again, open(name)?, "and again one");
        let stream = again.stream()?;
        stream.delay(Duration::from_micros(1))?;
        stream.synchronize()?;
    }
    Ok(())
}

#[test]
fn a_device_that_was_shut_down_has_no_default_stream_and_nobody_keeps_the_one_it_had() -> Result<()>
{
    let ended = open("sim:1")?;
    let stream = Arc::downgrade(&default_stream(&ended)?);
    ended.shutdown(Duration::from_secs(60))?;
    let refused = default_stream(&ended).expect_err("it was shut down");
    assert_eq!(refused.kind(), Kind::Unavailable);
    let again = default_stream(&open("sim:1")?)?;
    assert_eq!(again, default_stream(again.device())?);
    assert!(stream.upgrade().is_none(), "it is dropped with the next that is made");
    Ok(())
}
