//! What points cost on a stream that has nothing to do, and waits for them.

use std::hint::black_box;

use syncpoint::{Device, Error};

use super::{
    super::sample::{Prepared, Sampler, time_each},
    enqueue::{DEPTH, held},
};

/// How often each is done for one sample.
pub(in super::super) const COUNT: u32 = 10_000;

pub(super) fn record(device: &Device) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || {
        let record = || {
            black_box(&black_box(&stream).record()?);
            Ok::<_, Error>(())
        };
        Ok(time_each(COUNT, record)?)
    }))
}

pub(super) fn record_query(device: &Device) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || {
        let record_query = || {
            black_box(black_box(&stream).record()?.query()?);
            Ok::<_, Error>(())
        };
        Ok(time_each(COUNT, record_query)?)
    }))
}

pub(super) fn record_timed(device: &Device) -> Prepared {
    let stream = device.stream()?;
    Ok(Box::new(move || {
        let measured = time_each(COUNT, || black_box(&stream).record_timed().map(drop));
        stream.synchronize()?;
        Ok(measured?)
    }))
}

pub(super) fn query(device: &Device) -> Prepared {
    let point = device.stream()?.record()?;
    Ok(Box::new(move || {
        let query = || {
            black_box(black_box(&point).query()?);
            Ok::<_, Error>(())
        };
        Ok(time_each(COUNT, query)?)
    }))
}

pub(super) fn wait(device: &Device) -> Prepared {
    let (waits, recorded) = (device.stream()?, device.stream()?);
    let point = recorded.record()?;
    Ok(Box::new(move || Ok(time_each(COUNT, || black_box(&waits).wait(black_box(&point)))?)))
}

/// Each wait is for a later point of a stream that a gate holds, so that none is left out.
pub(super) fn wait_pending(device: &Device) -> Prepared {
    let (waits, busy) = (device.stream()?, device.stream()?);
    Ok(Box::new(move || {
        let mut points = Vec::new();
        let measured = held(&busy, || {
            for _ in 0..DEPTH {
                busy.enqueue(|| ())?;
                points.push(busy.record()?);
            }
            let mut points = points.iter();
            Ok(time_each(DEPTH, || points.next().map_or(Ok(()), |point| waits.wait(point)))?)
        });
        waits.synchronize()?;
        measured
    }))
}

pub(super) fn make(device: &Device) -> Sampler {
    let device = device.clone();
    Box::new(move || {
        let make = || device.stream().map(|stream| drop(black_box(stream)));
        Ok(time_each(COUNT, make)?)
    })
}
