//! What points cost on a stream with nothing to do.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::enqueue::host;
use crate::measure::{Named, alone, beside, time_each};

const COUNT: u32 = 10_000;

pub(crate) fn rows() -> Vec<Named> {
    vec![
        ("record and query, idle", Box::new(record)),
        ("timed record, idle", Box::new(record_timed)),
        ("record and wait, nothing pending", Box::new(wait)),
        ("query, complete", Box::new(query)),
        ("stream made and dropped", Box::new(make)),
    ]
}

fn record() -> crate::measure::Row {
    let stream = host().stream().expect("a stream");
    alone(move || {
        time_each(COUNT, || {
            for _ in 0..COUNT {
                black_box(stream.record().expect("a point").query().expect("no failure"));
            }
        })
    })
}

fn record_timed() -> crate::measure::Row {
    let stream = host().stream().expect("a stream");
    alone(move || {
        time_each(COUNT, || {
            for _ in 0..COUNT {
                black_box(stream.record_timed().expect("a point"));
            }
        })
    })
}

fn wait() -> crate::measure::Row {
    let (a, b) = (host().stream().expect("a stream"), host().stream().expect("a stream"));
    alone(move || {
        time_each(COUNT, || {
            for _ in 0..COUNT {
                b.wait(&a.record().expect("a point")).expect("a wait");
            }
        })
    })
}

fn query() -> crate::measure::Row {
    let point = host().stream().expect("a stream").record().expect("a point");
    let value = AtomicU64::new(1);
    let ours = move || {
        time_each(COUNT, || {
            for _ in 0..COUNT {
                black_box(black_box(&point).query().is_ok_and(|complete| complete));
            }
        })
    };
    let rival = move || {
        time_each(COUNT, || {
            for _ in 0..COUNT {
                black_box(black_box(&value).load(Ordering::Acquire) >= 1);
            }
        })
    };
    beside("atomic load", ours, rival)
}

fn make() -> crate::measure::Row {
    let device = host();
    alone(move || {
        time_each(COUNT, || {
            for _ in 0..COUNT {
                drop(black_box(device.stream().expect("a stream")));
            }
        })
    })
}
