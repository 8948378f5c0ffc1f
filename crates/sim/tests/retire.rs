//! A resource outlives the function that uses it, although what is behind that function has failed already.
#![expect(
    clippy::expect_used,
    clippy::panic_in_result_fn,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use syncpoint::sim::Sim;
use syncpoint::{Device, Kind, Result, retire};

/// Longer than anything here takes, shorter than anybody waits for a test.
const DEADLINE: Duration = Duration::from_secs(10);

/// Tells of its end.
struct Resource {
    dropped: Arc<AtomicBool>,
    tell: std::sync::mpsc::Sender<()>,
}

impl Drop for Resource {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Release);
        self.tell.send(()).expect("the test listens");
    }
}

/// Shuts a device down while a function of its runs, and retires a resource with what is behind the function.
fn shut_down_beside_work(device: &Device) -> Result<()> {
    let (stream, dropped) = (device.stream()?, Arc::new(AtomicBool::new(false)));
    let ((begun, begins), (release, released), (tell, told)) = (channel(), channel(), channel());
    let (seen, (saw, sees)) = (Arc::clone(&dropped), channel());
    stream.enqueue(move || {
        begun.send(()).expect("the test listens");
        released.recv_timeout(DEADLINE).expect("the test goes on");
        saw.send(seen.load(Ordering::Acquire)).expect("the test listens");
    })?;
    stream.enqueue(|| ())?;
    let behind = stream.record()?;
    begins.recv_timeout(DEADLINE).expect("the function begins");
    let retirement = retire(Resource { dropped, tell }, [behind.clone()])?;
    let late = device.shutdown(Duration::from_millis(1)).expect_err("a function runs");
    assert_eq!(late.kind(), Kind::TimedOut);
    // The notifier comes to what a failure of the point has left it to do.
    for _ in 0..2 {
        let (done, waits) = channel();
        let gate = syncpoint::Gate::new();
        gate.open()?;
        let _notification = gate.point().notify(move |_| done.send(()).expect("it waits"))?;
        waits.recv_timeout(DEADLINE).expect("the notifier runs");
    }
    release.send(()).expect("the function waits");
    let was_dropped = sees.recv_timeout(DEADLINE).expect("the function goes on");
    assert!(!was_dropped, "{device}: dropped while the function ran");
    told.recv_timeout(DEADLINE).expect("the resource goes when the function has returned");
    assert!(behind.query().is_err() && retirement.holders().is_empty());
    Ok(())
}

#[test]
fn a_resource_outlives_a_function_of_the_host_that_a_shutdown_found_at_work() -> Result<()> {
    shut_down_beside_work(&syncpoint::open("host:0")?)
}

#[test]
fn a_resource_outlives_a_function_of_a_simulated_device_that_a_shutdown_found_at_work() -> Result<()>
{
    shut_down_beside_work(&Sim::builder().build().device(0)?)
}
