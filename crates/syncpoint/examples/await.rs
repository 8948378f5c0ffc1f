//! Points as futures, on an executor of ten lines: any other does as well.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use syncpoint::{Kind, Result, current_stream, scope};

fn main() -> Result<()> {
    block_on(work())
}

async fn work() -> Result<()> {
    let device = syncpoint::open("host:0")?;
    let (download, compute) = (device.stream()?, Arc::new(device.stream()?));

    download.delay(Duration::from_millis(20))?;
    let downloaded = download.record()?;
    println!("downloading: complete is {}", downloaded.query()?);
    (&downloaded).await?; // this thread sleeps, or does other tasks, meanwhile
    println!("downloaded:  complete is {}", downloaded.query()?);
    assert!(downloaded.query()?);

    // A failure comes out of the await, with its cause and the place of the work that failed.
    compute.enqueue(|| Err::<(), _>("the disk is full"))?;
    match compute.record()?.await {
        Err(failure) if failure.kind() == Kind::Failed => println!("failed: {failure}"),
        other => panic!("the work failed, and yet the await gave {other:?}"),
    }
    compute.recover()?;

    // Inside a scope a stream is current, whichever thread polls the task.
    let found = scope(&compute, async { current_stream(&device) }).await?;
    assert_eq!(found, compute);
    println!("in its scope, {found} was current");
    Ok(())
}

/// Polls a future on this thread until it is ready, and sleeps between.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
