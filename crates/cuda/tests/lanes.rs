//! Lanes: many waits for one record of another process, waits that the driver refuses, and events that are dropped meanwhile.

#![cfg(target_os = "linux")]

mod fake;
mod sharing;

use syncpoint::{Gate, Kind, Result};
use syncpoint_conformance::other::{Other, go_on, play, say};
use syncpoint_conformance::patience::{
    PATIENCE, assert_held, failure_of, promptly, refused, settle, until,
};

use fake::Fake;
use sharing::{
    Mapped, mapped, recorded, records_behind_a_latch, shared, standing, waiting, with_gates,
};

#[test]
fn the_other_process() {
    play(&[
        ("records behind a latch", records_behind_a_latch),
        ("records twice", records_twice),
        ("loses its device", loses_its_device),
    ]);
}

#[test]
fn hundreds_of_streams_wait_for_one_record_and_no_call_blocks() {
    Fake::alone("hundreds_of_streams_wait_for_one_record_and_no_call_blocks", |fake| {
        let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
        let event = device.import_event(&handle)?;
        fake.script("queue = 300");
        let ends = promptly(move || {
            let streams = (0..200).map(|_| waiting(&device, &event)).collect::<Result<Vec<_>>>();
            streams.map(|streams| streams.into_iter().map(|(_, end, _)| end).collect::<Vec<_>>())
        })?;
        other.next();
        ends.iter().for_each(settle);
        other.end();
        Ok(())
    });
}

/// Both records stand before a latch.
fn records_twice() -> Result<()> {
    let (device, stream, gate) = standing()?;
    let (event, later) = (shared(&device)?, Gate::new());
    say(&event.export()?);
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    gate.open()?;
    event.synchronize_timeout(PATIENCE)?;
    stream.wait(&later.point())?;
    event.record(&stream)?;
    say(&"recorded again");
    go_on();
    later.open()?;
    go_on();
    Ok(())
}

/// A hundred waits are more than a device is given at once.
#[test]
fn waits_that_the_driver_refused_half_way_keep_none_from_the_device_later() {
    Fake::alone("waits_that_the_driver_refused_half_way_keep_none_from_the_device_later", |fake| {
        let (device, other) = (with_gates(6 * PATIENCE)?, Other::begin("records twice"));
        let event = device.import_event(&other.hear())?;
        other.hear::<String>();
        let refused = (0..100).map(|_| {
            fake.script("fail cuStreamWriteValue64_v2 1 801");
            waiting(&device, &event)
        });
        let refused = refused.collect::<Result<Vec<_>>>()?;
        other.next();
        for (_, end, _) in &refused {
            settle(end);
        }
        other.hear::<String>();
        let is_given = || waiting(&device, &event).is_ok_and(|(_, _, waits)| waits == 1);
        until("a wait on the device", is_given);
        other.next();
        other.end();
        Ok(())
    });
}

#[test]
fn an_event_that_is_dropped_as_the_device_waits_for_it_leaves_nothing() {
    Fake::alone("an_event_that_is_dropped_as_the_device_waits_for_it_leaves_nothing", |fake| {
        let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
        let event = device.import_event(&handle)?;
        let (stream, streams) = (device.stream()?, fake.alive("streams"));
        stream.wait_event(&event)?;
        drop(event);
        let end = stream.record()?;
        assert_held(&end);
        assert_eq!(fake.alive("streams"), streams + 1, "the device waits in a stream of its own");
        other.next();
        settle(&end);
        until("the end of that", || fake.alive("streams") == streams && mapped() == 0);
        assert_eq!(syncpoint::cuda::unheard(), 0);
        other.end();
        Ok(())
    });
}

#[test]
fn an_event_that_is_dropped_after_a_wait_was_refused_half_way_leaves_nothing() {
    Fake::alone(
        "an_event_that_is_dropped_after_a_wait_was_refused_half_way_leaves_nothing",
        |fake| {
            let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
            let event = device.import_event(&handle)?;
            let streams = fake.alive("streams") + 1;
            // The latch is given, and not what counts it.
            fake.script("fail cuStreamWriteValue64_v2 2 801");
            let (stream, end, waits) = waiting(&device, &event)?;
            assert_eq!(waits, 0, "it waits through the host");
            drop(event);
            other.next();
            settle(&end);
            until("the end of the lane", || fake.alive("streams") == streams && mapped() == 0);
            drop(stream);
            other.end();
            Ok(())
        },
    );
}

#[test]
fn a_wait_that_the_driver_had_no_room_for_keeps_none_from_the_device_later() {
    Fake::alone(
        "a_wait_that_the_driver_had_no_room_for_keeps_none_from_the_device_later",
        |fake| {
            let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
            let event = device.import_event(&handle)?;
            fake.script("fail cuMemHostRegister_v2 1 2");
            let (_first, first_end, waits) = waiting(&device, &event)?;
            assert_eq!(waits, 0, "it waits through the host");
            let (_second, second_end, waits) = waiting(&device, &event)?;
            assert_eq!(waits, 1);
            other.next();
            settle(&first_end);
            settle(&second_end);
            other.end();
            Ok(())
        },
    );
}

#[test]
fn a_lane_that_is_refused_again_and_again_keeps_nothing() {
    Fake::alone("a_lane_that_is_refused_again_and_again_keeps_nothing", |fake| {
        let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
        let event = device.import_event(&handle)?;
        // More than a block has words.
        for _ in 0..600 {
            fake.script("fail cuMemHostRegister_v2 1 2");
            device.stream()?.wait_event(&event)?;
        }
        let before = fake.count("cuMemHostRegister_v2");
        let (_stream, end, waits) = waiting(&device, &event)?;
        let registered = fake.count("cuMemHostRegister_v2") - before;
        assert_eq!((waits, registered), (1, 1), "the page, and no block of words more");
        other.next();
        settle(&end);
        other.end();
        Ok(())
    });
}

#[test]
fn a_mark_that_the_driver_refuses_before_a_wait_has_the_stream_wait_through_the_host() {
    Fake::alone(
        "a_mark_that_the_driver_refuses_before_a_wait_has_the_stream_wait_through_the_host",
        |fake| {
            let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
            let (event, stream) = (device.import_event(&handle)?, device.stream()?);
            stream.delay(PATIENCE / 100)?;
            fake.script("fail cuEventRecord 1 2");
            stream.wait_event(&event)?;
            let end = stream.record()?;
            assert_held(&end);
            other.next();
            settle(&end);
            other.end();
            Ok(())
        },
    );
}

/// The device never comes to the record.
fn loses_its_device() -> Result<()> {
    let device = with_gates(PATIENCE)?;
    let (event, stream) = (shared(&device)?, device.stream()?);
    say(&event.export()?);
    stream.delay(60 * PATIENCE)?;
    event.record(&stream)?;
    say(&"recorded");
    go_on();
    Fake::used().script("fail cuMemAllocAsync 1 719");
    refused(device.buffer(8), Kind::DeviceLost);
    go_on();
    Ok(())
}

#[test]
fn a_record_that_fails_with_its_device_leaves_no_lane_to_an_exporter_that_lives() {
    let name = "a_record_that_fails_with_its_device_leaves_no_lane_to_an_exporter_that_lives";
    Fake::alone(name, |fake| {
        let (device, other) = (with_gates(6 * PATIENCE)?, Other::begin("loses its device"));
        let event = device.import_event(&other.hear())?;
        other.hear::<String>();
        let (stream, streams) = (device.stream()?, fake.alive("streams"));
        stream.wait_event(&event)?;
        assert_eq!(fake.alive("streams"), streams + 1, "the device waits in a stream of its own");
        other.next();
        failure_of(&stream.record()?);
        drop(event);
        until("the end of that", || fake.alive("streams") == streams && mapped() == 0);
        other.end();
        Ok(())
    });
}

#[test]
fn a_wait_that_was_refused_half_way_leaves_no_lane_to_an_exporter_that_is_killed() {
    let name = "a_wait_that_was_refused_half_way_leaves_no_lane_to_an_exporter_that_is_killed";
    Fake::alone(name, |fake| {
        let (device, (other, handle)) = (with_gates(6 * PATIENCE)?, recorded());
        let event = device.import_event(&handle)?;
        let streams = fake.alive("streams") + 1;
        // The lane waits for the word, and is not told to open the latch.
        fake.script("fail cuStreamWriteValue64_v2 1 801");
        let (stream, end, waits) = waiting(&device, &event)?;
        assert_eq!(waits, 0, "it waits through the host");
        drop(event);
        other.kill();
        failure_of(&end);
        until("the end of the lane", || fake.alive("streams") == streams && mapped() == 0);
        assert!(stream.recover()?.is_some());
        settle(&stream.record()?);
        Ok(())
    });
}

/// Of records that have failed the other device may write the word of an earlier one late, and come no further.
#[test]
fn a_lane_that_was_let_go_does_not_stand_again_as_the_other_device_writes_less_over_that() {
    let name =
        "a_lane_that_was_let_go_does_not_stand_again_as_the_other_device_writes_less_over_that";
    Fake::alone(name, |fake| {
        let (device, other) = (with_gates(6 * PATIENCE)?, Other::begin("loses its device"));
        let event = device.import_event(&other.hear())?;
        other.hear::<String>();
        let (stream, streams, page) = (device.stream()?, fake.alive("streams"), Mapped::open());
        // The lane does not come to its wait until the release.
        fake.script("stall 1");
        stream.wait_event(&event)?;
        other.next();
        failure_of(&stream.record()?);
        until("the lane is let go", || page.first_word() == 1);
        page.write_first_word(0);
        until("it is let go again", || page.first_word() == 1);
        drop(event);
        page.write_first_word(0);
        other.kill();
        fake.script("release");
        until("the end of the lane", || fake.alive("streams") == streams && mapped() == 0);
        Ok(())
    });
}
