//! Who is who: over each stream of the driver's there is one of ours, whichever device it came here with.

mod fake;

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use syncpoint::cuda::{builder, expose, legacy_stream, open, per_thread_stream};
use syncpoint::{Error, Gate, Kind, Mode};
use syncpoint_conformance::patience::{PATIENCE, failure_of, heard, refused, settle, until};

use fake::{Fake, Green};

#[test]
fn a_stream_taken_in_through_two_devices_over_one_context_is_the_same() {
    Fake::alone("a_stream_taken_in_through_two_devices_over_one_context_is_the_same", |fake| {
        let (first, second) = (open(0)?, open(0)?);
        let made = fake.make_stream(0);
        let handle = made.again();
        let stream = fake.borrow(&first, made)?;
        assert!(Arc::ptr_eq(&stream, &fake.borrow_unowned(&second, handle)?));
        assert!(Arc::ptr_eq(&legacy_stream(&first)?, &legacy_stream(&second)?));
        let own = per_thread_stream(&first)?;
        assert!(Arc::ptr_eq(&own, &per_thread_stream(&second)?));
        assert_eq!((stream.device(), own.device()), (&first, &first), "as it came first");
        let id = stream.id();
        drop(stream);
        let anew = fake.borrow(&second, fake.make_stream(0))?;
        assert_ne!(anew.id(), id);
        assert_eq!(anew.device(), &second);
        Ok(())
    });
}

#[test]
fn without_the_drivers_ids_a_stream_is_known_by_its_address() {
    if std::env::var_os("SYNCPOINT_TEST_ALONE").is_some() {
        Fake::without("cuStreamGetId");
    }
    Fake::alone("without_the_drivers_ids_a_stream_is_known_by_its_address", |fake| {
        let (first, second, made) = (open(0)?, open(0)?, fake.make_stream(0));
        let handle = made.again();
        let stream = fake.borrow(&first, made)?;
        assert!(Arc::ptr_eq(&stream, &fake.borrow_unowned(&second, handle)?));
        assert_ne!(stream, legacy_stream(&first)?);
        assert_eq!(fake.count("cuStreamGetId"), 0);
        Ok(())
    });
}

#[test]
fn a_driver_that_does_not_say_this_time_which_stream_it_is_makes_none_of_two() {
    let name = "a_driver_that_does_not_say_this_time_which_stream_it_is_makes_none_of_two";
    Fake::alone(name, |fake| {
        let (device, made) = (open(0)?, fake.make_stream(0));
        let handle = made.again();
        let stream = fake.borrow(&device, made)?;
        for function in ["cuStreamGetId", "cuCtxGetId"] {
            fake.script(&format!("fail {function} 1 999"));
            let told = refused(fake.borrow_unowned(&device, handle), Kind::Driver);
            assert!(told.message().contains(function), "{told}");
            fake.script(&format!("fail {function} 1 999"));
            refused(legacy_stream(&device), Kind::Driver);
        }
        assert!(Arc::ptr_eq(&stream, &fake.borrow_unowned(&device, handle)?));
        Ok(())
    });
}

#[test]
fn a_stream_that_was_given_out_is_the_same_when_it_is_taken_in() {
    Fake::alone("a_stream_that_was_given_out_is_the_same_when_it_is_taken_in", |fake| {
        let (first, second) = (open(0)?, open(0)?);
        let stream = first.stream()?;
        let handle = expose(&stream)?.as_ptr().addr();
        let taken_in = fake.borrow_unowned(&second, handle)?;
        assert_eq!((&*taken_in, taken_in.device()), (&stream, &first));
        assert_eq!(taken_in.mode(), Mode::Exposed);
        assert!(Arc::ptr_eq(&taken_in, &fake.borrow_unowned(&first, handle)?));
        stream.submit(|_| Err(Error::unsupported("on purpose")))?;
        failure_of(&taken_in.record()?);
        assert!(taken_in.recover()?.is_some());
        drop(stream);
        taken_in.delay(Duration::from_micros(1))?;
        settle(&taken_in.record()?);
        let again = fake.borrow_unowned(&second, handle)?;
        assert!(Arc::ptr_eq(&taken_in, &again));
        drop((taken_in, again, first, second));
        until("the end of everything", || fake.alive("all") == 0);
        Ok(())
    });
}

#[test]
fn a_stream_of_which_the_driver_does_not_say_which_it_is_is_not_given_out() {
    let name = "a_stream_of_which_the_driver_does_not_say_which_it_is_is_not_given_out";
    Fake::alone(name, |fake| {
        let stream = open(0)?.stream()?;
        fake.script("fail cuStreamGetId 1 999");
        let told = refused(expose(&stream), Kind::Driver);
        assert!(told.message().contains("cuStreamGetId"), "{told}");
        assert_eq!(stream.mode(), Mode::Managed);
        expose(&stream)?;
        assert_eq!(stream.mode(), Mode::Exposed);
        Ok(())
    });
}

#[test]
fn a_device_opened_anew_after_a_loss_has_streams_of_its_own() {
    Fake::alone("a_device_opened_anew_after_a_loss_has_streams_of_its_own", |fake| {
        let device = open(0)?;
        let (lost, own) = (legacy_stream(&device)?, device.stream()?);
        fake.reset_device(0);
        refused(own.delay(Duration::from_micros(1)), Kind::DeviceLost);
        let anew = legacy_stream(&open(0)?)?;
        assert_ne!(lost, anew);
        anew.delay(Duration::from_micros(1))?;
        settle(&anew.record()?);
        Ok(())
    });
}

#[test]
fn a_shared_stream_ends_with_its_device_and_is_anothers_when_it_is_asked_for_again() {
    let name = "a_shared_stream_ends_with_its_device_and_is_anothers_when_it_is_asked_for_again";
    Fake::alone(name, |fake| {
        let (first, second, made) = (open(0)?, open(0)?, fake.make_stream(0));
        let handle = made.again();
        let streams = [legacy_stream(&first)?, fake.borrow(&first, made)?];
        first.shutdown(PATIENCE)?;
        for ended in &streams {
            refused(ended.delay(Duration::from_micros(1)), Kind::Failed);
        }
        refused(legacy_stream(&first), Kind::Unavailable);
        for device in [second, open(0)?] {
            let again = [legacy_stream(&device)?, fake.borrow_unowned(&device, handle)?];
            for (stream, ended) in again.iter().zip(&streams) {
                assert_ne!(stream, ended);
                stream.delay(Duration::from_micros(1))?;
                settle(&stream.record()?);
            }
            device.shutdown(PATIENCE)?;
        }
        Ok(())
    });
}

#[test]
fn a_device_that_a_stream_brought_and_that_was_shut_down_is_brought_anew() {
    Fake::alone("a_device_that_a_stream_brought_and_that_was_shut_down_is_brought_anew", |fake| {
        fake.script("devices=2");
        let (device, made, other) = (open(0)?, fake.make_stream(1), fake.make_stream(1));
        let handle = made.again();
        let ended = fake.borrow(&device, made)?;
        ended.device().shutdown(PATIENCE)?;
        for stream in [fake.borrow(&device, other)?, fake.borrow_unowned(&device, handle)?] {
            assert_ne!(stream.device(), ended.device());
            stream.delay(Duration::from_micros(1))?;
            settle(&stream.record()?);
        }
        Ok(())
    });
}

/// Tells when it is dropped, and what it keeps goes then.
struct Told<T>(Sender<()>, T);

impl<T> Drop for Told<T> {
    fn drop(&mut self) {
        self.0.send(()).unwrap_or(());
    }
}

#[test]
fn a_stream_of_another_context_brings_a_device_of_its_own() {
    Fake::alone("a_stream_of_another_context_brings_a_device_of_its_own", |fake| {
        fake.script("devices=2");
        let (device, (sender, receiver)) = (open(0)?, channel());
        let (made, other) = (fake.make_stream(1), fake.make_stream(1));
        let handle = made.again();
        let stream = fake.borrow_with(&device, handle, Told(sender, made))?;
        let brought = stream.device().clone();
        assert!(brought.name().starts_with("cuda:1 context "), "{brought}");
        let other = fake.borrow(&device, other)?;
        assert_eq!(other.device(), &brought, "one for the streams of a context");
        assert!(Arc::ptr_eq(&stream, &fake.borrow_unowned(&open(1)?, handle)?));
        let buffer = brought.buffer(8)?;
        stream.fill(&buffer, 0..8, 6)?;
        other.wait(&stream.record()?)?;
        device.stream()?.wait(&other.record()?)?;
        settle(&other.record()?);
        drop((stream, other, brought));
        assert!(receiver.try_recv().is_err(), "the buffer is of the context");
        assert_eq!(buffer.to_vec(0..8)?, [6; 8]);
        drop(buffer);
        heard(&receiver, "the end of the owner");
        until("the end of what was ours", || fake.alive("streams") == 1);
        Ok(())
    });
}

#[test]
fn taking_in_a_stream_of_a_context_that_is_broken_breaks_no_other() {
    Fake::alone("taking_in_a_stream_of_a_context_that_is_broken_breaks_no_other", |fake| {
        fake.script("devices=2");
        let (device, theirs) = (open(0)?, fake.make_stream(1));
        let stream = device.stream()?;
        for function in ["cuStreamIsCapturing", "cuStreamGetCtx", "cuCtxGetId"] {
            fake.script(&format!("fail {function} 1 719"));
            let told = refused(fake.borrow_unowned(&device, theirs.again()), Kind::DeviceLost);
            assert!(told.message().contains(function), "{told}");
            stream.delay(Duration::from_micros(1))?;
            settle(&stream.record()?);
        }
        assert_ne!(fake.borrow(&device, theirs)?.device(), &device);
        Ok(())
    });
}

#[test]
fn who_takes_a_stream_in_is_the_first_to_hear_that_the_context_of_the_device_is_broken() {
    let name =
        "who_takes_a_stream_in_is_the_first_to_hear_that_the_context_of_the_device_is_broken";
    Fake::alone(name, |fake| {
        let (device, theirs) = (open(0)?, fake.make_stream(0));
        fake.make_current(0);
        fake.script("break cuCtxSynchronize 1 719");
        assert_eq!(fake.call("cuCtxSynchronize", 0, 0), 719, "others break it");
        let first = refused(fake.borrow_unowned(&device, theirs.again()), Kind::DeviceLost);
        assert!(refused(device.stream(), Kind::DeviceLost).is_same(&first), "{first}");
        Ok(())
    });
}

#[test]
fn a_stream_of_a_green_context_brings_one_too_with_gates_where_they_were_asked_for() {
    let name = "a_stream_of_a_green_context_brings_one_too_with_gates_where_they_were_asked_for";
    Fake::alone(name, |fake| {
        let device = builder().device_gates(PATIENCE).open(0)?;
        let green = Green::made(fake);
        let (theirs, gate) = (green.stream(fake), Gate::new());
        let stream = fake.borrow_with(&device, theirs, green)?;
        assert_ne!(stream.device(), &device);
        stream.wait(&gate.point())?;
        let held = stream.record()?;
        assert!(!held.query()?);
        gate.open()?;
        settle(&held);
        Ok(())
    });
}
