//! A stream of ours lent to cudarc: what cudarc launches on it lies between our points, and is timed and awaited by us.
#![expect(clippy::print_stdout, clippy::panic_in_result_fn, reason = "an example shows and checks")]
#![expect(unsafe_code, reason = "cudarc takes the word of its caller that a stream is one")]

use std::error::Error;
use std::sync::mpsc::channel;
use std::time::Duration;

use cudarc::driver::{CudaContext, DriverError};
use syncpoint::cuda::RawStream;

/// 4 MiB of numbers.
const LENGTH: usize = 1 << 20;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let device = match syncpoint::open("cuda:0") {
        Ok(device) => device,
        Err(absent) => {
            println!("not run: {absent}");
            return Ok(());
        }
    };
    let stream = device.stream()?;
    // The primary context of the device, which ours is, too.
    let context = CudaContext::new(0)?;
    let own = context.new_stream()?;
    let mut slice = own.alloc_zeros::<f32>(LENGTH)?;
    own.synchronize()?;

    let numbers = vec![1.5_f32; LENGTH];
    let (give_back, given_back) = channel();
    let start = stream.record_timed()?;
    stream.submit(move |submission| -> Result<(), DriverError> {
        // On host and sim there would be none.
        let Some(raw) = submission.native::<RawStream>() else { return Ok(()) };
        // SAFETY: it is a stream of this context; the wrapper, and all that is launched through it, ends with this call.
        let lent = unsafe { context.wrap_borrowed_stream(raw.as_ptr().cast()) };
        lent.memcpy_htod(&numbers, &mut slice)?;
        // The numbers have to stay until they are copied, and the slice is wanted outside.
        give_back.send((slice, numbers)).unwrap_or_default();
        Ok(())
    })?;
    let copied = stream.record_timed()?;

    copied.synchronize_timeout(Duration::from_secs(10))?;
    println!("{device}: 4 MiB copied by cudarc in {:.1?}", copied.elapsed_since(&start)?);
    let (slice, numbers) = given_back.recv()?;
    assert_eq!(own.clone_dtoh(&slice)?, numbers);
    println!("and they are there");
    Ok(())
}
