//! The ways to wait, told apart by what the system says of the thread that waits.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::time::Duration;

use syncpoint::{Gate, Kind, Wait};
use syncpoint_conformance::patience::refused;

/// What the system counts of a thread.
#[derive(Debug)]
struct Usage {
    /// How long it ran.
    ran: Duration,
    /// How long it was about to, while others had its core.
    queued: Duration,
    /// How often it went to sleep.
    sleeps: u64,
    /// Ticks in the program and in the kernel.
    ticks: [u64; 2],
}

impl Usage {
    fn of_this_thread() -> Self {
        let times = numbers("/proc/thread-self/schedstat");
        let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
        // The name may have blanks; what follows it is counted from the third field.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        Self {
            ran: Duration::from_nanos(times[0]),
            queued: Duration::from_nanos(times[1]),
            sleeps: status("voluntary_ctxt_switches:"),
            ticks: [11, 12].map(|field| fields[field].parse().unwrap()),
        }
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            ran: self.ran.saturating_sub(before.ran),
            queued: self.queued.saturating_sub(before.queued),
            sleeps: self.sleeps - before.sleeps,
            ticks: [0, 1].map(|field| self.ticks[field] - before.ticks[field]),
        }
    }
}

fn numbers(path: &str) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap();
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().parse().unwrap()
}

/// What a wait that runs out after this long does meanwhile.
fn usage(wait: Wait, length: Duration) -> Usage {
    let gate = Gate::new();
    let before = Usage::of_this_thread();
    refused(gate.point().synchronize_with(wait, Some(length)), Kind::TimedOut);
    Usage::of_this_thread().since(&before)
}

/// Tries a few times: a machine that has much else to do keeps threads from what they would do.
#[track_caller]
fn assert_once(wait: Wait, length: Duration, is_so: impl Fn(&Usage) -> bool) {
    let seen: Vec<_> =
        (0..10).map(|_| usage(wait, length)).take_while(|usage| !is_so(usage)).collect();
    assert!(seen.len() < 10, "{wait:?} for {length:?}: {seen:?}");
}

const LENGTH: Duration = Duration::from_millis(120);

#[test]
fn who_spins_or_yields_never_sleeps() {
    for wait in [Wait::Spin, Wait::Yield] {
        assert_once(wait, LENGTH, |usage| {
            usage.sleeps == 0 && usage.ran + usage.queued > LENGTH * 9 / 10
        });
    }
}

#[test]
fn who_blocks_sleeps_in_slices_of_fifty_milliseconds() {
    for wait in [Wait::Block, Wait::NoHelp, Wait::Adaptive] {
        // Fifty, fifty and twenty; a lock of the process may add one.
        assert_once(wait, LENGTH, |usage| (3..5).contains(&usage.sleeps) && usage.ran < LENGTH / 4);
    }
}

#[test]
fn who_yields_is_in_the_kernel_most_of_the_time_and_who_spins_in_the_program() {
    // Long enough for the ticks of 10 ms.
    let length = 4 * LENGTH;
    assert_once(Wait::Yield, length, |usage| usage.ticks[1] > usage.ticks[0]);
    assert_once(Wait::Spin, length, |usage| usage.ticks[0] > 4 * usage.ticks[1]);
}
