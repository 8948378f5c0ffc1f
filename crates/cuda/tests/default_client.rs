//! A client on the legacy default stream of a context that it shares with us, as candle is, which works by cudarc.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

use std::error::Error;
use std::time::Duration;

use cudarc::driver::CudaContext;
use syncpoint::cuda::legacy_stream;
use syncpoint_conformance::patience::{assert_held, settle};

/// The test of this name, where the loader finds the stand-in.
#[test]
fn what_cudarc_does_on_the_default_stream_waits_for_ours_and_ours_for_it() {
    let name = "what_cudarc_does_on_the_default_stream_waits_for_ours_and_ours_for_it";
    syncpoint_cuda_fake::run(name, "", || shares().expect("nothing is refused"));
}

fn shares() -> Result<(), Box<dyn Error>> {
    let (device, theirs) = (syncpoint::open("cuda:0")?, CudaContext::new(0)?.default_stream());
    assert!(theirs.cu_stream().is_null(), "it has no handle of its own to be borrowed by");
    let (legacy, ours) = (legacy_stream(&device)?, device.stream()?);
    let buffer = device.buffer(4)?;

    // Theirs behind ours: what they copy is not there before.
    ours.delay(Duration::from_secs(2))?;
    legacy.wait(&ours.record()?)?;
    let slice = theirs.clone_htod(&[7_u8; 4])?;
    let (copied, theirs_copied) = (legacy.record()?, theirs.record_event(None)?);
    assert_held(&copied);
    assert!(!theirs_copied.is_complete(), "their stream is held, and not one like it");
    // And ours behind theirs.
    ours.wait(&copied)?;
    ours.fill(&buffer, 0..4, 9)?;
    settle(&ours.record()?);
    assert!(copied.query()? && theirs_copied.is_complete());
    assert_eq!(theirs.clone_dtoh(&slice)?, [7; 4]);
    assert_eq!(buffer.to_vec(0..4)?, [9; 4]);
    Ok(())
}
