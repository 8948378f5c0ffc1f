//! The ends of threads, drivers and contexts: what becomes of objects whose maker, driver or device is gone.

mod fake;

use std::thread;
use std::time::Duration;

use syncpoint::{Device, Kind, Result};
use syncpoint_conformance::patience::{refused, settle, until};

use fake::Fake;

fn device() -> Result<Device> {
    syncpoint::cuda::open(0)
}

#[test]
fn a_driver_that_is_gone_is_told_to_calls_and_is_no_trouble_of_drops() {
    Fake::alone("a_driver_that_is_gone_is_told_to_calls_and_is_no_trouble_of_drops", |fake| {
        let device = device()?;
        let (stream, buffer, timed) = (device.stream()?, device.buffer(8)?, device.stream()?);
        let time = timed.record_timed()?;
        settle(&time);
        fake.script("deinitialized");
        let told = refused(stream.fill(&buffer, 0..8, 1), Kind::Unavailable);
        assert_eq!(told.code(), Some((4, "CUDA_ERROR_DEINITIALIZED")));
        let before = fake.count("*");
        drop((stream, buffer, timed, time, device));
        until("the ends of what was dropped", || fake.count("cuDevicePrimaryCtxRelease_v2") == 1);
        assert!(fake.count("*") > before);
        assert_eq!(syncpoint::cuda::unheard(), 0, "the driver took everything along");
        Ok(())
    });
}

#[test]
fn a_drop_that_meets_a_broken_context_is_silent_and_counted() {
    Fake::alone("a_drop_that_meets_a_broken_context_is_silent_and_counted", |fake| {
        let device = device()?;
        let (stream, other) = (device.stream()?, device.stream()?);
        settle(&stream.record()?);
        fake.script("break cuStreamDestroy_v2 1 700");
        drop(stream);
        until("the count of what a drop could not say", || syncpoint::cuda::unheard() == 1);
        let lost = refused(other.delay(Duration::from_micros(1)), Kind::DeviceLost);
        assert_eq!(lost.code(), Some((700, "CUDA_ERROR_ILLEGAL_ADDRESS")));
        // Nothing more is tried once it is known.
        let ends = fake.count("cuStreamDestroy_v2");
        drop((other, device));
        assert_eq!((fake.count("cuStreamDestroy_v2"), syncpoint::cuda::unheard()), (ends, 1));
        Ok(())
    });
}

#[test]
fn what_a_thread_has_made_outlives_it() {
    Fake::alone("what_a_thread_has_made_outlives_it", |_fake| {
        let made = thread::spawn(|| -> Result<_> {
            let device = device()?;
            let (stream, buffer) = (device.stream()?, device.buffer(8)?);
            let own = syncpoint::cuda::per_thread_stream(&device)?;
            own.fill(&buffer, 0..8, 1)?;
            let filled = own.record()?;
            stream.wait(&filled)?;
            Ok((stream.record_timed()?, stream, buffer, own, filled, device))
        });
        let (start, stream, buffer, own, filled, device) = made.join().unwrap()?;
        settle(&filled);
        assert_eq!(buffer.to_vec(0..8)?, [1; 8]);
        stream.fill(&buffer, 0..8, 2)?;
        let end = stream.record_timed()?;
        settle(&end);
        end.elapsed_since(&start)?;
        device.stream()?.wait(&filled)?;
        drop((own, stream, buffer, device));
        assert_eq!(syncpoint::cuda::unheard(), 0);
        Ok(())
    });
}

#[test]
fn memory_that_is_not_to_be_had_is_exhausted_and_leaves_nothing_half_made() {
    Fake::alone("memory_that_is_not_to_be_had_is_exhausted_and_leaves_nothing_half_made", |fake| {
        fake.keep(0);
        let device = device()?;
        let before = fake.alive("all");
        for function in ["cuMemAllocAsync", "cuStreamCreateWithPriority", "cuEventCreate"] {
            fake.script(&format!("fail {function} 1 2"));
            let made = device.buffer(8).map(drop).and_then(|()| {
                let stream = device.stream()?;
                stream.record_timed().map(drop)
            });
            let told = refused(made, Kind::Exhausted);
            assert!(told.message().contains(function), "{told}");
        }
        for function in ["cuMemHostGetDevicePointer_v2", "cuMemHostRegister_v2"] {
            fake.script(&format!("fail {function} 1 2"));
            let told = refused(device.host_buffer(8), Kind::Exhausted);
            assert!(told.message().contains(function), "{told}");
        }
        refused(device.host_buffer(1 << 60), Kind::Exhausted);
        drop(device);
        until("the end of what was whole", || fake.alive("all") == 1);
        assert!(before > 1, "the device has a stream");
        Ok(())
    });
}

#[test]
fn a_primary_context_is_given_back_as_often_as_it_was_taken() {
    Fake::alone("a_primary_context_is_given_back_as_often_as_it_was_taken", |fake| {
        fake.keep(0);
        let devices = [device()?, device()?, device()?];
        assert_eq!(fake.count("cuDevicePrimaryCtxRetain"), 4);
        let stream = devices[1].stream()?;
        drop(devices);
        until("two releases", || fake.count("cuDevicePrimaryCtxRelease_v2") == 2);
        settle(&stream.record()?);
        drop(stream);
        until("the third", || fake.count("cuDevicePrimaryCtxRelease_v2") == 3);
        assert_eq!(fake.alive("contexts"), 1, "somebody else has it");
        fake.call("cuDevicePrimaryCtxRelease_v2", 0, 0);
        assert_eq!(fake.alive("all"), 0);
        Ok(())
    });
}

#[test]
fn a_device_opened_and_closed_for_hours_leaves_nothing_in_a_context_that_others_keep() {
    let name = "a_device_opened_and_closed_for_hours_leaves_nothing_in_a_context_that_others_keep";
    Fake::alone(name, |fake| {
        fake.keep(0);
        for _ in 0..20 {
            let device =
                syncpoint::cuda::builder().device_gates(Duration::from_secs(60)).open(0)?;
            let (stream, buffer) = (device.stream()?, device.buffer(8)?);
            stream.delay(Duration::from_micros(1))?;
            buffer.write(0, &[1; 8])?;
            let time = stream.record_timed()?;
            settle(&time);
            time.timestamp()?;
        }
        until("the end of everything", || fake.alive("all") == 1);
        Ok(())
    });
}
