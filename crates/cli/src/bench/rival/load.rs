//! One atomic load, instead of a query.

use std::{
    convert::Infallible,
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
};

use super::super::{
    case::COUNT,
    sample::{Sampler, time_each},
};

pub(super) fn load() -> Sampler {
    let value = AtomicU64::new(1);
    Box::new(move || {
        let load = || {
            // Acquire: as a query does, which goes on to what the work has written.
            black_box(black_box(&value).load(Ordering::Acquire) >= 1);
            Ok::<_, Infallible>(())
        };
        Ok(time_each(COUNT, load)?)
    })
}
