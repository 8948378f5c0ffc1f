//! The laws, and what no double can say, on a device of Metal. Only a Mac runs this.

#![cfg(target_vendor = "apple")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
#![expect(unsafe_code, reason = "a buffer is used that the device writes")]

use std::time::Duration;

use syncpoint::metal::{
    RawQueue, borrow, device_handle, event_handle, expose, open, open_device, timeline,
};
use syncpoint::{Device, Error, Event, EventOptions, Kind, Mode, Result, Stream};
use syncpoint_conformance::{Backend, skip};

use objc2::rc::Retained;
use objc2::runtime::ProtocolObject;
use objc2_foundation::NSRange;
use objc2_metal::{
    MTLBlitCommandEncoder, MTLBuffer, MTLCommandBuffer, MTLCommandEncoder, MTLCommandQueue,
    MTLDevice, MTLResourceOptions, MTLSharedEvent,
};

syncpoint_conformance::suite!(metal: managed, exposed, borrowed);

fn metal() -> Backend {
    let backend = Backend::new("metal", devices).beside(|| syncpoint::open("host:0"));
    backend.without_children().with_others(stream_of_others).may_lack(lack)
}

/// What is missing here.
fn lack() -> Option<String> {
    open(0).err().map(|error| error.to_string())
}

/// Two devices of their own for each case: a case may shut one down.
fn devices() -> Result<Vec<Device>> {
    Ok(vec![open(0)?, open(0)?])
}

fn stream_of_others(device: &Device, mode: Mode) -> Result<Stream> {
    if mode == Mode::Exposed {
        let stream = device.stream()?;
        expose(&stream)?;
        return Ok(stream);
    }
    let queue = device_handle(device)?.newCommandQueue();
    borrow(device, queue.ok_or_else(|| Error::new(Kind::Exhausted, "no queue"))?, ROOM)
}

/// What is ours of an ordinary queue.
const ROOM: usize = 48;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn bytes_that_do_not_lie_on_four_are_filled_and_copied_as_they_are_asked_for() -> Result<()> {
    if let Some(lack) = lack() {
        skip(&lack);
        return Ok(());
    }
    let device = open(0)?;
    let (stream, source, target) = (device.stream()?, device.buffer(64)?, device.buffer(64)?);
    let bytes: Vec<u8> = (0..64).collect();
    source.write(0, &bytes)?;
    for (from, to, len) in [(0, 0, 64), (4, 8, 16), (1, 1, 1), (3, 6, 7), (0, 5, 13), (2, 2, 60)] {
        target.write(0, &[0xff; 64])?;
        stream.copy(&source, from..from + len, &target, to..to + len)?;
        stream.fill(&target, 61..64, 7)?;
        stream.record()?.synchronize_timeout(LONG)?;
        let mut expected = vec![0xff; 64];
        let index = |at: u64| usize::try_from(at).unwrap_or(0);
        expected[index(to)..index(to + len)]
            .copy_from_slice(&bytes[index(from)..index(from + len)]);
        expected[61..].fill(7);
        assert_eq!(target.to_vec(0..64)?, expected, "{len} bytes from {from} to {to}");
    }
    Ok(())
}

#[test]
fn a_shared_event_given_out_is_waited_for_as_one_of_others() -> Result<()> {
    if let Some(lack) = lack() {
        skip(&lack);
        return Ok(());
    }
    let device = open(0)?;
    let (stream, event) = (device.stream()?, EventOptions::builder().native_handle().build()?);
    let event = Event::new(event);
    event.record(&stream)?;
    let (shared, value) = event_handle(&event)?;
    timeline(shared.clone())?.point(value).synchronize_timeout(LONG)?;
    assert!(shared.signaledValue() >= value);
    Ok(())
}

#[test]
fn what_a_function_commits_is_over_with_what_its_stream_records_next() -> Result<()> {
    if let Some(lack) = lack() {
        skip(&lack);
        return Ok(());
    }
    let theirs = device_handle(&open(0)?)?;
    let bytes = theirs.newBufferWithLength_options(
        Bytes::LEN,
        MTLResourceOptions::StorageModeShared | MTLResourceOptions::HazardTrackingModeUntracked,
    );
    let bytes = Bytes(bytes.ok_or_else(|| Error::new(Kind::Exhausted, "no buffer"))?);
    let filled = bytes.clone();
    let stream = open_device(theirs)?.stream()?;
    stream.submit(move |lent| {
        let Some(queue) = lent.native::<RawQueue>() else { panic!("a stream of Metal lends one") };
        filled.fill(queue.command_queue()).ok_or_else(|| Error::new(Kind::Exhausted, "no commands"))
    })?;
    stream.record()?.synchronize_timeout(LONG)?;
    // SAFETY: the buffer has so many bytes, and nothing writes them any more.
    let seen =
        unsafe { std::slice::from_raw_parts(bytes.0.contents().cast::<u8>().as_ptr(), Bytes::LEN) };
    assert!(seen.iter().all(|byte| *byte == 2), "the point is complete before the fill");
    Ok(())
}

/// A buffer of the program's own.
#[derive(Clone)]
struct Bytes(Retained<ProtocolObject<dyn MTLBuffer>>);

// SAFETY: Metal's objects may be used from any thread; its commands are encoded on one at a time.
unsafe impl Send for Bytes {}

impl Bytes {
    /// So many that a fill takes a while.
    const LEN: usize = 256 << 20;

    /// Commits a fill of it.
    fn fill(&self, queue: &ProtocolObject<dyn MTLCommandQueue>) -> Option<()> {
        let commands = queue.commandBuffer()?;
        let encoder = commands.blitCommandEncoder()?;
        encoder.fillBuffer_range_value(&self.0, NSRange::new(0, Self::LEN), 2);
        encoder.endEncoding();
        commands.commit();
        Some(())
    }
}
