//! A device with several queues whose driver does not say that they share a clock.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]

mod between;
mod machine;
#[expect(dead_code, reason = "no queue is held here")]
mod several;

use std::time::Duration;

use syncpoint::Result;

use several::{QUEUES, queue_of, used_with_a_clock_each};

#[test]
fn where_nobody_says_that_queues_share_a_clock_one_of_them_is_used() -> Result<()> {
    if !used_with_a_clock_each() || !machine::is_there() {
        return Ok(());
    }
    let device = syncpoint::vulkan::open(0)?;
    let (first, start) = (device.stream()?, device.stream()?.record_timed()?);
    for _ in 0..2 * QUEUES {
        let stream = device.stream()?;
        assert_eq!(queue_of(&stream)?, queue_of(&first)?);
        stream.wait(&start)?;
        let end = stream.record_timed()?;
        end.synchronize_timeout(Duration::from_secs(20))?;
        end.elapsed_since(&start)?;
    }
    Ok(())
}
