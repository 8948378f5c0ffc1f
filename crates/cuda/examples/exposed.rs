//! A stream of ours handed to cudarc, for ever: both launch on it, and our points lie between what both launch.
#![expect(clippy::print_stdout, clippy::panic_in_result_fn, reason = "an example shows and checks")]
#![expect(unsafe_code, reason = "cudarc takes the word of its caller that a stream is one")]

use std::error::Error;
use std::time::Duration;

use cudarc::driver::CudaContext;

/// 4 MiB of numbers.
const LENGTH: usize = 1 << 20;
const BYTES: u64 = 4 << 20;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let device = match syncpoint::open("cuda:0") {
        Ok(device) => device,
        Err(absent) => {
            println!("not run: {absent}");
            return Ok(());
        }
    };
    let stream = device.stream()?;
    let raw = syncpoint::cuda::expose(&stream)?;
    // The primary context of the device, which ours is, too.
    let context = CudaContext::new(0)?;
    // SAFETY: it is a stream of this context, and lives longer than what cudarc has of it: that is dropped before.
    let theirs = unsafe { context.wrap_borrowed_stream(raw.as_ptr().cast()) };

    let ours = device.buffer(BYTES)?;
    let start = stream.record_timed()?;
    let slice = theirs.clone_htod(&vec![3.5_f32; LENGTH])?;
    let copied = stream.record_timed()?;
    stream.fill(&ours, 0..BYTES, 7)?;
    let filled = stream.record_timed()?;

    filled.synchronize_timeout(Duration::from_secs(10))?;
    println!("{device}: 4 MiB copied by cudarc in {:.1?}", copied.elapsed_since(&start)?);
    println!("{device}: 4 MiB filled by us in {:.1?}", filled.elapsed_since(&copied)?);
    assert_eq!(theirs.clone_dtoh(&slice)?, vec![3.5_f32; LENGTH]);
    drop((slice, theirs));
    stream.synchronize()?;
    Ok(())
}
