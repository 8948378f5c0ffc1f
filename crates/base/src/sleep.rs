//! How late a sleep of a thread may end: by 50 µs on Linux, unless the thread asks for less.

#[cfg(target_os = "linux")]
use std::num::NonZeroU64;

/// From now on sleeps of this thread end as soon after their time as the system can. For threads that sleep for tens of
/// microseconds; the timers of others are left to be put together. Does nothing where the system knows nothing of it.
pub fn end_sleeps_in_time() {
    #[cfg(target_os = "linux")]
    // Where it is refused, sleeps end as late as they do.
    let _refused = rustix::thread::set_current_timer_slack(Some(NonZeroU64::MIN));
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_asks_for_itself_alone() {
        let slack = || rustix::thread::current_timer_slack().unwrap_or_default();
        let before = slack();
        let sharp = thread::spawn(move || {
            end_sleeps_in_time();
            slack()
        });
        assert_eq!(sharp.join().unwrap_or_default(), 1);
        assert_eq!(slack(), before);
    }
}
