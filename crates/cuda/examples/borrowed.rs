//! A stream of cudarc borrowed: what cudarc launches on it is timed, awaited and ordered by us.
#![expect(clippy::print_stdout, clippy::panic_in_result_fn, reason = "an example shows and checks")]
#![expect(unsafe_code, reason = "that a stream of others lives only its owner can say")]

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use cudarc::driver::CudaContext;

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
    // The primary context of the device, which ours is, too.
    let theirs = CudaContext::new(0)?.new_stream()?;
    // SAFETY: cudarc's stream lives as long as its owner, which is given along.
    let stream = unsafe {
        syncpoint::cuda::borrow(&device, theirs.cu_stream().cast(), Arc::clone(&theirs))
    }?;

    let numbers = vec![2.5_f32; LENGTH];
    let start = stream.record_timed()?;
    let slice = theirs.clone_htod(&numbers)?;
    let copied = stream.record_timed()?;

    // Another device waits for it: host work that begins once cudarc's copy is done.
    let beside = syncpoint::open("host:0")?.stream()?;
    beside.wait(&copied)?;
    beside.enqueue(|| println!("a stream of the host goes on behind the copy"))?;
    beside.synchronize()?;

    block_on(&copied)?; // this thread sleeps, or does other tasks, meanwhile
    println!("{device}: 4 MiB copied by cudarc in {:.1?}", copied.elapsed_since(&start)?);
    assert_eq!(theirs.clone_dtoh(&slice)?, numbers);
    println!("and they are there");
    Ok(())
}

/// Polls a future on this thread until it is ready, and sleeps between. Any executor does as well.
fn block_on<F: IntoFuture>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future.into_future());
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
