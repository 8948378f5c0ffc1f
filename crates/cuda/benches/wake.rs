//! How late a wait hears of work that is over, and what the poller costs meanwhile.
//!
//! `cargo bench -p syncpoint-cuda --bench wake`, on the stand-in driver, or on the one that `SYNCPOINT_CUDA_LIBRARY` names. The
//! stand-in notes the end of the work by the host's clock, a device by its own; what lies between that and the thread
//! that waits is the poller and two wakes, and the few calls before the work. The two last lines are of no syncpoint:
//! what a wake and a sleep take on this machine.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench tells, and stops where it cannot"
)]

use std::future::IntoFuture;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use syncpoint::{Device, Point, Stream};

fn main() {
    if std::env::var_os("SYNCPOINT_CUDA_LIBRARY").is_none() {
        let path = syncpoint_cuda_fake::library();
        syncpoint::cuda::use_library(&path).expect("nothing else was used");
    }
    let device = syncpoint::open("cuda:0").expect("the driver has a device");
    println!(
        "{:>10} {:>10} {:>10} {:>10} {:>12}",
        "work", "times", "p50 late", "p99 late", "poller"
    );
    for (work, times) in [(0, 2000), (10, 2000), (20, 2000), (1000, 300), (100_000, 50)] {
        row(&device, Duration::from_micros(work), times);
    }
    wakes(2000);
    sleeps(500);
}

fn row(device: &Device, work: Duration, times: usize) {
    let stream = device.stream().expect("a stream");
    one(&stream, work);
    let (begin, busy) = (Instant::now(), poller_time());
    let late = (0..times).map(|_| one(&stream, work)).collect();
    let share = poller_time().saturating_sub(busy).as_secs_f64() / begin.elapsed().as_secs_f64();
    let [half, most] = quantiles(late);
    println!("{work:>10.1?} {times:>10} {half:>10.1?} {most:>10.1?} {:>10.1} %", share * 100.0);
}

/// The median, and what 99 of 100 are below.
fn quantiles(mut late: Vec<Duration>) -> [Duration; 2] {
    late.sort_unstable();
    [late.len() / 2, late.len() * 99 / 100].map(|index| late[index])
}

/// How late a thread that is parked hears of another, which computes for a while first.
fn wakes(times: usize) {
    let (parked, told) = (thread::current(), Arc::new(Mutex::new(None)));
    let (ask, asked) = mpsc::channel();
    let tells = Arc::clone(&told);
    let other = thread::spawn(move || {
        for () in asked {
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_micros(100) {}
            *tells.lock().expect("nobody panics") = Some(Instant::now());
            parked.unpark();
        }
    });
    let late = (0..times).map(|_| {
        ask.send(()).expect("the other is there");
        loop {
            thread::park();
            if let Some(at) = told.lock().expect("nobody panics").take() {
                return at.elapsed();
            }
        }
    });
    let [half, most] = quantiles(late.collect());
    println!("a parked thread hears of another: p50 {half:.1?} late, p99 {most:.1?}");
    drop(ask);
    other.join().expect("the other has ended");
}

/// What the system computes for a thread that sleeps as long as the poller at last.
fn sleeps(times: u32) {
    let (begin, busy) = (Instant::now(), computed("/proc/thread-self".as_ref()));
    for _ in 0..times {
        thread::park_timeout(Duration::from_micros(800));
    }
    let each = computed("/proc/thread-self".as_ref()).saturating_sub(busy) / times;
    let share = each.as_secs_f64() / (begin.elapsed() / times).as_secs_f64();
    println!("a sleep of 0.8 ms: {each:.1?} of a core, {:.1} %", share * 100.0);
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

/// What the poller has computed so far.
fn poller_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of_poller = tasks.map(|task| task.path()).filter(|task| {
        std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "syncpoint-cuda")
    });
    of_poller.map(|task| computed(&task)).sum()
}

/// What a thread has computed so far, by the system's account.
fn computed(task: &Path) -> Duration {
    let text = std::fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}
