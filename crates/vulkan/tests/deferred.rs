//! Waits for other streams go to the device with what is submitted next, and by themselves for who asks for them alone.

#![cfg(target_os = "linux")]
#![expect(clippy::panic_in_result_fn, reason = "a test that cannot go on fails")]
#![expect(unsafe_code, reason = "commands of the user's are submitted: none")]

mod between;
mod machine;
#[expect(dead_code, reason = "the queues are our own")]
mod witness;

use std::sync::Arc;
use std::time::Duration;

use syncpoint::vulkan::RawStream;
use syncpoint::{Buffer, Device, Result, Stream};
use syncpoint_conformance::patience::until;

use witness::{Submission, Turn};

/// Longer than any of this takes.
const LONG: Duration = Duration::from_secs(20);

/// So many bytes that a fill of them is not over when it is first asked for.
const LARGE: u64 = 32 << 20;

/// A stream, and others for which it waits, each with what it fills.
struct Bed {
    stream: Arc<Stream>,
    buffer: Buffer,
    others: Vec<(Stream, Buffer)>,
    /// Behind the streams, whose ends may submit.
    turn: Turn,
}

/// So many others; `None` where there is no driver, or no witness before it.
fn bed(others: usize) -> Result<Option<Bed>> {
    let Some(turn) = Turn::come() else { return Ok(None) };
    let device: Device = syncpoint::vulkan::open(0)?;
    let filling = || Ok((device.stream()?, device.buffer(8)?));
    let (stream, buffer) = filling()?;
    let others = (0..others).map(|_| filling()).collect::<Result<_>>()?;
    Ok(Some(Bed { stream: Arc::new(stream), buffer, others, turn }))
}

impl Bed {
    /// Each of the others fills, and the stream waits for all of them.
    fn wait(&self) -> Result<()> {
        self.others.iter().try_for_each(|(other, buffer)| {
            other.fill(buffer, 0..8, 1)?;
            self.stream.wait(&other.record()?)
        })
    }

    /// What is submitted by `run`, behind the fills of the others.
    fn submitted(&self, run: impl FnOnce(&Self) -> Result<()>) -> Result<Submitted> {
        let mut outcome = Ok(());
        let heard = self.turn.heard(|| outcome = self.wait().and_then(|()| run(self)));
        outcome?;
        assert_eq!(heard.offences, [""; 0]);
        let mut fills = heard.submissions;
        let behind = fills.split_off(self.others.len());
        Ok(Submitted { fills, behind })
    }
}

struct Submitted {
    fills: Vec<Submission>,
    behind: Vec<Submission>,
}

impl Submitted {
    /// Nothing was submitted but one, which waits for all of the others' fills.
    #[track_caller]
    fn assert_one(&self) {
        let [only] = &self.behind[..] else { panic!("{:?}", self.behind) };
        let signals: Vec<_> = self.fills.iter().flat_map(|fill| fill.signals.clone()).collect();
        assert_eq!(only.waits, signals);
    }
}

#[test]
fn waits_for_several_streams_go_with_the_next_work() -> Result<()> {
    let Some(bed) = bed(3)? else { return Ok(()) };
    let submitted = bed.submitted(|bed| {
        bed.stream.fill(&bed.buffer, 0..8, 2)?;
        bed.stream.synchronize_timeout(LONG)
    })?;
    submitted.assert_one();
    Ok(())
}

#[test]
fn of_two_waits_for_one_stream_the_later_goes() -> Result<()> {
    let Some(bed) = bed(1)? else { return Ok(()) };
    let submitted = bed.submitted(|bed| {
        bed.wait()?;
        bed.stream.fill(&bed.buffer, 0..8, 2)?;
        bed.stream.synchronize_timeout(LONG)
    })?;
    let [later, work] = &submitted.behind[..] else { panic!("{:?}", submitted.behind) };
    assert_eq!(work.waits, later.signals);
    Ok(())
}

#[test]
fn a_record_submits_what_is_waited_for() -> Result<()> {
    let Some(bed) = bed(2)? else { return Ok(()) };
    let submitted = bed.submitted(|bed| {
        let point = bed.stream.record()?;
        bed.stream.record()?;
        point.synchronize_timeout(LONG)
    })?;
    submitted.assert_one();
    Ok(())
}

#[test]
fn a_host_that_sleeps_for_a_wait_has_it_submitted() -> Result<()> {
    let Some(bed) = bed(2)? else { return Ok(()) };
    bed.submitted(|bed| bed.stream.synchronize_timeout(LONG))?.assert_one();
    Ok(())
}

/// From host work of the device too, which may keep the one thread that would make a mark.
#[test]
fn queries_of_a_stream_see_the_end_of_its_wait_and_submit_nothing() -> Result<()> {
    let Some(bed) = bed(2)? else { return Ok(()) };
    let submitted = bed.submitted(|bed| {
        let stream = Arc::clone(&bed.stream);
        let host = &bed.others[0].0;
        host.enqueue(move || {
            until("the end of the wait", || stream.query().expect("nothing fails"));
        })?;
        host.synchronize_timeout(LONG)?;
        assert!(bed.stream.query()?);
        Ok(())
    })?;
    assert!(submitted.behind.is_empty(), "{:?}", submitted.behind);
    Ok(())
}

#[test]
fn a_query_behind_a_wait_sees_commands_of_the_users_that_nothing_marks() -> Result<()> {
    let Some(bed) = bed(2)? else { return Ok(()) };
    let [(awaited, buffer), (slow, _)] = &bed.others[..] else { panic!("two") };
    let large = slow.device().buffer(LARGE)?;
    awaited.fill(buffer, 0..8, 1)?;
    (0..20).try_for_each(|_| slow.fill(&large, 0..LARGE, 1))?;
    let over = slow.record()?;
    bed.stream.submit(|lent| {
        let raw = lent.native::<RawStream>().expect("a stream of Vulkan lends one");
        // SAFETY: no commands.
        unsafe { raw.submit(&[]) }.expect("there is room");
        Err::<(), _>("no kernel")
    })?;
    assert!(bed.stream.recover()?.is_some());
    bed.stream.wait(&awaited.record()?)?;
    until("the end of the wait", || bed.stream.query().expect("nothing fails"));
    // Behind which the queue has the user's commands.
    assert!(over.query()?);
    Ok(())
}

/// So far apart may be what a semaphore is at and what a submission names.
const MOST: u64 = 4;

/// One stream waits for another's first value, and works once that is further ahead than a submission may say.
fn wait_far_behind(
    waits: &Stream,
    ahead: &Stream,
    [large, small, other]: &[Buffer; 3],
) -> Result<()> {
    ahead.fill(large, 0..LARGE, 1)?;
    waits.wait(&ahead.record()?)?;
    for _ in 0..MOST + 2 {
        ahead.fill(small, 0..8, 1)?;
        ahead.synchronize_timeout(LONG)?;
    }
    waits.fill(other, 0..8, 2)?;
    waits.synchronize_timeout(LONG)
}

/// It has come, or its stream could not be so far ahead.
#[test]
fn a_wait_for_a_value_that_lies_far_behind_is_left_out() -> Result<()> {
    let Some(turn) = Turn::come() else { return Ok(()) };
    let device = syncpoint::vulkan::open_with_difference(0, MOST)?;
    let (waits, ahead) = (device.stream()?, device.stream()?);
    let buffers = [device.buffer(LARGE)?, device.buffer(8)?, device.buffer(8)?];
    // A machine in a hiccup finds it over before it is waited for.
    until("a wait that is taken", || {
        let (before, mut outcome) = (waits.statistics().elided, Ok(()));
        let heard = turn.heard(|| outcome = wait_far_behind(&waits, &ahead, &buffers));
        assert!(heard.offences.is_empty() && outcome.is_ok(), "{:?}, {outcome:?}", heard.offences);
        let [first, .., last] = &heard.submissions[..] else { panic!("{heard:?}") };
        let is_named =
            |(semaphore, _): &_| first.signals.iter().any(|(other, _)| other == semaphore);
        assert!(!last.waits.iter().any(is_named), "{last:?}");
        assert_eq!(heard.submissions.len() as u64, MOST + 4, "and no mark took it along");
        waits.statistics().elided == before
    });
    Ok(())
}

#[test]
fn a_wait_that_a_query_saw_the_end_of_is_waited_for_as_any_other() -> Result<()> {
    let Some(bed) = bed(1)? else { return Ok(()) };
    let submitted = bed.submitted(|bed| {
        until("the end of the wait", || bed.stream.query().expect("nothing fails"));
        let end = bed.stream.record()?;
        let (other, buffer) = &bed.others[0];
        other.wait(&end)?;
        other.fill(buffer, 0..8, 3)?;
        other.synchronize_timeout(LONG)?;
        end.synchronize_timeout(LONG)
    })?;
    assert_eq!(submitted.behind.len(), 1, "the fill alone: {:?}", submitted.behind);
    Ok(())
}

#[test]
fn commands_of_the_users_wait_for_other_streams() -> Result<()> {
    let Some(bed) = bed(2)? else { return Ok(()) };
    let mut submitted = bed.submitted(|bed| {
        bed.stream.submit(|lent| {
            let raw = lent.native::<RawStream>().expect("a stream of Vulkan lends one");
            // SAFETY: no commands.
            unsafe { raw.submit(&[]) }
        })?;
        bed.stream.synchronize_timeout(LONG)
    })?;
    // A mark comes behind them.
    submitted.behind.truncate(1);
    submitted.assert_one();
    Ok(())
}

#[test]
fn a_wait_for_many_streams_is_a_few_submissions_and_names_each_once() -> Result<()> {
    let Some(bed) = bed(20)? else { return Ok(()) };
    let submitted = bed.submitted(|bed| {
        bed.stream.fill(&bed.buffer, 0..8, 2)?;
        bed.stream.synchronize_timeout(LONG)
    })?;
    // Some of the waits were submitted between the fills.
    let all: Vec<_> = submitted.fills.iter().chain(&submitted.behind).collect();
    assert_eq!(all.len(), 20 + 4, "three of six waits, and the work with the rest");
    let named = all.iter().map(|given| given.waits.len()).sum::<usize>();
    assert_eq!(named, 20 + 3, "each other, and the own value before");
    Ok(())
}
