//! Cases of context: what is current on the caller's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use syncpoint::{
    Device, Gate, Result, Stream, current_device, current_stream, set_current_device, with_device,
    with_stream,
};

use crate::bed::TestBed;
use crate::patience::{PATIENCE, settle};
use crate::run::Verdict;

/// Catches a call that leaves its own device or stream current. A backend with a context of its driver's has to show
/// the same of that.
pub fn a_call_leaves_the_callers_device_as_it_was(bed: &TestBed) -> Verdict {
    let untouched = current_device()?;
    uses_the_device(bed.device(), &bed.stream()?)?;
    assert_eq!(current_device()?, untouched, "where nothing was made current");
    for other in [bed.second_device(), bed.foreign_device()].into_iter().flatten() {
        let stream = Arc::new(other.stream()?);
        let _current = with_stream(&stream);
        uses_the_device(bed.device(), &bed.stream()?)?;
        assert_eq!(current_device()?, *other);
        assert_eq!(current_stream(other)?, stream);
    }
    Ok(())
}

fn uses_the_device(device: &Device, stream: &Stream) -> Result<()> {
    let (event, buffer, gate) = (device.event(), device.buffer(4)?, Gate::new());
    stream.wait(&gate.point())?;
    stream.fill(&buffer, 0..4, 1)?;
    stream.enqueue(|| ())?;
    stream.submit(|_| ())?;
    event.record(stream)?;
    device.stream()?.wait_event(&event)?;
    gate.open()?;
    event.synchronize_timeout(PATIENCE)?;
    let timed = stream.record_timed()?;
    settle(&timed);
    timed.timestamp()?;
    assert!(stream.query()? && event.query()?);
    buffer.to_vec(0..4)?;
    device.synchronize_timeout(PATIENCE)
}

/// Catches a guard that brings back what was over, that forgets what it covered, or that reaches other threads.
pub fn a_guard_restores_what_was_there(bed: &TestBed) -> Verdict {
    let device = bed.device();
    let [outer, inner] = bed.streams()?.map(Arc::new);
    let before = (current_device()?, current_stream(device)?);
    let covered = with_stream(&outer);
    {
        let _inner = with_stream(&inner);
        let _again = with_stream(&inner);
        assert_eq!(current_stream(device)?, inner);
        let elsewhere = thread::scope(|scope| {
            let seen = scope.spawn(|| current_stream(device));
            seen.join().expect("asking for the current stream does not panic")
        })?;
        assert_eq!(elsewhere, before.1, "another thread has its own");
    }
    assert_eq!(current_stream(device)?, outer, "the guard inside named a stream twice");
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _inner = with_stream(&inner);
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(unwound.is_err());
    assert_eq!(current_stream(device)?, outer, "on unwinding");
    restores_a_device(bed, device)?;
    drop(covered);
    assert_eq!((current_device()?, current_stream(device)?), before);
    Ok(())
}

fn restores_a_device(bed: &TestBed, device: &Device) -> Verdict {
    let Some(other) = bed.second_device() else { return Ok(()) };
    let (first, second) = (with_device(other), with_device(device));
    set_current_device(other);
    drop(first);
    assert_eq!(current_device()?, *other, "what was set inside the second guard");
    drop(second);
    assert_eq!(current_device()?, *device, "guards that go in any order bring nothing back");
    Ok(())
}
