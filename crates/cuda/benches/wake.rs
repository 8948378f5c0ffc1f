//! How late a wait hears of work that is over, and what the poller costs meanwhile, on the stand-in driver.
//!
//! `cargo bench -p syncpoint-cuda --bench wake`. The stand-in notes the end of the work by the host's clock; what lies
//! between that and the thread that waits is the poller and two wakes, and the few calls before the work.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench tells, and stops where it cannot"
)]

use std::future::IntoFuture;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use syncpoint::{Device, Point, Stream};

fn main() {
    let path = syncpoint_cuda_fake::library();
    syncpoint::cuda::use_library(&path).expect("nothing else was used");
    let device = syncpoint::open("cuda:0").expect("the stand-in has a device");
    println!(
        "{:>10} {:>10} {:>10} {:>10} {:>12}",
        "work", "times", "p50 late", "p99 late", "poller"
    );
    for (work, times) in [(0, 2000), (10, 2000), (20, 2000), (1000, 300), (100_000, 50)] {
        row(&device, Duration::from_micros(work), times);
    }
}

fn row(device: &Device, work: Duration, times: usize) {
    let stream = device.stream().expect("a stream");
    one(&stream, work);
    let (begin, busy) = (Instant::now(), poller_time());
    let mut late: Vec<Duration> = (0..times).map(|_| one(&stream, work)).collect();
    let share = poller_time().saturating_sub(busy).as_secs_f64() / begin.elapsed().as_secs_f64();
    late.sort_unstable();
    let [half, most] = [times / 2, times * 99 / 100].map(|index| late[index]);
    println!("{work:>10.1?} {times:>10} {half:>10.1?} {most:>10.1?} {:>10.1} %", share * 100.0);
}

/// How late one wait hears of the end, which the stand-in notes by the host's clock.
fn one(stream: &Stream, work: Duration) -> Duration {
    let begin = Instant::now();
    let start = stream.record_timed().expect("a point");
    stream.delay(work).expect("a delay");
    let end = stream.record_timed().expect("a point");
    block_on(&end);
    let heard = begin.elapsed();
    heard.saturating_sub(end.elapsed_since(&start).expect("a time"))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(point: &Point) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut context, mut future) = (Context::from_waker(&waker), pin!(point.into_future()));
    while future.as_mut().poll(&mut context).is_pending() {
        thread::park();
    }
}

/// What the poller has computed so far, by the system's account.
fn poller_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of_poller = tasks.filter(|task| {
        std::fs::read_to_string(task.path().join("comm"))
            .is_ok_and(|name| name.trim() == "syncpoint-cuda")
    });
    let nanos = of_poller.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}
