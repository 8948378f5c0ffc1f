//! Random use of everything, for as long as is asked, and whether the process stays as small as it was.
//!
//! `cargo run --release -p syncpoint-conformance --bin soak -- --minutes 10 [--seed N] [--threads N]`. Several threads
//! do random acts through the public door, on the host, on simulated devices and on devices that come and go. Every
//! second a sample is taken of what the process has; at the end the medians of the second and of the last fifth are
//! compared. Ends with status 1 where something grew, a thread stood still, or an answer was wrong.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic_in_result_fn,
    clippy::unnecessary_wraps,
    reason = "a program that tells people what it found and stops where an answer is wrong; all acts look alike"
)]

mod actor;
mod acts;
mod belongings;
mod lives;
#[cfg(unix)]
mod others;
mod request;
mod sample;
mod settle;
mod verdict;

use std::fs;
use std::panic;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use syncpoint_conformance::allocation;

use actor::{Actor, Shared};
use request::Request;
use sample::Sample;

syncpoint_conformance::counting_allocator!();

/// Where the files lie that processes share: a folder of this run's own, so that nobody else's are counted.
const FOLDER: &str = "SYNCPOINT_IPC_DIR";

/// A thread that has not ended an act for so long stands still.
const STANDSTILL: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let Some(request) = Request::read() else {
        println!("{}", request::USAGE);
        return ExitCode::FAILURE;
    };
    let folder = format!("/dev/shm/syncpoint-soak-{}", std::process::id());
    match std::env::var(FOLDER) {
        Ok(folder) if folder.contains("syncpoint-soak") => soak(&request, &folder),
        _ => in_a_folder_of_its_own(&folder),
    }
}

/// Runs this program once more: a variable of a process cannot be set soundly once it has threads.
fn in_a_folder_of_its_own(folder: &str) -> ExitCode {
    fs::create_dir(folder).expect("memory can be shared");
    let program = std::env::current_exe().expect("this program has a path");
    let status = Command::new(program).args(std::env::args().skip(1)).env(FOLDER, folder).status();
    let left = fs::read_dir(folder).map_or(0, Iterator::count);
    fs::remove_dir_all(folder).ok();
    println!("files left behind in {folder}: {left}");
    let flat = status.is_ok_and(|status| status.success()) && left == 0;
    if flat { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn soak(request: &Request, folder: &str) -> ExitCode {
    println!(
        "seed {}, {} threads, {} s",
        request.seed,
        request.threads,
        request.duration.as_secs()
    );
    expect_panics_on_purpose();
    allocation::count();
    let shared = Arc::new(Shared::new(request.threads));
    let actors: Vec<JoinHandle<()>> = (0..request.threads)
        .map(|index| {
            let shared = Arc::clone(&shared);
            let seed = request.seed.wrapping_add(index as u64);
            thread::spawn(move || Actor::new(shared, index, seed).act())
        })
        .collect();
    let (samples, stood_still) = watch(request.duration, folder, &shared, &actors);
    if let Some(still) = stood_still {
        println!("{still}");
        return ExitCode::FAILURE;
    }
    shared.end();
    let panicked = actors.into_iter().map(JoinHandle::join).filter(Result::is_err).count();
    println!("{} acts, {} answered with an error", shared.acts(), shared.refused());
    let acts = shared.acts();
    settle::clear(&shared);
    drop(shared);
    println!("at the end, everything dropped: {}", settle::last_sample(folder, acts));
    let grew = verdict::print(&samples);
    if panicked > 0 {
        println!("{panicked} threads found a wrong answer");
    }
    if grew || panicked > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Work, callbacks and observers panic on purpose, and say so; other panics are told.
fn expect_panics_on_purpose() {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let payload = panic.payload();
        let owned = payload.downcast_ref().map(String::as_str);
        if owned.or_else(|| payload.downcast_ref().copied()) != Some(acts::ON_PURPOSE) {
            told(panic);
        }
    }));
}

/// Takes a sample a second until the end, or until a thread stands still.
fn watch(
    duration: Duration,
    folder: &str,
    shared: &Shared,
    actors: &[JoinHandle<()>],
) -> (Vec<Sample>, Option<String>) {
    let begin = Instant::now();
    let mut samples = Vec::with_capacity(usize::try_from(duration.as_secs()).unwrap_or(0));
    while begin.elapsed() < duration && !actors.iter().any(JoinHandle::is_finished) {
        // Time has to pass between two samples: this proves no order.
        thread::park_timeout(Duration::from_secs(1));
        samples.push(Sample::take(folder, shared.acts()));
        if samples.len() % 60 == 0 {
            println!("{:>4} s: {}", samples.len(), samples[samples.len() - 1]);
        }
        if let Some(still) = shared.stands_still(STANDSTILL) {
            return (samples, Some(still));
        }
    }
    (samples, None)
}
